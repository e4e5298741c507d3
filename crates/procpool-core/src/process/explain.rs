//! Determines why a start has failed. execve(2) reports "no such file" for a missing program and for a missing
//! interpreter alike.

use std::ffi::{CStr, OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::data::command::{Command, Stdin};
use crate::outcome::{SpawnError, Subject};
use crate::sys::{self, Failure};

/// Explains a failed start. `program` is the path of the program, if it was found.
pub(crate) fn explain(command: &Command, program: Option<&CStr>, failure: Failure) -> SpawnError {
    let Failure { call, source } = failure;
    let subject = match call {
        "open" => Subject::Stdin(input_of(command)),
        "execvp" => Subject::Program(command.program().to_owned()),
        _ if sys::is_shortage(&source) => Subject::Machine,
        "chdir" => Subject::Directory(command.working_directory().unwrap_or(Path::new("")).to_owned()),
        "execve" => of_files(command, program, &source),
        // It doesn't say which of its calls failed. An error that only a seccomp filter or an older kernel gives can't
        // be about the command.
        "posix_spawn" if !is_of_the_system(&source) => {
            missing_directory(command).unwrap_or_else(|| of_files(command, program, &source))
        }
        _ => Subject::Call(call.into()),
    };
    SpawnError { subject, source }
}

/// An error of a call that every start needs, whatever the command.
pub(crate) fn machine(failure: Failure) -> SpawnError {
    let Failure { call, source } = failure;
    let subject = if sys::is_shortage(&source) { Subject::Machine } else { Subject::Call(call.into()) };
    SpawnError { subject, source }
}

/// An error about the program itself.
pub(crate) fn of_program(command: &Command, source: io::Error) -> SpawnError {
    SpawnError {
        subject: Subject::Program(command.program().to_owned()),
        source,
    }
}

fn input_of(command: &Command) -> PathBuf {
    match command.standard_input() {
        Stdin::File(path) => path.clone(),
        Stdin::Nothing | Stdin::Bytes(_) => PathBuf::new(),
    }
}

fn is_of_the_system(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EPERM | libc::EINVAL | libc::EBADF))
}

fn of_files(command: &Command, program: Option<&CStr>, error: &io::Error) -> Subject {
    let interpreter = program.and_then(|program| missing_interpreter(command, program, error));
    interpreter.unwrap_or_else(|| Subject::Program(command.program().to_owned()))
}

fn missing_directory(command: &Command) -> Option<Subject> {
    let directory = command.working_directory()?;
    // Entering a directory needs only execute permission; it need not be readable.
    let entered = sys::may_execute(&directory.join("."));
    (!entered).then(|| Subject::Directory(directory.to_owned()))
}

fn missing_interpreter(command: &Command, program: &CStr, source: &io::Error) -> Option<Subject> {
    if source.kind() != io::ErrorKind::NotFound {
        return None;
    }
    let program = Path::new(OsStr::from_bytes(program.to_bytes()));
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
