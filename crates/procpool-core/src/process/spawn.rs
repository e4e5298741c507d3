//! Starts a command's process, and says what was the trouble where that fails.
//! Knows nothing of waiting for it.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{self, Stdio};
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use crate::command::{Capture, Command, EnvironmentBase, Stdin};
use crate::outcome::{SpawnError, Subject};
use crate::process::child::Child;
use crate::process::resolve::Programs;
use crate::process::stream::Stream;
use crate::spool::{Spool, SpoolFile};
use crate::sys::Pid;

/// A process that runs, and our ends of its pipes.
pub(crate) struct Spawned {
    /// When this try began, by both clocks: what earlier ones waited for room is not the job's time.
    pub(crate) began: (SystemTime, Instant),
    pub(crate) child: Child,
    pub(crate) stdout: Stream,
    pub(crate) stderr: Stream,
}

/// Starts the command in a process group of its own.
///
/// This stays on the standard library's `posix_spawn(3)` path, where the parent's memory is not copied: an
/// absolute program, no `pre_exec`, no user or group.
pub(crate) fn spawn(
    command: &Command,
    programs: &Programs,
    spool: &Arc<SpoolFile>,
) -> Result<Spawned, SpawnError> {
    let began = (SystemTime::now(), Instant::now());
    let program = resolve(command, programs)?;
    let mut prepared = process::Command::new(&*program);
    prepared.arg0(command.program()).args(command.arguments()).process_group(0);
    set_environment(&mut prepared, command);
    if let Some(directory) = command.working_directory() {
        prepared.current_dir(directory);
    }
    prepared.stdin(open_input(command.input())?);
    let (stdout, stderr) = match command.output() {
        Capture::Spool => (Stdio::piped(), Stdio::piped()),
        Capture::Inherit => (Stdio::inherit(), Stdio::inherit()),
        Capture::Discard => (Stdio::null(), Stdio::null()),
    };
    prepared.stdout(stdout).stderr(stderr);
    let mut started = prepared.spawn().map_err(|error| {
        programs.forget(command.program());
        diagnose(command, &program, error)
    })?;
    let pid =
        i32::try_from(started.id()).ok().and_then(Pid::from_raw).expect("BUG: a child without a number");
    let child = Child::new(pid).map_err(|error| unwatchable(&error))?;
    Ok(Spawned {
        began,
        child,
        stdout: stream(started.stdout.take().map(OwnedFd::from), spool),
        stderr: stream(started.stderr.take().map(OwnedFd::from), spool),
    })
}

/// A job that has a PATH of its own is looked up there. One that has none is looked up in ours: the
/// environment is about what the job sees, not about what it is.
fn resolve(command: &Command, programs: &Programs) -> Result<Arc<Path>, SpawnError> {
    let job_path = command.environment().own_value("PATH".as_ref());
    programs.find(command.program(), job_path).map_err(|source| SpawnError {
        subject: Subject::Program(command.program().to_owned()),
        source,
    })
}

fn set_environment(prepared: &mut process::Command, command: &Command) {
    if let EnvironmentBase::Empty = command.environment().base {
        prepared.env_clear();
    }
    for (name, value) in &command.environment().changes {
        match value {
            Some(value) => prepared.env(name, value),
            None => prepared.env_remove(name),
        };
    }
}

fn open_input(input: &Stdin) -> Result<Stdio, SpawnError> {
    match input {
        Stdin::Nothing => Ok(Stdio::null()),
        // A file in memory and no pipe: nobody has to feed it, a job that doesn't read it breaks nothing,
        // and no SIGPIPE can hit a caller who left that at its default.
        Stdin::Bytes(bytes) => crate::sys::memory_file(bytes).map(Stdio::from).map_err(machine),
        Stdin::File(path) => open_file(path)
            .map(Stdio::from)
            .map_err(|source| SpawnError { subject: Subject::Stdin(path.clone()), source }),
    }
}

/// Opening a named pipe waits for its writer, where no timeout and no stop would reach the job.
fn open_file(path: &Path) -> io::Result<File> {
    if fs::metadata(path)?.file_type().is_fifo() {
        let reason = "a named pipe can't be a job's standard input: let the job's command open it";
        return Err(io::Error::new(io::ErrorKind::Unsupported, reason));
    }
    File::open(path)
}

fn stream(pipe: Option<OwnedFd>, spool: &Arc<SpoolFile>) -> Stream {
    Stream::new(pipe, Spool::in_file(Arc::clone(spool)))
}

fn machine(source: io::Error) -> SpawnError {
    SpawnError { subject: Subject::Machine, source }
}

/// It ran, if only for a moment, so it must not be tried again: the error is none of those that are.
fn unwatchable(source: &io::Error) -> SpawnError {
    machine(io::Error::other(format!("no descriptor to watch it by: {source}")))
}

/// Finds out what an error of spawn is about. execve(2) and chdir(2) both say "no such file" of three
/// different things: the program, the interpreter that a script names, the directory to run in.
fn diagnose(command: &Command, program: &Path, source: io::Error) -> SpawnError {
    let subject = match source.raw_os_error() {
        Some(libc::EAGAIN | libc::ENOMEM | libc::EMFILE | libc::ENFILE) => Subject::Machine,
        _ => missing_directory(command)
            .or_else(|| missing_interpreter(command, program, &source))
            .unwrap_or_else(|| Subject::Program(command.program().to_owned())),
    };
    SpawnError { subject, source }
}

fn missing_directory(command: &Command) -> Option<Subject> {
    let directory = command.working_directory()?;
    // To enter a directory is to execute it; it need not be readable.
    let entered = crate::sys::may_execute(&directory.join("."));
    (!entered).then(|| Subject::Directory(directory.to_owned()))
}

fn missing_interpreter(command: &Command, program: &Path, source: &io::Error) -> Option<Subject> {
    if source.kind() != io::ErrorKind::NotFound {
        return None;
    }
    let script = match command.working_directory() {
        Some(directory) => directory.join(program),
        None => program.to_owned(),
    };
    // execve(2) reads no further than this either.
    let mut first = Vec::new();
    File::open(&script).ok()?.take(256).read_to_end(&mut first).ok()?;
    let line = first.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let name = line.trim_ascii().split(u8::is_ascii_whitespace).next()?;
    Some(Subject::Interpreter { script, interpreter: OsString::from_vec(name.to_vec()) })
}
