//! Starts a process by `posix_spawn(3)`, with a thread that waits for its end. It returns only after the exec, so that is
//! never pending.

use std::ffi::{CStr, CString, c_char, c_int};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::{io, ptr};

use rustix::fs::{FileType, Mode, OFlags, open, stat};
use rustix::process::Pid;

use crate::sys::descriptors::{above_standard, end_of_descriptors};
#[cfg(not(target_os = "linux"))]
use crate::sys::exec_spec::ExecProgress;
use crate::sys::exec_spec::{ExecSpec, named_pipe};
use crate::sys::failure::Failure;
use crate::sys::unix::process::{ExitWaiter, ProcessHandle};

// Same name as `linux::start::StartedProcess`: `sys` uses the one of its system.
/// A process that was started.
pub(crate) struct StartedProcess {
    pub(crate) process: ProcessHandle,
    pub(crate) pending_exec: PendingExec,
}

/// Starts a process as the leader of a process group of its own, and of a session if `posix_spawn(3)` supports that. Every
/// signal has its default action and none is blocked. It has only the three standard descriptors: `streams`, with `None`
/// for the caller's own.
///
/// If looking up a file of the command hangs, this call hangs.
#[expect(clippy::needless_pass_by_value, reason = "elsewhere it is kept for as long as the start takes")]
pub(crate) fn start(spec: ExecSpec, streams: [Option<BorrowedFd<'_>>; 3]) -> Result<StartedProcess, Failure> {
    let program = seek(&spec)?;
    let input = spec.input.as_deref().map(open_input).transpose().map_err(Failure::of("open"))?;
    let [stdin, stdout, stderr] = streams;
    let streams = [input.as_ref().map(AsFd::as_fd).or(stdin), stdout, stderr];
    // Before the process: there must never be a process that nobody waits for.
    let waiter = ExitWaiter::prepare()?;
    let pid = spawn(&spec, &program, streams)?;
    Ok(StartedProcess {
        process: waiter.watch(pid),
        pending_exec: PendingExec(program),
    })
}

/// `posix_spawn(3)` can't make a process end with its parent.
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

/// Opens the input file. A named pipe is refused, because opening it waits for a writer.
fn open_input(path: &CStr) -> io::Result<OwnedFd> {
    if FileType::from_raw_mode(stat(path)?.st_mode) == FileType::Fifo {
        return Err(named_pipe());
    }
    above_standard(open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?)
}

/// `posix_spawn(3)` starts a session if the C library has a flag for that, else a process group.
#[cfg(target_os = "linux")]
const OWN_GROUP: c_int = libc::POSIX_SPAWN_SETSID as c_int;
#[cfg(target_vendor = "apple")]
// From spawn.h; the libc crate lacks it.
const OWN_GROUP: c_int = 0x0400 | libc::POSIX_SPAWN_CLOEXEC_DEFAULT as c_int;
#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
const OWN_GROUP: c_int = libc::POSIX_SPAWN_SETPGROUP as c_int;

/// Starts the process, and returns its pid.
pub(crate) fn spawn(
    spec: &ExecSpec,
    program: &CStr,
    streams: [Option<BorrowedFd<'_>>; 3],
) -> Result<Pid, Failure> {
    let failed = Failure::of("posix_spawn");
    let actions = FileActions::of(spec, streams).map_err(&failed)?;
    let attributes = SpawnAttributes::new().map_err(&failed)?;
    let arguments = spec.argument_pointers();
    let environment = spec.environment_pointers();
    let mut pid = 0;
    // SAFETY: all that is pointed to lives until the call returns. Both lists end with a null pointer, and posix_spawn(3)
    // writes to none of their strings.
    #[expect(unsafe_code, reason = "std starts no session and resets no signals without fork(2)")]
    let error = unsafe {
        libc::posix_spawn(
            &raw mut pid,
            program.as_ptr(),
            actions.0.as_ptr(),
            attributes.0.as_ptr(),
            arguments.as_ptr().cast::<*mut c_char>(),
            environment.as_ptr().cast::<*mut c_char>(),
        )
    };
    check(error).map_err(failed)?;
    Ok(Pid::from_raw(pid).expect("BUG: a child without a number"))
}

/// Converts the result of calls that return an error number.
fn check(error: c_int) -> io::Result<()> {
    match error {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

struct FileActions(MaybeUninit<libc::posix_spawn_file_actions_t>);

#[expect(unsafe_code, reason = "no library has posix_spawn's file actions")]
impl FileActions {
    fn of(spec: &ExecSpec, streams: [Option<BorrowedFd<'_>>; 3]) -> io::Result<FileActions> {
        let mut actions = MaybeUninit::uninit();
        // SAFETY: this call initialises it, and it is dropped from here on.
        check(unsafe { libc::posix_spawn_file_actions_init(actions.as_mut_ptr()) })?;
        let mut actions = FileActions(actions);
        for (target, stream) in (0..).zip(streams) {
            actions.duplicate(stream, target)?;
        }
        actions.close_others()?;
        if let Some(directory) = &spec.directory {
            actions.change_directory(directory)?;
        }
        Ok(actions)
    }

    fn duplicate(&mut self, stream: Option<BorrowedFd<'_>>, target: c_int) -> io::Result<()> {
        let source = match stream {
            Some(stream) => stream.as_raw_fd(),
            // Duplicated to itself: descriptors that are not mentioned are closed (POSIX_SPAWN_CLOEXEC_DEFAULT).
            None if cfg!(target_vendor = "apple") => target,
            None => return Ok(()),
        };
        // SAFETY: the actions are initialised; the call copies two integers.
        check(unsafe { libc::posix_spawn_file_actions_adddup2(self.0.as_mut_ptr(), source, target) })
    }

    /// Closes also descriptors with close-on-exec: on a busy machine the child holds copies of other jobs' pipes until the exec,
    /// which looks like a leak.
    #[cfg(not(target_vendor = "apple"))]
    fn close_others(&mut self) -> io::Result<()> {
        for fd in 3..end_of_descriptors() {
            // SAFETY: F_GETFD touches no memory, and fails where nothing is open.
            if unsafe { libc::fcntl(fd, libc::F_GETFD) } != -1 {
                // SAFETY: the actions are initialised; the call copies an integer. Closing a closed descriptor is no error.
                check(unsafe { libc::posix_spawn_file_actions_addclose(self.0.as_mut_ptr(), fd) })?;
            }
        }
        Ok(())
    }

    #[cfg(target_vendor = "apple")]
    fn close_others(&mut self) -> io::Result<()> {
        let _ = end_of_descriptors;
        Ok(())
    }

    fn change_directory(&mut self, directory: &CStr) -> io::Result<()> {
        #[cfg(target_os = "freebsd")]
        // The libc crate lacks it.
        unsafe extern "C" {
            fn posix_spawn_file_actions_addchdir_np(
                actions: *mut libc::posix_spawn_file_actions_t,
                path: *const c_char,
            ) -> c_int;
        }
        #[cfg(not(target_os = "freebsd"))]
        use libc::posix_spawn_file_actions_addchdir_np;
        // SAFETY: the actions are initialised; the call copies the path.
        check(unsafe { posix_spawn_file_actions_addchdir_np(self.0.as_mut_ptr(), directory.as_ptr()) })
    }
}

impl Drop for FileActions {
    fn drop(&mut self) {
        // SAFETY: it was initialised.
        #[expect(unsafe_code, reason = "no library has posix_spawn's file actions")]
        unsafe {
            libc::posix_spawn_file_actions_destroy(self.0.as_mut_ptr());
        }
    }
}

struct SpawnAttributes(MaybeUninit<libc::posix_spawnattr_t>);

#[expect(unsafe_code, reason = "no library has posix_spawn's attributes")]
impl SpawnAttributes {
    fn new() -> io::Result<SpawnAttributes> {
        let flags = OWN_GROUP | libc::POSIX_SPAWN_SETSIGDEF as c_int | libc::POSIX_SPAWN_SETSIGMASK as c_int;
        let mut attributes = MaybeUninit::uninit();
        // SAFETY: this call initialises it, and it is dropped from here on.
        check(unsafe { libc::posix_spawnattr_init(attributes.as_mut_ptr()) })?;
        let mut attributes = SpawnAttributes(attributes);
        let it = attributes.0.as_mut_ptr();
        let mut all = MaybeUninit::<libc::sigset_t>::uninit();
        let mut none = MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: the attributes are initialised, both sets are filled in before they are read, and everything is copied.
        unsafe {
            libc::sigfillset(all.as_mut_ptr());
            if cfg!(target_os = "linux") {
                // Including the two signals that the C library reserves and would leave ignored in the child.
                ptr::write_bytes(all.as_mut_ptr(), 0xff, 1);
            }
            libc::sigemptyset(none.as_mut_ptr());
            check(libc::posix_spawnattr_setsigdefault(it, all.as_ptr()))?;
            check(libc::posix_spawnattr_setsigmask(it, none.as_ptr()))?;
            check(libc::posix_spawnattr_setpgroup(it, 0))?;
            #[expect(clippy::cast_possible_truncation, reason = "the flags are made for this type")]
            check(libc::posix_spawnattr_setflags(it, flags as libc::c_short))?;
        }
        Ok(attributes)
    }
}

impl Drop for SpawnAttributes {
    fn drop(&mut self) {
        // SAFETY: it was initialised.
        #[expect(unsafe_code, reason = "no library has posix_spawn's attributes")]
        unsafe {
            libc::posix_spawnattr_destroy(self.0.as_mut_ptr());
        }
    }
}

// Same name as `linux::start::PendingExec`: `sys` uses the one of its system.
/// A process that has executed its program.
pub(crate) struct PendingExec(pub(crate) CString);

impl PendingExec {
    /// The path of the program.
    #[expect(clippy::unnecessary_wraps, reason = "elsewhere it is found later")]
    pub(crate) fn program(&self) -> Option<&CStr> {
        Some(&self.0)
    }

    /// Whether it has executed its program.
    #[cfg(not(target_os = "linux"))]
    #[expect(clippy::unused_self, reason = "elsewhere there is something to tell")]
    pub(crate) fn progress(&self) -> ExecProgress {
        ExecProgress::Done
    }
}
