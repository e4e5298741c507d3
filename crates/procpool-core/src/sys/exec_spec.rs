//! What a process is started with, in the form that execve(2) takes. It owns all strings, because a child whose start
//! hangs uses them for an unknown time.

use std::ffi::{CStr, CString, c_char, c_int};
use std::sync::Arc;
use std::{io, ptr};

use rustix::fs::{Access, FileType, access, stat};

use crate::sys::failure::Failure;

/// Describes a process to be started.
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "POSIX has nothing for the last two"))]
pub(crate) struct ExecSpec {
    pub(crate) program: Program,
    /// `argv`, with the program's name first.
    pub(crate) arguments: Vec<CString>,
    pub(crate) environment: EnvironmentStrings,
    pub(crate) directory: Option<CString>,
    /// The file for its standard input, whatever else that is. Opened before the child enters its directory.
    pub(crate) input: Option<CString>,
    /// Its soft limit of descriptors; `None` is the caller's.
    pub(crate) descriptor_limit: Option<u64>,
    /// What happens to it when the thread that has started it ends.
    pub(crate) on_parent_death: OnParentDeath,
}

/// Where the program is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    At(CString),
    /// The first of these that may be executed. The search is part of the start, because a file server may delay it.
    FirstOf(Vec<CString>),
}

/// The environment as `NAME=VALUE` strings: some that many starts share, and some of its own.
pub(crate) struct EnvironmentStrings {
    pub(crate) common: Arc<[CString]>,
    /// The indices of the common strings that it contains.
    pub(crate) kept: Vec<usize>,
    pub(crate) own: Vec<CString>,
}

/// Whether a process has executed its program.
#[cfg_attr(
    not(target_os = "linux"),
    expect(dead_code, reason = "posix_spawn(3) comes back when that is over")
)]
pub(crate) enum ExecProgress {
    Pending,
    /// It has executed its program, or was ended before.
    Done,
    /// It couldn't, and has ended or is about to.
    Failed(Failure),
}

/// What happens to a process when its parent ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnParentDeath {
    Die,
    LiveOn,
}

impl ExecSpec {
    /// The arguments for execve(2), valid while this lives.
    pub(crate) fn argument_pointers(&self) -> Vec<*const c_char> {
        pointers(self.arguments.iter().map(CString::as_c_str))
    }

    /// The environment for execve(2), valid while this lives.
    pub(crate) fn environment_pointers(&self) -> Vec<*const c_char> {
        pointers(self.environment.iter())
    }
}

impl Program {
    /// The path with this index.
    pub(crate) fn path(&self, place: usize) -> Option<&CStr> {
        match self {
            Program::At(path) => Some(path),
            Program::FirstOf(paths) => paths.get(place).map(CString::as_c_str),
        }
    }

    /// The index of the program to execute, or the error that execvp(3) would give. Neither allocates nor locks.
    pub(crate) fn seek(&self) -> Result<usize, c_int> {
        let Program::FirstOf(paths) = self else { return Ok(0) };
        let is_file = |path: &CStr| {
            stat(path).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile)
        };
        let mut error = libc::ENOENT;
        for (place, path) in paths.iter().enumerate().filter(|(_, path)| is_file(path)) {
            if access(path.as_c_str(), Access::EXEC_OK).is_ok() {
                return Ok(place);
            }
            error = libc::EACCES;
        }
        Err(error)
    }
}

impl EnvironmentStrings {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &CStr> {
        let kept = self.kept.iter().map(|place| &self.common[*place]);
        kept.chain(&self.own).map(CString::as_c_str)
    }
}

/// The error for a named pipe as standard input.
pub(crate) fn named_pipe() -> io::Error {
    let reason = "a named pipe can't be a job's standard input: let the job's command open it";
    io::Error::new(io::ErrorKind::Unsupported, reason)
}

fn pointers<'a>(strings: impl Iterator<Item = &'a CStr>) -> Vec<*const c_char> {
    strings.map(CStr::as_ptr).chain([ptr::null()]).collect()
}
