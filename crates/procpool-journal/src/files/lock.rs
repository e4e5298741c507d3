//! Locks of files and directories by flock(2), which the kernel releases however their holder ends.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use anyhow::Context;
use rustix::fs::{FlockOperation, flock, fstat};
use rustix::io::Errno;

use crate::files::file::JournalFile;
use crate::os::file_id::FileId;

/// Locks a file or a directory, if no other process has.
///
/// # Errors
/// If another process has the lock, or the file system has no locks.
pub(crate) fn try_flock(file: &impl AsFd) -> Result<(), Errno> {
    flock(file, FlockOperation::NonBlockingLockExclusive)
}

/// Locks a file that was opened by this name. Returns whether we have the lock and the name is still that of
/// the file: its last holder may have removed it.
///
/// # Errors
/// If the file system has no locks.
pub(super) fn is_taken(file: &File, place: &JournalFile) -> anyhow::Result<bool> {
    match try_flock(file) {
        Ok(()) => is_at(file, place).with_context(|| format!("can't look at {place:?}")),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(error).with_context(|| format!("can't lock {place:?}")),
    }
}

/// Whether another process has locked it. The test takes a shared lock and releases it at once.
pub(super) fn is_locked(file: &OwnedFd) -> bool {
    let tried = flock(file, FlockOperation::NonBlockingLockShared);
    if tried.is_ok() {
        let _ = flock(file, FlockOperation::NonBlockingUnlock);
    }
    tried == Err(Errno::WOULDBLOCK)
}

/// Whether the name still leads to this file.
///
/// # Errors
/// If that can't be read.
pub(super) fn is_at(file: &File, place: &JournalFile) -> io::Result<bool> {
    let there = place.stat_if_there()?.map(|stat| FileId::from(&stat));
    Ok(there == Some(FileId::from(&fstat(file)?)))
}
