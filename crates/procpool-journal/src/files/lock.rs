//! Locks of files and folders (flock(2)): they are gone with their holder, however that ends.
//! Knows nothing of what they stand for.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use anyhow::Context;
use rustix::fs::{FlockOperation, flock, fstat};
use rustix::io::Errno;

use crate::files::file::{JournalFile, number_of};

/// # Errors
/// Where somebody else has the lock, or the file system has none.
pub(crate) fn try_flock(file: &impl AsFd) -> Result<(), Errno> {
    flock(file, FlockOperation::NonBlockingLockExclusive)
}

/// Locks a file that has this name, or had. Says whether that has come to pass.
///
/// # Errors
/// Where the file system has no locks.
pub(super) fn is_taken(file: &File, place: &JournalFile) -> anyhow::Result<bool> {
    match try_flock(file) {
        Ok(()) => is_at(file, place).with_context(|| format!("can't look at {place:?}")),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(error).with_context(|| format!("can't lock {place:?}")),
    }
}

/// Whether somebody else has locked it. The lock that tells is given back at once.
pub(super) fn is_locked(file: &OwnedFd) -> bool {
    let tried = flock(file, FlockOperation::NonBlockingLockShared);
    if tried.is_ok() {
        let _ = flock(file, FlockOperation::NonBlockingUnlock);
    }
    tried == Err(Errno::WOULDBLOCK)
}

/// Whether the name is still that of this very file.
///
/// # Errors
/// Where that can't be told.
pub(super) fn is_at(file: &File, place: &JournalFile) -> io::Result<bool> {
    let there = place.stat_if_there()?.map(|stat| number_of(&stat));
    Ok(there == Some(number_of(&fstat(file)?)))
}
