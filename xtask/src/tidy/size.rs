//! No Rust file is longer than a reader can keep in mind, unless its header gives a reason, and most files
//! are much shorter.

use super::tree::{Finding, SourceFile};

const MOST_LINES: usize = 400;
/// The largest median of all source files.
const MOST_MEDIAN_LINES: usize = 120;
const HEADER_LINES: usize = 10;
const EXCUSE: &str = "// Longer than 400 lines because: ";

/// Finds the Rust files that are too long without a reason.
pub(crate) fn check(files: &[SourceFile]) -> Vec<Finding> {
    let too_long = files.iter().filter(|file| file.is_rust() && file.text.lines().count() > MOST_LINES);
    let unexcused = too_long.filter(|file| !file.text.lines().take(HEADER_LINES).any(is_excuse));
    unexcused
        .map(|file| Finding {
            path: file.path.clone(),
            line: MOST_LINES + 1,
            problem: format!(
                "{} lines, more than {MOST_LINES}: split the file, or say why in its first \
                 {HEADER_LINES} lines as `{EXCUSE}…`",
                file.text.lines().count()
            ),
        })
        .collect()
}

/// Finds whether the median of all source files is too large.
pub(crate) fn check_median(files: &[SourceFile]) -> Option<Finding> {
    let mut lines: Vec<_> =
        files.iter().filter(|file| file.is_source()).map(|file| file.text.lines().count()).collect();
    lines.sort_unstable();
    let median = lines.get(lines.len() / 2).copied().unwrap_or(0);
    (median > MOST_MEDIAN_LINES).then(|| Finding {
        path: "Cargo.toml".into(),
        line: 1,
        problem: format!(
            "half of the source files have more than {MOST_MEDIAN_LINES} lines; the median is {median}"
        ),
    })
}

fn is_excuse(line: &str) -> bool {
    line.strip_prefix(EXCUSE).is_some_and(|reason| !reason.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, head: &str, lines: usize) -> usize {
        let text = format!("{head}{}", "x\n".repeat(lines - head.lines().count()));
        check(&[SourceFile { path: path.into(), text }]).len()
    }

    #[test]
    fn four_hundred_lines_pass_and_one_more_does_not() {
        assert_eq!(findings("src/a.rs", "", 400), 0);
        assert_eq!(findings("src/a.rs", "", 401), 1);
    }

    #[test]
    fn a_reason_in_the_header_excuses() {
        assert_eq!(findings("src/a.rs", "//! A.\n// Longer than 400 lines because: a table.\n", 401), 0);
        assert_eq!(findings("src/a.rs", "// Longer than 400 lines because: \n", 401), 1);
        let late = format!("{}// Longer than 400 lines because: a table.\n", "x\n".repeat(10));
        assert_eq!(findings("src/a.rs", &late, 401), 1);
    }

    #[test]
    fn half_of_the_source_files_are_short() {
        let file = |path: &str, lines: usize| SourceFile { path: path.into(), text: "x\n".repeat(lines) };
        let median = |lines: [usize; 3]| check_median(&lines.map(|lines| file("a/src/b.rs", lines)));
        assert_eq!(median([120, 1, 400]), None);
        assert!(median([121, 1, 400]).unwrap().problem.contains("the median is 121"));
        assert_eq!(check_median(&[file("a/tests/b.rs", 200), file("a/src/tests.rs", 200)]), None);
    }

    #[test]
    fn only_rust_counts() {
        assert_eq!(findings("README.md", "", 401), 0);
    }
}
