//! Who owns a file, and who else may write to it: no command is run from a file that another user could have
//! written.
//!
//! Write permission for the group is accepted if our own umask allows it: then the group may write to
//! everything that we create, which was intended.

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

use crate::os::file_id::FileId;

/// The user whose files are trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TrustedOwner {
    uid: u32,
    /// The permission bits that files created by us never have.
    umask: u32,
}

/// Why a file is not trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ForeignAccess {
    /// It belongs to another user, this one.
    Owner(u32),
    /// It is ours, and its mode lets others write to it.
    Mode(u32),
}

const SUPERUSER: u32 = 0;
const GROUP_WRITES: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;
const STICKY: u32 = 0o1000;

impl TrustedOwner {
    /// The user of this process.
    pub(crate) fn own() -> TrustedOwner {
        static UMASK: OnceLock<u32> = OnceLock::new();
        TrustedOwner {
            uid: Uid::effective().as_raw(),
            umask: *UMASK.get_or_init(umask),
        }
    }

    /// The owner of a file that we have just created: a file system may map our user to another one.
    pub(crate) fn as_of(self, made: &impl AsFd) -> TrustedOwner {
        fstat(made).map_or(self, |stat| TrustedOwner { uid: stat.st_uid, ..self })
    }

    /// How others could have written this file; `None` if they could not.
    pub(crate) fn foreign_access(self, stat: &Stat) -> Option<ForeignAccess> {
        self.foreign_owner(stat).or_else(|| {
            let kept_out = OTHERS_WRITE | GROUP_WRITES & self.umask;
            (stat.st_mode & kept_out != 0).then_some(ForeignAccess::Mode(stat.st_mode & 0o7777))
        })
    }

    /// The same, ignoring the mode.
    pub(crate) fn foreign_owner(self, stat: &Stat) -> Option<ForeignAccess> {
        (stat.st_uid != self.uid).then_some(ForeignAccess::Owner(stat.st_uid))
    }

    /// The same for a link that we follow, or a file that we only write to. Root may own those: it can read
    /// what we write anyway.
    pub(crate) fn foreign_link_owner(self, stat: &Stat) -> Option<ForeignAccess> {
        self.foreign_owner(stat).filter(|_| stat.st_uid != SUPERUSER)
    }
}

/// Refuses a symbolic link of another user, who could make us write anywhere.
///
/// # Errors
/// If the path is such a link.
pub fn refuse_link(path: &Path) -> io::Result<()> {
    let link = lstat(path).ok().filter(|stat| FileType::from_raw_mode(stat.st_mode).is_symlink());
    match link.and_then(|link| TrustedOwner::own().foreign_link_owner(&link)) {
        None => Ok(()),
        Some(access) => Err(refusal(&format!(
            "the link {access}, who may have it lead anywhere; remove it, or name another file"
        ))),
    }
}

/// Refuses a file or a named pipe of another user, who could read what we write there. Descriptors that
/// procpool was started with are accepted, whoever owns them.
///
/// # Errors
/// If it is one, or its status can't be read.
pub fn refuse_foreign(file: &impl AsFd, path: &Path) -> io::Result<()> {
    let stat = fstat(file)?;
    let kind = FileType::from_raw_mode(stat.st_mode);
    let is_given =
        |given: BorrowedFd<'_>| fstat(given).is_ok_and(|given| FileId::from(&given) == FileId::from(&stat));
    let is_open_already = path.starts_with("/dev/fd")
        || path.starts_with("/proc")
        || [stdio::stdin(), stdio::stdout(), stdio::stderr()].into_iter().any(is_given);
    match TrustedOwner::own().foreign_link_owner(&stat) {
        Some(access) if (kind.is_file() || kind.is_fifo()) && !is_open_already => Err(refusal(&format!(
            "it {access}, who could read and change what is written there; remove it, or name another file"
        ))),
        _ => Ok(()),
    }
}

/// Refuses a directory in which every user may replace files. Sticky directories such as /tmp are accepted.
///
/// # Errors
/// If it is one, or its status can't be read.
pub fn refuse_open_to_all(folder: &impl AsFd) -> io::Result<()> {
    let stat = fstat(folder)?;
    let keeps_apart = stat.st_mode & STICKY != 0 && TrustedOwner::own().foreign_link_owner(&stat).is_none();
    if stat.st_mode & OTHERS_WRITE == 0 || keeps_apart {
        return Ok(());
    }
    let access = ForeignAccess::Mode(stat.st_mode & 0o7777);
    Err(refusal(&format!(
        "the folder {access}, who could replace what is written there; close it with `chmod o-w`, or name one of your own"
    )))
}

/// The command line that removes the write permission of others.
pub(crate) fn closing(path: &Path) -> String {
    // A path with control characters can't be copied from a message.
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

/// The umask of this process; all bits if a seccomp filter refuses the call.
fn umask() -> u32 {
    // The umask can't be read without setting it. 077 makes files that another thread creates meanwhile
    // private to their owner.
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

    /// A file of user 7 with this mode.
    fn stat(mode: u32) -> Stat {
        let mut stat = fstat(tempfile::tempfile().unwrap()).unwrap();
        (stat.st_uid, stat.st_mode) = (7, 0o100_000 | mode);
        stat
    }

    #[test]
    fn a_file_of_ours_that_nobody_else_can_write_to_is_trusted() {
        let ours = TrustedOwner { uid: 7, umask: 0o022 };
        for mode in [0o600, 0o644, 0o755, 0o400, 0o2700] {
            assert_eq!(ours.foreign_access(&stat(mode)), None, "{mode:o}");
        }
        for mode in [0o602, 0o666, 0o777, 0o1777, 0o620, 0o664] {
            assert_eq!(ours.foreign_access(&stat(mode)), Some(ForeignAccess::Mode(mode)), "{mode:o}");
        }
    }

    #[test]
    fn the_group_may_write_where_the_umask_lets_it_and_others_never() {
        let ours = TrustedOwner { uid: 7, umask: 0o002 };
        assert_eq!(ours.foreign_access(&stat(0o775)), None);
        assert_eq!(
            TrustedOwner { umask: 0, ..ours }.foreign_access(&stat(0o777)),
            Some(ForeignAccess::Mode(0o777))
        );
    }

    #[test]
    fn a_file_of_another_user_is_not_trusted_whatever_its_mode() {
        for uid in [0, 8] {
            let ours = TrustedOwner { uid, umask: 0o022 };
            assert_eq!(ours.foreign_access(&stat(0o600)), Some(ForeignAccess::Owner(7)));
            assert_eq!(ours.foreign_link_owner(&stat(0o777)), Some(ForeignAccess::Owner(7)));
        }
        let mut of_root = stat(0o777);
        of_root.st_uid = SUPERUSER;
        assert_eq!(TrustedOwner { uid: 7, umask: 0 }.foreign_link_owner(&of_root), None);
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
