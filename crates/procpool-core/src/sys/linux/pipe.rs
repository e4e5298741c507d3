//! Pipes, and what only Linux does with one.
//! What flows through them is not known here.

use std::fs::File;
use std::io;
use std::os::fd::BorrowedFd;

use rustix::pipe::{SpliceFlags, fcntl_getpipe_size, fcntl_setpipe_size};

use crate::sys::kernel_feature::only_posix;
pub(crate) use crate::sys::unix::pipe::pipe;

/// Moves once from a pipe to a place in a file, past our memory. 0 is the end. Where it fails nothing has
/// moved; the error may be about either side.
pub(crate) fn splice(pipe: BorrowedFd<'_>, file: &File, offset: u64, at_most: usize) -> io::Result<usize> {
    if only_posix() {
        return crate::sys::unix::pipe::splice(pipe, file, offset, at_most);
    }
    let flags = SpliceFlags::empty();
    Ok(rustix::io::retry_on_intr(|| {
        let mut offset = offset;
        rustix::pipe::splice(pipe, None, file, Some(&mut offset), at_most, flags)
    })?)
}

/// Makes a pipe hold at least so much, where that is allowed.
pub(crate) fn grow_pipe(pipe: BorrowedFd<'_>, size: usize) {
    // A process that wants its own pipe larger can have made it so.
    if !only_posix() && fcntl_getpipe_size(pipe).is_ok_and(|now| now < size) {
        // Refused where the user has too much in pipes already, or pipes may not be as large: it works as it is.
        let _ = fcntl_setpipe_size(pipe, size);
    }
}
