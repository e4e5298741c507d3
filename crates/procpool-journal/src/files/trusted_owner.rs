//! Whose files are believed in a folder that jobs are run by: our own, where nobody else may write to it.
//! Knows nothing of what the files are.

use std::os::fd::OwnedFd;
use std::path::Path;
use std::process;

use anyhow::bail;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, fstat, lstat, openat, unlinkat};

use crate::os::ownership::{self, ForeignAccess, TrustedOwner};

/// See the head of this file.
///
/// # Errors
/// Where others could write there, or have led us there.
pub(super) fn trusted_owner(path: &Path, directory: &OwnedFd) -> anyhow::Result<TrustedOwner> {
    let ours = TrustedOwner::own();
    // Only the last name of the path: what leads to it was made by who made this machine, and the folder itself is looked at.
    let link = lstat(path).ok().filter(|stat| FileType::from_raw_mode(stat.st_mode).is_symlink());
    if let Some(doubt) = link.and_then(|link| ours.doubt_link(&link)) {
        bail!("the link {doubt}, who may have it lead anywhere; name the folder itself");
    }
    let stat = fstat(directory)?;
    match ours.doubt(&stat) {
        None => Ok(ours),
        Some(ForeignAccess::Owner(_)) if owns_here(directory, ours).doubt(&stat).is_none() => {
            Ok(owns_here(directory, ours))
        }
        Some(doubt @ ForeignAccess::Owner(_)) => {
            bail!("the folder {doubt}, who could change what is run from it; name a folder of your own")
        }
        Some(doubt @ ForeignAccess::Mode(_)) => {
            let close = ownership::closing(path);
            bail!(
                "the folder {doubt}, who could change what is run from it; name another one, or close it: `{close}`"
            )
        }
    }
}

/// To whom a file belongs that we make here: a file system of another machine may have another name for us (exports(5),
/// `root_squash`).
fn owns_here(directory: &OwnedFd, ours: TrustedOwner) -> TrustedOwner {
    let name = format!(".procpool-{}", process::id());
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let Ok(made) = openat(directory, &name, flags, Mode::RUSR) else { return ours };
    let here = ours.as_of(&made);
    let _ = unlinkat(directory, &name, AtFlags::empty());
    here
}
