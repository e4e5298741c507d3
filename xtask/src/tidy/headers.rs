//! Every source file begins with a header, `//!`, that says what it is and why it is so.
//!
//! That a file "knows nothing of" something is worth a line only where a reader would expect otherwise, so few files
//! may say so.

use super::tree::{Finding, SourceFile};

/// How many files may say what they do not know.
const MOST_DENIALS: usize = 40;
const DENIALS: [&str; 5] = ["know nothing", "knows nothing", "knows no ", "not know", "n't know"];

/// Finds the source files without a header; tests need none.
pub(crate) fn check(files: &[SourceFile]) -> Vec<Finding> {
    let headless = files.iter().filter(|file| file.is_source() && header(&file.text).trim().is_empty());
    headless
        .map(|file| Finding {
            path: file.path.clone(),
            line: 1,
            problem: "begins without a `//!` line: what the file is, and why it is so".to_owned(),
        })
        .collect()
}

/// Finds whether too many source files say what they do not know.
pub(crate) fn check_denials(files: &[SourceFile]) -> Option<Finding> {
    let denies = |file: &&SourceFile| {
        let header = header(&file.text).to_lowercase();
        file.is_source() && DENIALS.iter().any(|denial| header.contains(denial))
    };
    let denying: Vec<_> = files.iter().filter(denies).map(|file| file.path.display().to_string()).collect();
    (denying.len() > MOST_DENIALS).then(|| Finding {
        path: "Cargo.toml".into(),
        line: 1,
        problem: format!(
            "{} headers say what their file does not know, more than {MOST_DENIALS}:\n    {}",
            denying.len(),
            denying.join("\n    ")
        ),
    })
}

/// The text of the header, its lines joined by spaces.
fn header(text: &str) -> String {
    let lines = text.lines().map_while(|line| line.strip_prefix("//!"));
    lines.map(str::trim).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> usize {
        check(&[SourceFile::made_up(&(path, text))]).len()
    }

    #[test]
    fn a_line_with_words_makes_a_header() {
        assert_eq!(findings("a/src/b.rs", "//! Is.\nfn f() {}\n"), 0);
        assert_eq!(findings("a/src/lib.rs", "//!\n//! Is.\n"), 0);
    }

    #[test]
    fn less_does_not() {
        assert_eq!(findings("a/src/b.rs", ""), 1);
        assert_eq!(findings("a/src/b.rs", "//!\n//!\nfn f() {}\n"), 1);
        assert_eq!(findings("a/src/b.rs", "use x;\n//! Is.\n"), 1);
    }

    #[test]
    fn tests_and_build_files_need_none() {
        for path in ["a/tests/b.rs", "a/src/b/tests.rs", "a/build.rs", "a/src/b.txt"] {
            assert_eq!(findings(path, ""), 0, "{path}");
        }
    }

    #[test]
    fn forty_files_may_say_what_they_do_not_know() {
        let text = "//! Is.\n//! It does\n//! not know b.\nfn f() {}\n";
        let denying = |count: usize| {
            let paths: Vec<_> = (0..count).map(|number| format!("a/src/{number}.rs")).collect();
            let others = [("a/src/tests.rs", text), ("a/src/a.rs", "//! Is.\n// Knows nothing.\n")];
            let files = paths.iter().map(|path| (&**path, text)).chain(others);
            check_denials(&files.map(|file| SourceFile::made_up(&file)).collect::<Vec<_>>())
        };
        assert_eq!(denying(40), None);
        assert!(denying(41).unwrap().problem.starts_with("41 headers"));
    }
}
