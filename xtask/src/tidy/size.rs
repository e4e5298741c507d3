//! No Rust file is longer than a reader can hold in mind, unless its header gives a reason.
//! It does not know a good reason from a bad one.

use super::tree::{Finding, SourceFile};

const MOST_LINES: usize = 400;
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
    fn only_rust_counts() {
        assert_eq!(findings("README.md", "", 401), 0);
    }
}
