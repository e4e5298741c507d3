//! The files of the repository as the checks see them, and their findings.

use std::fmt::{self, Display, Formatter};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::shell;

/// A text file of the repository.
pub(crate) struct SourceFile {
    /// Relative to the root of the repository.
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

impl SourceFile {
    pub(crate) fn is_rust(&self) -> bool {
        self.path.extension().is_some_and(|extension| extension == "rs")
    }

    /// Whether it is Rust below a `src`, and not only for tests.
    pub(crate) fn is_source(&self) -> bool {
        let is_in = |name: &str| self.path.iter().any(|part| part == name);
        self.is_rust() && is_in("src") && !is_in("tests") && !self.path.ends_with("tests.rs")
    }
}

/// Something to fix, and its place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) path: PathBuf,
    pub(crate) line: usize,
    pub(crate) problem: String,
}

impl Display for Finding {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.path.display(), self.line, self.problem)
    }
}

/// All text files that git tracks, or would after `git add --all`: checked before their commit.
pub(crate) fn load(root: &Path) -> Result<Vec<SourceFile>> {
    let line = "ls-files -z --cached --others --exclude-standard --deduplicate";
    let list = shell::read(&mut shell::command(root, "git", line))?;
    let mut files = Vec::new();
    for path in list.split_terminator('\0').map(PathBuf::from) {
        match fs::read_to_string(root.join(&path)) {
            Ok(text) => files.push(SourceFile { path, text }),
            // Deleted but not yet committed, or not text.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidData) => {}
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()));
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
impl SourceFile {
    /// A file that is nowhere on the disk.
    pub(crate) fn made_up(&(path, text): &(&str, &str)) -> Self {
        SourceFile { path: path.into(), text: text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_those_that_git_has_or_would_take() {
        let root = tempfile::tempdir().unwrap();
        let write = |name, bytes: &[u8]| fs::write(root.path().join(name), bytes).unwrap();
        write(".gitignore", b"ignored\n");
        write("ignored", b"");
        write("new", b"");
        write("deleted", b"");
        write("image", &[0xff]);
        shell::read(&mut shell::command(root.path(), "git", "init")).unwrap();
        shell::read(&mut shell::command(root.path(), "git", "add deleted image")).unwrap();
        fs::remove_file(root.path().join("deleted")).unwrap();

        let files = load(root.path()).unwrap();
        let paths: Vec<_> = files.iter().map(|file| file.path.to_str().unwrap()).collect();
        assert_eq!(paths, [".gitignore", "new"]);
    }
}
