//! Whose a file is, and who else may write to it. What others can write is nothing to run commands from.
//!
//! The group may write where our own umask lets it: then it may write to all that we make, and that was meant.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::sync::OnceLock;

use nix::libc;
use nix::unistd::{Uid, User};
use procpool_core::Shown;
use rustix::fs::{FileType, Stat, fstat, lstat};
use rustix::stdio;

/// Whose files are believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TrustedOwner {
    uid: u32,
    /// What nobody may do to the files that we make.
    umask: u32,
}

/// Why a file is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ForeignAccess {
    /// It belongs to this user, who is not us.
    Owner(u32),
    /// It is ours, and with this mode others may write to it.
    Mode(u32),
}

const SUPERUSER: u32 = 0;
const GROUP_WRITES: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;
const STICKY: u32 = 0o1000;

impl TrustedOwner {
    /// Those of this process.
    pub(crate) fn own() -> TrustedOwner {
        static UMASK: OnceLock<u32> = OnceLock::new();
        TrustedOwner {
            uid: Uid::effective().as_raw(),
            umask: *UMASK.get_or_init(umask),
        }
    }

    /// Those of this file's owner: for a file that we have just made, where the file system gives it to somebody else.
    pub(crate) fn as_of(self, made: &impl AsFd) -> TrustedOwner {
        fstat(made).map_or(self, |stat| TrustedOwner { uid: stat.st_uid, ..self })
    }

    /// Why others could have written this; `None` where they could not.
    pub(crate) fn doubt(self, stat: &Stat) -> Option<ForeignAccess> {
        self.doubt_owner(stat).or_else(|| {
            let kept_out = OTHERS_WRITE | GROUP_WRITES & self.umask;
            (stat.st_mode & kept_out != 0).then_some(ForeignAccess::Mode(stat.st_mode & 0o7777))
        })
    }

    /// The same, whatever its mode.
    pub(crate) fn doubt_owner(self, stat: &Stat) -> Option<ForeignAccess> {
        (stat.st_uid != self.uid).then_some(ForeignAccess::Owner(stat.st_uid))
    }

    /// The same of what is followed or written to, and of which nothing is believed. The superuser needs nothing of the kind to
    /// read what we write.
    pub(crate) fn doubt_link(self, stat: &Stat) -> Option<ForeignAccess> {
        self.doubt_owner(stat).filter(|_| stat.st_uid != SUPERUSER)
    }
}

/// Refuses a link by which somebody else has us write where they want.
///
/// # Errors
/// Where it is one.
pub fn refuse_link(path: &Path) -> io::Result<()> {
    let link = lstat(path).ok().filter(|stat| FileType::from_raw_mode(stat.st_mode).is_symlink());
    match link.and_then(|link| TrustedOwner::own().doubt_link(&link)) {
        None => Ok(()),
        Some(doubt) => Err(refusal(&format!(
            "the link {doubt}, who may have it lead anywhere; remove it, or name another file"
        ))),
    }
}

/// Refuses a file or a named pipe that somebody else has put where we want to write: who owns it reads it. What procpool was
/// started with is meant, whoever has made it.
///
/// # Errors
/// Where it is one.
pub fn refuse_foreign(file: &impl AsFd, path: &Path) -> io::Result<()> {
    let stat = fstat(file)?;
    let kind = FileType::from_raw_mode(stat.st_mode);
    let is_given = |given: BorrowedFd<'_>| {
        fstat(given).is_ok_and(|given| (given.st_dev, given.st_ino) == (stat.st_dev, stat.st_ino))
    };
    let is_open_already = path.starts_with("/dev/fd")
        || path.starts_with("/proc")
        || [stdio::stdin(), stdio::stdout(), stdio::stderr()].into_iter().any(is_given);
    match TrustedOwner::own().doubt_link(&stat) {
        Some(doubt) if (kind.is_file() || kind.is_fifo()) && !is_open_already => Err(refusal(&format!(
            "it {doubt}, who could read and change what is written there; remove it, or name another file"
        ))),
        _ => Ok(()),
    }
}

/// Refuses a folder in which anybody may replace what is put there. Those that keep each to his own, as /tmp does, will do.
///
/// # Errors
/// Where it is one.
pub fn refuse_open_to_all(folder: &impl AsFd) -> io::Result<()> {
    let stat = fstat(folder)?;
    let keeps_apart = stat.st_mode & STICKY != 0 && TrustedOwner::own().doubt_link(&stat).is_none();
    if stat.st_mode & OTHERS_WRITE == 0 || keeps_apart {
        return Ok(());
    }
    let doubt = ForeignAccess::Mode(stat.st_mode & 0o7777);
    Err(refusal(&format!(
        "the folder {doubt}, who could replace what is written there; close it with `chmod o-w`, or name one of your own"
    )))
}

/// The command that keeps others from writing to it, as a shell reads it.
pub(crate) fn closing(path: &Path) -> String {
    // What can't stand in a message as it is can't be copied from there either.
    let Some(path) = path.to_str().filter(|path| !path.contains(Shown::controls)) else {
        return "chmod go-w".to_owned();
    };
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "_-./,:+@%".contains(character);
    if path.chars().all(is_plain) {
        format!("chmod go-w {path}")
    } else {
        format!("chmod go-w '{}'", path.replace('\'', r"'\''"))
    }
}

/// What nobody may do to files that this process makes; all, where a fence refuses to tell.
fn umask() -> u32 {
    // No call just tells it. What another thread makes meanwhile is for its owner alone.
    #[expect(unsafe_code, reason = "rustix panics where a fence refuses it")]
    // SAFETY: it takes a number and touches no memory.
    unsafe {
        let own = libc::umask(0o077);
        libc::umask(own);
        own
    }
}

fn refusal(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, text)
}

impl fmt::Display for ForeignAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ForeignAccess::Owner(uid) => match User::from_uid(Uid::from_raw(*uid)) {
                Ok(Some(user)) => write!(f, "belongs to user {} ({uid})", user.name),
                _ => write!(f, "belongs to user {uid}"),
            },
            ForeignAccess::Mode(mode) => write!(f, "may be written to by others (mode {mode:04o})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of user 7, by its mode.
    fn stat(mode: u32) -> Stat {
        let mut stat = fstat(tempfile::tempfile().unwrap()).unwrap();
        (stat.st_uid, stat.st_mode) = (7, 0o100_000 | mode);
        stat
    }

    #[test]
    fn what_belongs_to_us_and_is_written_by_nobody_else_is_believed() {
        let ours = TrustedOwner { uid: 7, umask: 0o022 };
        for mode in [0o600, 0o644, 0o755, 0o400, 0o2700] {
            assert_eq!(ours.doubt(&stat(mode)), None, "{mode:o}");
        }
        for mode in [0o602, 0o666, 0o777, 0o1777, 0o620, 0o664] {
            assert_eq!(ours.doubt(&stat(mode)), Some(ForeignAccess::Mode(mode)), "{mode:o}");
        }
    }

    #[test]
    fn the_group_may_write_where_the_umask_lets_it_and_others_never() {
        let ours = TrustedOwner { uid: 7, umask: 0o002 };
        assert_eq!(ours.doubt(&stat(0o775)), None);
        assert_eq!(TrustedOwner { umask: 0, ..ours }.doubt(&stat(0o777)), Some(ForeignAccess::Mode(0o777)));
    }

    #[test]
    fn what_belongs_to_somebody_else_is_not_believed_whatever_its_mode() {
        for uid in [0, 8] {
            let ours = TrustedOwner { uid, umask: 0o022 };
            assert_eq!(ours.doubt(&stat(0o600)), Some(ForeignAccess::Owner(7)));
            assert_eq!(ours.doubt_link(&stat(0o777)), Some(ForeignAccess::Owner(7)));
        }
        let mut of_root = stat(0o777);
        of_root.st_uid = SUPERUSER;
        assert_eq!(TrustedOwner { uid: 7, umask: 0 }.doubt_link(&of_root), None);
    }

    #[test]
    fn what_closes_a_path_can_be_typed() {
        assert_eq!(closing(Path::new("a/b.c")), "chmod go-w a/b.c");
        assert_eq!(closing(Path::new("it's")), r"chmod go-w 'it'\''s'");
        assert_eq!(closing(Path::new("a\nb")), "chmod go-w");
    }

    #[test]
    fn a_doubt_names_the_owner_or_the_mode() {
        assert_eq!(ForeignAccess::Owner(0).to_string(), "belongs to user root (0)");
        assert_eq!(ForeignAccess::Owner(3_999_999_999).to_string(), "belongs to user 3999999999");
        assert_eq!(ForeignAccess::Mode(0o666).to_string(), "may be written to by others (mode 0666)");
    }
}
