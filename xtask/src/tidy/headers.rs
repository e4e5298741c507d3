//! Every source file begins with two lines: what it is, what it does not know.
//! It does not know whether they are true.

use super::tree::{Finding, SourceFile};

/// Finds the files under a `src` directory without a header of two lines; tests need none.
pub(crate) fn check(files: &[SourceFile]) -> Vec<Finding> {
    let headless = files.iter().filter(|file| needs_header(file) && header_lines(&file.text) < 2);
    headless
        .map(|file| Finding {
            path: file.path.clone(),
            line: 1,
            problem: "begins without two `//!` lines: what the file is, and what it does not know".to_owned(),
        })
        .collect()
}

fn needs_header(file: &SourceFile) -> bool {
    let is_in = |name: &str| file.path.iter().any(|part| part == name);
    file.is_rust() && is_in("src") && !is_in("tests") && !file.path.ends_with("tests.rs")
}

/// Lines with words; an empty one between paragraphs says nothing.
fn header_lines(text: &str) -> usize {
    let header = text.lines().map_while(|line| line.strip_prefix("//!"));
    header.filter(|line| !line.trim().is_empty()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> usize {
        check(&[SourceFile { path: path.into(), text: text.into() }]).len()
    }

    #[test]
    fn two_lines_make_a_header() {
        assert_eq!(findings("a/src/b.rs", "//! Is.\n//! Does not know.\nfn f() {}\n"), 0);
        assert_eq!(findings("a/src/lib.rs", "//! Is.\n//!\n//! Does not know.\n"), 0);
    }

    #[test]
    fn fewer_do_not() {
        assert_eq!(findings("a/src/b.rs", ""), 1);
        assert_eq!(findings("a/src/b.rs", "//! Is.\n//!\nfn f() {}\n"), 1);
        assert_eq!(findings("a/src/b.rs", "use x;\n//! Is.\n//! Does not know.\n"), 1);
    }

    #[test]
    fn tests_and_build_files_need_none() {
        for path in ["a/tests/b.rs", "a/src/b/tests.rs", "a/build.rs", "a/src/b.txt"] {
            assert_eq!(findings(path, ""), 0, "{path}");
        }
    }
}
