//! What a process is started with, in the form in which the system takes it.
//! Where a program is found and what an error means is not known here.

use std::ffi::{CStr, CString, c_char};
use std::os::fd::BorrowedFd;
use std::ptr;

/// A process that is to be started.
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "POSIX has nothing for the last two"))]
pub(crate) struct Image<'a> {
    pub(crate) program: &'a CStr,
    /// `argv`, with the program's name first.
    pub(crate) arguments: &'a [CString],
    /// `NAME=VALUE` each.
    pub(crate) environment: &'a [&'a CStr],
    pub(crate) directory: Option<&'a CStr>,
    /// Standard input, output and error; `None` is the caller's own. None of them may be descriptor 0, 1 or 2.
    pub(crate) streams: [Option<BorrowedFd<'a>>; 3],
    /// Its soft limit of descriptors; `None` is the caller's.
    pub(crate) descriptor_limit: Option<u64>,
    /// Whether it is killed when the thread that has started it is gone.
    pub(crate) orphan: Orphan,
}

/// What becomes of a process whose parent has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Orphan {
    Ends,
    LivesOn,
}

impl Image<'_> {
    /// Its arguments as execve(2) wants them.
    pub(crate) fn argument_pointers(&self) -> Vec<*const c_char> {
        pointers(self.arguments.iter().map(CString::as_c_str))
    }

    /// Its environment as execve(2) wants it.
    pub(crate) fn environment_pointers(&self) -> Vec<*const c_char> {
        pointers(self.environment.iter().copied())
    }
}

fn pointers<'a>(strings: impl Iterator<Item = &'a CStr>) -> Vec<*const c_char> {
    strings.map(CStr::as_ptr).chain([ptr::null()]).collect()
}
