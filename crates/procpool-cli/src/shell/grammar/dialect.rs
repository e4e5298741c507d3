//! Which shell reads a command, as far as that changes where a value may stand in it.
//! Knows nothing of the command.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::bail;

use crate::terminal::shown;

/// Most of what a shell does to values is refused for all of them: a shell that lacks `printf -v` is not hurt by that.
/// What is left are places that are ordinary in most shells and run commands in some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `[ {} -gt 5 ]` and `printf %d {}` want a number and take nothing else for one.
    Plain,
    /// They compute an expression, as arithmetic does.
    Korn,
    /// They do, a name may have a subscript without braces, and a pattern qualifiers.
    Zsh,
}

/// Shells that read quotes and parameters as POSIX has them, by the names of their programs. Of `sh` see below.
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
    /// Where nobody knows how this shell reads quotes.
    pub(crate) fn of(shell: &OsStr) -> anyhow::Result<Dialect> {
        match named(Path::new(shell)) {
            // It is another one on each system. One that isn't known may be a Korn shell, which computes more than most.
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

    /// Whether its own commands compute what others only read as a number.
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

/// The file that a program is, whatever links lead to it.
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
