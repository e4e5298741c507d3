//! Starts a process by `posix_spawn(3)`, and a thread that waits for its end.
//! Where a program may be and what an error means is not known here.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, Mode, OFlags, open, stat};

use crate::sys::descriptors::above_standard;
use crate::sys::exec_spec::{ExecSpec, named_pipe};
use crate::sys::failure::Failure;
use crate::sys::unix::pending_exec::PendingExec;
use crate::sys::unix::process::ProcessHandle;
use crate::sys::unix::spawn::spawn;
use crate::sys::unix::waiter::ExitWaiter;

/// A process that was started.
pub(crate) struct StartedProcess {
    pub(crate) process: ProcessHandle,
    pub(crate) pending_exec: PendingExec,
}

/// Starts it as the leader of a process group of its own, of a session too where `posix_spawn(3)` can, with every signal
/// at its default and none blocked, and with no descriptor but the standard three: `streams`, `None` the caller's own.
///
/// Where a file hangs that the image names, this does.
#[expect(clippy::needless_pass_by_value, reason = "elsewhere it is kept for as long as the start takes")]
pub(crate) fn start(spec: ExecSpec, streams: [Option<BorrowedFd<'_>>; 3]) -> Result<StartedProcess, Failure> {
    let program = seek(&spec)?;
    let input = spec.input.as_deref().map(open_input).transpose().map_err(Failure::of("open"))?;
    let [stdin, stdout, stderr] = streams;
    let streams = [input.as_ref().map(AsFd::as_fd).or(stdin), stdout, stderr];
    // Before the process: what runs must never be without somebody who waits for it.
    let waiter = ExitWaiter::prepare()?;
    let pid = spawn(&spec, &program, streams)?;
    Ok(StartedProcess {
        process: waiter.watch(pid),
        pending_exec: PendingExec(program),
    })
}

/// Whether a process may end with its parent: `posix_spawn(3)` knows nothing of that.
#[cfg_attr(target_os = "linux", expect(dead_code, reason = "Linux has its own, which may be refused"))]
pub(crate) fn can_end_with_parent() -> bool {
    false
}

fn seek(spec: &ExecSpec) -> Result<CString, Failure> {
    let sought = spec.program.seek();
    let place =
        sought.map_err(|number| Failure { call: "execvp", source: io::Error::from_raw_os_error(number) })?;
    Ok(spec.program.path(place).expect("BUG: a program that was found is nowhere").to_owned())
}

/// To open a named pipe waits for a writer, which may never come.
fn open_input(path: &CStr) -> io::Result<OwnedFd> {
    if FileType::from_raw_mode(stat(path)?.st_mode) == FileType::Fifo {
        return Err(named_pipe());
    }
    above_standard(open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?)
}
