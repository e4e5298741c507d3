//! Each file and folder that ARCHITECTURE.md names exists: a map that leads nowhere is worse than none, and files move.
//!
//! Paths are short there: `core/pool/run.rs` is `crates/procpool-core/src/pool/run.rs`.

use std::path::Path;

use super::layers::PAGE;
use super::tree::{Finding, SourceFile};

/// What a path begins with on the page, and where that is.
const SHORT: [(&str, &str); 5] = [
    ("core/", "crates/procpool-core/src/"),
    ("journal/", "crates/procpool-journal/src/"),
    ("cluster/", "crates/procpool-cluster/src/"),
    ("cli/", "crates/procpool-cli/src/"),
    ("crates/", "crates/"),
];

/// Finds the paths of the page that lead nowhere.
pub(crate) fn check(files: &[SourceFile]) -> Vec<Finding> {
    let text = files.iter().find(|file| file.path == Path::new(PAGE)).map_or("", |page| &page.text);
    let lost = |path: &String| !files.iter().any(|file| file.path.starts_with(path));
    let on_line = |(line, text): (usize, &str)| {
        let lost = paths(text).filter(lost);
        lost.map(|path| Finding {
            path: PAGE.into(),
            line,
            problem: format!("there is no {path}"),
        })
        .collect()
    };
    (1..).zip(text.lines()).flat_map(|line| -> Vec<_> { on_line(line) }).collect()
}

/// The paths of a line, from the root of the repository.
fn paths(line: &str) -> impl Iterator<Item = String> {
    let full = |word: &str| {
        SHORT.iter().find_map(|(short, long)| Some(format!("{long}{}", word.strip_prefix(short)?)))
    };
    line.split('`').skip(1).step_by(2).filter_map(full)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(page: &str) -> Vec<String> {
        let files = [(PAGE, page), ("crates/procpool-core/src/pool/run.rs", ""), ("crates/x/src/lib.rs", "")];
        check(&files.map(|file| SourceFile::made_up(&file))).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn files_and_folders_that_exist_pass() {
        assert_eq!(
            problems("`core/pool/run.rs` `core/pool/` `crates/x/src/lib.rs` `run.rs` `cargo test`\n"),
            [""; 0]
        );
    }

    #[test]
    fn what_has_moved_is_found_with_its_line() {
        let moved = "ARCHITECTURE.md:2: there is no crates/procpool-core/src/pool/walk.rs";
        assert_eq!(problems("`core/pool/`\n`core/pool/run.rs`, `core/pool/walk.rs`\n"), [moved]);
        assert_eq!(problems("`crates/x/tests/`\n"), ["ARCHITECTURE.md:1: there is no crates/x/tests/"]);
    }
}
