//! The library stays light: its dependency tree, itself included, has a maximum size.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;

use super::tree::Finding;
use crate::shell;

const MOST_CRATES: usize = 16;

/// Finds whether `procpool-core` needs too many crates, on any platform.
pub(crate) fn check(root: &Path) -> Result<Vec<Finding>> {
    let line = "tree --package procpool-core --edges normal --prefix none --target all --locked";
    let tree = shell::read(&mut shell::cargo(root, line))?;
    Ok(weigh(&tree).into_iter().collect())
}

/// Judges the output of `cargo tree --prefix none`.
fn weigh(tree: &str) -> Option<Finding> {
    // After name and version come a path, or `(*)` for a crate that was printed before.
    let words = |line: &str| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    let crates: BTreeSet<String> = tree.lines().filter(|line| !line.is_empty()).map(words).collect();
    (crates.len() > MOST_CRATES).then(|| Finding {
        path: "crates/procpool-core/Cargo.toml".into(),
        line: 1,
        problem: format!(
            "{} crates in the tree of procpool-core, more than {MOST_CRATES}: {}",
            crates.len(),
            crates.into_iter().collect::<Vec<_>>().join(", ")
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(count: usize) -> String {
        let lines: Vec<_> = (0..count).map(|number| format!("crate-{number} v1.0.0\n")).collect();
        lines.concat()
    }

    #[test]
    fn a_crate_counts_once() {
        let twice = tree(16).replace('\n', " (*)\n");
        assert_eq!(weigh(&(tree(16) + &twice)), None);
    }

    #[test]
    fn one_crate_too_many_is_found_and_all_are_named() {
        let finding = weigh(&tree(17)).unwrap();
        assert!(finding.problem.contains("17 crates"), "{}", finding.problem);
        assert!(finding.problem.contains("crate-16 v1.0.0"), "{}", finding.problem);
    }

    #[test]
    fn two_versions_are_two_crates() {
        assert!(weigh(&(tree(16) + "crate-0 v2.0.0\n")).is_some());
    }
}
