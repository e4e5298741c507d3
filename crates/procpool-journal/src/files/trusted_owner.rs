//! Checks that a folder from which commands are run is ours, and that nobody else may write to it. On a
//! network file system our files may belong to another user, so a file is created to find out which one.

use std::os::fd::OwnedFd;
use std::path::Path;
use std::process;

use anyhow::bail;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, fstat, lstat, openat, unlinkat};

use crate::os::ownership::{self, ForeignAccess, TrustedOwner};

/// The user whose files are trusted in this folder.
///
/// # Errors
/// If other users could write to it, or the path is a link of theirs.
pub(super) fn trusted_owner(path: &Path, directory: &OwnedFd) -> anyhow::Result<TrustedOwner> {
    let ours = TrustedOwner::own();
    // Only the last component: the directories above it are the administrator's business, and the folder
    // itself is checked below.
    let link = lstat(path).ok().filter(|stat| FileType::from_raw_mode(stat.st_mode).is_symlink());
    if let Some(access) = link.and_then(|link| ours.foreign_link_owner(&link)) {
        bail!("the link {access}, who may have it lead anywhere; name the folder itself");
    }
    let stat = fstat(directory)?;
    match ours.foreign_access(&stat) {
        None => Ok(ours),
        Some(ForeignAccess::Owner(_)) if owns_here(directory, ours).foreign_access(&stat).is_none() => {
            Ok(owns_here(directory, ours))
        }
        Some(access @ ForeignAccess::Owner(_)) => {
            bail!("the folder {access}, who could change what is run from it; name a folder of your own")
        }
        Some(access @ ForeignAccess::Mode(_)) => {
            let close = ownership::closing(path);
            bail!(
                "the folder {access}, who could change what is run from it; name another one, or close it: `{close}`"
            )
        }
    }
}

/// Who owns a file that we create here: a file server may map us to another user (exports(5), `root_squash`).
fn owns_here(directory: &OwnedFd, ours: TrustedOwner) -> TrustedOwner {
    let name = format!(".procpool-{}", process::id());
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let Ok(made) = openat(directory, &name, flags, Mode::RUSR) else { return ours };
    let here = ours.as_of(&made);
    let _ = unlinkat(directory, &name, AtFlags::empty());
    here
}
