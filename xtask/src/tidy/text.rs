//! What no text file contains: white space at the end of a line, an unfinished last line, a path of one
//! machine. `todo!` and the like are left to clippy.

use std::path::Path;

use super::tree::{Finding, SourceFile};

/// The beginnings of paths that exist on one machine only. They are joined at compile time, because this
/// file would be a finding itself.
const MACHINE_PATHS: [&str; 2] = [concat!("/", "work/"), concat!("/", "root/")];

/// Finds the lines that break a rule.
pub(crate) fn check(files: &[SourceFile]) -> Vec<Finding> {
    files.iter().filter(|file| !is_recorded(&file.path)).flat_map(check_file).collect()
}

/// What a program has written for a test to read is kept as it is.
fn is_recorded(path: &Path) -> bool {
    path.iter().any(|part| part == "recorded")
}

fn check_file(file: &SourceFile) -> Vec<Finding> {
    let finding =
        |line, problem: &str| Finding { path: file.path.clone(), line, problem: problem.to_owned() };
    let mut findings = Vec::new();
    for (number, line) in (1..).zip(file.text.split_terminator('\n')) {
        if line.ends_with(char::is_whitespace) {
            findings.push(finding(number, "white space at the end of the line"));
        }
        if MACHINE_PATHS.iter().any(|path| names_path(line, path)) {
            findings.push(finding(number, "an absolute path of one machine"));
        }
    }
    if !file.text.is_empty() && !file.text.ends_with('\n') {
        findings.push(finding(file.text.lines().count(), "no newline at the end of the file"));
    }
    findings
}

/// Whether `line` contains `path` as an absolute path, not as the middle of another one.
fn names_path(line: &str, path: &str) -> bool {
    let continues_a_path = |before: char| before.is_alphanumeric() || "_-.~/})".contains(before);
    line.match_indices(path).any(|(start, _)| !line[..start].ends_with(continues_a_path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(text: &str) -> Vec<(usize, String)> {
        let found = check(&[SourceFile { path: "a".into(), text: text.into() }]);
        found.into_iter().map(|finding| (finding.line, finding.problem)).collect()
    }

    #[test]
    fn clean_text_passes() {
        assert_eq!(findings(""), []);
        assert_eq!(findings("one\n\n  two\n"), []);
    }

    #[test]
    fn space_at_the_end_of_a_line_is_found() {
        assert_eq!(findings("one\ntwo \n"), [(2, "white space at the end of the line".to_owned())]);
        assert_eq!(findings("dos\r\n").len(), 1);
    }

    #[test]
    fn an_unfinished_last_line_is_found() {
        assert_eq!(findings("one\ntwo"), [(2, "no newline at the end of the file".to_owned())]);
    }

    #[test]
    fn a_path_of_one_machine_is_found() {
        for path in MACHINE_PATHS {
            assert_eq!(findings(&format!("see {path}x\n")).len(), 1, "{path}");
            assert_eq!(findings(&format!("\"{path}x\"\n")).len(), 1, "{path}");
            assert_eq!(findings(&format!("the home$HOME{path}x, a{path}b, https:/{path}x\n")), [], "{path}");
        }
    }
}
