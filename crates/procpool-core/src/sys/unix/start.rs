//! Starts a process by `posix_spawn(3)`, and a thread that waits for its end.
//! Where a program may be and what an error means is not known here.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, Mode, OFlags, open, stat};

use crate::sys::descriptors::above_standard;
use crate::sys::image::{Image, named_pipe};
use crate::sys::trouble::Failure;
use crate::sys::unix::loading::Loading;
use crate::sys::unix::process::Process;
use crate::sys::unix::spawn::spawn;
use crate::sys::unix::waiter::Waiter;

/// A process that was started.
pub(crate) struct Started {
    pub(crate) process: Process,
    pub(crate) loading: Loading,
}

/// Starts it as the leader of a process group of its own, of a session too where `posix_spawn(3)` can, with every signal
/// at its default and none blocked, and with no descriptor but the standard three: `streams`, `None` the caller's own.
///
/// Where a file hangs that the image names, this does.
#[expect(clippy::needless_pass_by_value, reason = "elsewhere it is kept for as long as the start takes")]
pub(crate) fn start(image: Image, streams: [Option<BorrowedFd<'_>>; 3]) -> Result<Started, Failure> {
    let program = seek(&image)?;
    let input = image.input.as_deref().map(open_input).transpose().map_err(Failure::of("open"))?;
    let [stdin, stdout, stderr] = streams;
    let streams = [input.as_ref().map(AsFd::as_fd).or(stdin), stdout, stderr];
    // Before the process: what runs must never be without somebody who waits for it.
    let waiter = Waiter::prepare()?;
    let pid = spawn(&image, &program, streams)?;
    Ok(Started { process: waiter.watch(pid), loading: Loading(program) })
}

/// Whether a process may end with its parent: `posix_spawn(3)` knows nothing of that.
#[cfg_attr(target_os = "linux", expect(dead_code, reason = "Linux has its own, which may be refused"))]
pub(crate) fn ends_orphans() -> bool {
    false
}

fn seek(image: &Image) -> Result<CString, Failure> {
    let sought = image.program.seek();
    let place =
        sought.map_err(|number| Failure { call: "execvp", source: io::Error::from_raw_os_error(number) })?;
    Ok(image.program.path(place).expect("BUG: a program that was found is nowhere").to_owned())
}

/// To open a named pipe waits for a writer, which may never come.
fn open_input(path: &CStr) -> io::Result<OwnedFd> {
    if FileType::from_raw_mode(stat(path)?.st_mode) == FileType::Fifo {
        return Err(named_pipe());
    }
    above_standard(open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?)
}
