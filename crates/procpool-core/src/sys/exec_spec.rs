//! What a process is started with, in the form in which the system takes it. All of it is owned: a child that hangs in
//! the middle of its start has it in use for as long as it likes.
//! Where a program may be and what an error means is not known here.

use std::ffi::{CStr, CString, c_char, c_int};
use std::io;
use std::ptr;
use std::sync::Arc;

use rustix::fs::{Access, FileType, access, stat};

use crate::sys::failure::Failure;

/// A process that is to be started.
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "POSIX has nothing for the last two"))]
pub(crate) struct ExecSpec {
    pub(crate) program: Program,
    /// `argv`, with the program's name first.
    pub(crate) arguments: Vec<CString>,
    pub(crate) environment: EnvironmentStrings,
    pub(crate) directory: Option<CString>,
    /// The file that becomes its standard input, whatever that is else: found before it enters its directory.
    pub(crate) input: Option<CString>,
    /// Its soft limit of descriptors; `None` is the caller's.
    pub(crate) descriptor_limit: Option<u64>,
    /// Whether it is killed when the thread that has started it is gone.
    pub(crate) on_parent_death: OnParentDeath,
}

/// Where the program is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    At(CString),
    /// The first of these that may be executed. To look for it takes as long as a file server likes, so that is a part of the start.
    FirstOf(Vec<CString>),
}

/// The environment: strings that many starts have in common, and some of its own, `NAME=VALUE` each.
pub(crate) struct EnvironmentStrings {
    pub(crate) common: Arc<[CString]>,
    /// The places of those that it has.
    pub(crate) kept: Vec<usize>,
    pub(crate) own: Vec<CString>,
}

/// How far a process has come on its way to its program.
#[cfg_attr(
    not(target_os = "linux"),
    expect(dead_code, reason = "posix_spawn(3) comes back when that is over")
)]
pub(crate) enum ExecProgress {
    Pending,
    /// It is its program, or was ended before.
    Done,
    /// It has ended, or is about to, for it could not.
    Failed(Failure),
}

/// What becomes of a process whose parent has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnParentDeath {
    Die,
    LiveOn,
}

impl ExecSpec {
    /// Its arguments as execve(2) wants them, as long as it lives.
    pub(crate) fn argument_pointers(&self) -> Vec<*const c_char> {
        pointers(self.arguments.iter().map(CString::as_c_str))
    }

    /// Its environment as execve(2) wants it, as long as it lives.
    pub(crate) fn environment_pointers(&self) -> Vec<*const c_char> {
        pointers(self.environment.iter())
    }
}

impl Program {
    /// The path at this place.
    pub(crate) fn path(&self, place: usize) -> Option<&CStr> {
        match self {
            Program::At(path) => Some(path),
            Program::FirstOf(paths) => paths.get(place).map(CString::as_c_str),
        }
    }

    /// The place of the one that is to be executed, else the system's error, as execvp(3) has it. Neither allocates nor locks.
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

/// Why a named pipe is not opened.
pub(crate) fn named_pipe() -> io::Error {
    let reason = "a named pipe can't be a job's standard input: let the job's command open it";
    io::Error::new(io::ErrorKind::Unsupported, reason)
}

fn pointers<'a>(strings: impl Iterator<Item = &'a CStr>) -> Vec<*const c_char> {
    strings.map(CStr::as_ptr).chain([ptr::null()]).collect()
}
