//! ARCHITECTURE.md stays a map that can be read in one sitting: not too long, and without lines that wrap.

use std::path::Path;

use super::layers::PAGE;
use super::tree::{Finding, SourceFile};

const MOST_BYTES: usize = 12 * 1024;
const WIDEST: usize = 110;

/// Finds whether the page is too long, and whether lines of it are too wide.
pub(crate) fn check(files: &[SourceFile]) -> Vec<Finding> {
    let finding = |line, problem| Finding { path: PAGE.into(), line, problem };
    let Some(page) = files.iter().find(|file| file.path == Path::new(PAGE)) else {
        return vec![finding(1, "the map of the project is missing".to_owned())];
    };
    let bytes = page.text.len();
    let too_long = (bytes > MOST_BYTES).then(|| {
        finding(
            1,
            format!("{bytes} bytes, more than {MOST_BYTES}: what only a part needs goes to docs/design"),
        )
    });
    let is_wide = |line: &str| line.chars().count() > WIDEST;
    let wide: Vec<_> = (1..).zip(page.text.lines()).filter(|(_, line)| is_wide(line)).collect();
    let too_wide = wide.first().map(|(first, _)| {
        let numbers: Vec<_> = wide.iter().map(|(number, _)| number.to_string()).collect();
        finding(*first, format!("lines of more than {WIDEST} characters: {}", numbers.join(", ")))
    });
    too_long.into_iter().chain(too_wide).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_found(text: &str) -> Vec<usize> {
        check(&[SourceFile::made_up(&(PAGE, text))]).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn twelve_kilobytes_pass_and_one_byte_more_does_not() {
        assert_eq!(lines_found(&"x\n".repeat(MOST_BYTES / 2)), [0; 0]);
        assert_eq!(lines_found(&("x\n".repeat(MOST_BYTES / 2) + "\n")), [1]);
    }

    #[test]
    fn lines_that_are_too_wide_are_found_together() {
        let wide = "x".repeat(WIDEST + 1);
        let found = check(&[SourceFile::made_up(&(PAGE, &format!("{wide}\n\n{wide}\n")))]);
        assert_eq!(found.len(), 1);
        assert!(found[0].problem.ends_with("characters: 1, 3"), "{}", found[0].problem);
    }

    #[test]
    fn a_line_is_as_wide_as_it_has_characters() {
        assert_eq!(lines_found(&format!("{}\n", "–".repeat(WIDEST))), [0; 0]);
        assert_eq!(lines_found(&format!("\n{}\n", "–".repeat(WIDEST + 1))), [2]);
    }

    #[test]
    fn a_project_without_the_page_is_found() {
        assert_eq!(check(&[]).len(), 1);
    }
}
