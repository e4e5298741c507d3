//! Which shell runs a command. Only differences that decide where a value is safe are kept apart.
//! A shell that isn't known is refused: it could read quotes differently.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::bail;

use crate::terminal::shown;

/// Most dangers are refused for all shells, because a shell without `printf -v` loses nothing by that. The
/// dialects differ in places that are in everyday use and run commands in some shells only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `[ {} -gt 5 ]` and `printf %d {}` accept nothing but a number.
    Plain,
    /// They evaluate an arithmetic expression.
    Korn,
    /// As Korn. Besides, `$x[1]` has a subscript, and patterns have qualifiers.
    Zsh,
}

/// Shells that read quotes and parameters as POSIX says, by program name. `sh` is looked up in
/// [`Dialect::of`].
const SHELLS: [(&str, Dialect); 11] = [
    ("sh", Dialect::Korn),
    ("bash", Dialect::Plain),
    ("dash", Dialect::Plain),
    ("ash", Dialect::Plain),
    ("ksh", Dialect::Korn),
    ("ksh93", Dialect::Korn),
    ("mksh", Dialect::Korn),
    ("yash", Dialect::Plain),
    ("zsh", Dialect::Zsh),
    ("posh", Dialect::Korn),
    ("busybox", Dialect::Plain),
];

impl Dialect {
    /// # Errors
    /// If it isn't known how this shell reads quotes.
    pub(crate) fn of(shell: &OsStr) -> anyhow::Result<Dialect> {
        match named(Path::new(shell)) {
            // Each system has its own. An unknown one may be a Korn shell, which evaluates more than most.
            Some(Dialect::Korn) if Path::new(shell).ends_with("sh") => {
                Ok(find(shell).and_then(|path| named(&path)).unwrap_or(Dialect::Korn))
            }
            Some(dialect) => Ok(dialect),
            None => bail!(
                "--shell={}: it is not known to read quotes as a POSIX shell does, so a value could be read as text; \
                 name one of {}, or write the command without --shell: procpool run -- {} …",
                shown::name(shell),
                SHELLS.map(|(name, _)| name).join(", "),
                shown::name(shell)
            ),
        }
    }

    /// Whether its builtins evaluate an expression where others accept only a number.
    pub(super) fn computes_numbers(self) -> bool {
        matches!(self, Dialect::Korn | Dialect::Zsh)
    }
}

/// Whether a word names a shell.
pub(super) fn is_shell(word: &[u8]) -> bool {
    let name = word.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    SHELLS.iter().any(|(known, _)| known.as_bytes() == name)
}

fn named(shell: &Path) -> Option<Dialect> {
    let name = shell.file_name()?;
    SHELLS.iter().find(|(known, _)| name == *known).map(|(_, dialect)| *dialect)
}

/// The program's file, with links resolved.
fn find(program: &OsStr) -> Option<PathBuf> {
    if Path::new(program).components().count() > 1 {
        return Path::new(program).canonicalize().ok();
    }
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders).find_map(|folder| folder.join(program).canonicalize().ok())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_shell_is_known_by_its_name_and_sh_by_what_it_leads_to() {
        for (shell, dialect) in
            [("/bin/bash", Dialect::Plain), ("zsh", Dialect::Zsh), ("/opt/bin/ksh93", Dialect::Korn)]
        {
            assert_eq!(Dialect::of(shell.as_ref()).unwrap(), dialect, "{shell}");
        }
        assert!(Dialect::of("fish".as_ref()).is_err());
        let folder = tempfile::tempdir().unwrap();
        let sh = folder.path().join("sh");
        assert_eq!(Dialect::of(sh.as_os_str()).unwrap(), Dialect::Korn);
        for (name, dialect) in
            [("dash", Dialect::Plain), ("zsh", Dialect::Zsh), ("sh-of-its-own", Dialect::Korn)]
        {
            let program = folder.path().join(name);
            fs::write(&program, "").unwrap();
            symlink(&program, &sh).unwrap();
            assert_eq!(Dialect::of(sh.as_os_str()).unwrap(), dialect, "{name}");
            fs::remove_file(&sh).unwrap();
        }
    }

    #[test]
    fn a_word_names_a_shell_wherever_it_lies() {
        for word in ["sh", "/bin/bash", "/usr/local/bin/zsh"] {
            assert!(is_shell(word.as_bytes()), "{word}");
        }
        for word in ["", "bash/", "fish", "sshd", "x.sh"] {
            assert!(!is_shell(word.as_bytes()), "{word}");
        }
    }
}
