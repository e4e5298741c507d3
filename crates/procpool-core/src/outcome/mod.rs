//! The outcome of a job: data, never an error of the run. `process` determines it for local processes.

pub(crate) mod event;
pub(crate) mod results;
pub(crate) mod snapshot;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};
use std::{fmt, io};

use crate::data::shown::Shown;
use crate::data::status::{Signal, Status, Usage};
use crate::spool::Spool;
use crate::sys;

/// What came of a job: it ran, or it was not started.
#[derive(Debug)]
pub enum Outcome {
    /// It was started and has ended. Boxed, so that the small variants don't pay for its size.
    Ran(Box<Ran>),
    /// No process was ever started for it.
    NotStarted(NotStarted),
    /// It may have run, but its outcome can't be known: the place where it ran is gone. Contains the reason.
    Lost(String),
}

/// A job that was started and has ended: how, when, at what cost, with what output.
#[derive(Debug)]
#[non_exhaustive]
pub struct Ran {
    /// How it ended.
    pub end: End,
    /// When it started, by the wall clock: for records, not for arithmetic.
    pub started: SystemTime,
    /// How long it took by the monotonic clock: from before its start until its process was gone and its output
    /// was closed or abandoned.
    pub elapsed: Duration,
    /// What it used.
    pub usage: Usage,
    /// Its standard output; empty where it was not captured.
    pub stdout: Spool,
    /// Its standard error; empty where it was not captured.
    pub stderr: Spool,
    /// Who killed it, if more is known than [`end`](Ran::end) says.
    pub killer: Option<Killer>,
    /// Whether a descendant still held its output open after its own process had ended. Processes that can't
    /// belong to the job don't count, such as one that this program forked in the meantime.
    pub leaked: bool,
    /// Processes of the job that could not be killed within 2 s although the job was ended or its leak was to be
    /// killed; usually they belong to another user. As far as the kernel lists a job's descendants, no others are
    /// alive. The job's own process is among them if it was killed and has not ended within 5 s: it is blocked in the
    /// kernel, usually by a file server that doesn't answer, and will end once that answers. The job's status is then
    /// that of the KILL.
    pub survivors: Vec<Survivor>,
    /// Whether it had not yet executed its program when it was ended. A likely cause is a file system that doesn't
    /// answer, with the program, the directory or the input file on it.
    pub start_hung: bool,
    /// The error that occurred while its output was stored. The output is then incomplete and the job not a success.
    pub lost: Option<io::Error>,
}

/// A process of a job that could not be killed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survivor {
    /// Its pid.
    pub pid: u32,
    /// The name of its program, as far as the kernel keeps it.
    pub program: String,
}

/// How a job that was started ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself, or by a signal from somebody else.
    Itself(Status),
    /// It was ended because its time was up. Contains the status with which its process then ended.
    TimedOut(Status),
    /// It was ended because the run was stopped. Contains the status with which its process then ended.
    Stopped(Status),
    /// Unknown, because other code of this program has taken its status (for example, `SIGCHLD` is ignored or its
    /// handler calls `waitpid(-1)`). The job counts as lost but has its outputs.
    Unknown,
}

/// The reason for [`End::Unknown`].
const TAKEN: &str = "its exit status was taken by other code of this program: \
    SIGCHLD is ignored, or something waits for any child";

/// Who killed a job that was ended by a signal that its runner did not send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Killer {
    /// The kernel, because the job's memory cgroup or the whole machine was out of memory.
    ///
    /// This is inferred: the job was killed by a KILL that the runner didn't send, and the kernel's count of
    /// out-of-memory kills in this program's memory cgroup (or of the machine) has risen. It goes unnoticed if a
    /// descendant of the job was killed instead, or if the job has moved to another cgroup. It is wrong if another
    /// process of the cgroup was killed and somebody kills a job by hand before the count is read again.
    OutOfMemory,
}

/// Why a job was not started.
#[derive(Debug)]
pub enum NotStarted {
    /// The attempt to start it failed.
    Spawn(SpawnError),
    /// The run was drained or stopped before its turn came.
    NeverReached,
}

/// Why a process could not be started: what failed, and the system's error.
#[derive(Debug)]
pub struct SpawnError {
    /// What the error is about.
    pub subject: Subject,
    /// The system's error.
    pub source: io::Error,
}

/// What a [`SpawnError`] is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The program doesn't exist or can't be executed.
    Program(OsString),
    /// The program is a script whose interpreter, named in its first line, doesn't exist.
    Interpreter {
        /// The script.
        script: PathBuf,
        /// The rest of the line after `#!`.
        interpreter: OsString,
    },
    /// The working directory can't be entered.
    Directory(PathBuf),
    /// The standard input could not be opened or created.
    Stdin(PathBuf),
    /// The system had no room for another process, descriptor or thread.
    Machine,
    /// `/dev/null`, the default standard input, can't be opened.
    Null,
    /// A system call that every start needs has failed, and there is no other way to start a process. Contains
    /// the name of the call.
    Call(Cow<'static, str>),
}

impl Ran {
    /// A job that ended like this just now, after no time and without output. A [`Runner`](crate::Runner) then sets
    /// the fields that it knows.
    #[must_use]
    pub fn new(end: End) -> Ran {
        Ran {
            end,
            started: SystemTime::now(),
            elapsed: Duration::ZERO,
            usage: Usage::default(),
            stdout: Spool::default(),
            stderr: Spool::default(),
            killer: None,
            leaked: false,
            survivors: Vec::new(),
            start_hung: false,
            lost: None,
        }
    }
}

impl From<Ran> for Outcome {
    fn from(ran: Ran) -> Outcome {
        Outcome::Ran(Box::new(ran))
    }
}

impl From<SpawnError> for NotStarted {
    fn from(error: SpawnError) -> NotStarted {
        NotStarted::Spawn(error)
    }
}

impl From<NotStarted> for Outcome {
    fn from(reason: NotStarted) -> Outcome {
        Outcome::NotStarted(reason)
    }
}

impl Outcome {
    /// Whether the job ended by itself with exit code 0 and its output is complete.
    #[must_use]
    pub fn is_success(&self) -> bool {
        match self {
            Outcome::Ran(ran) => ran.end == End::Itself(Status::Exited(0)) && ran.lost.is_none(),
            Outcome::NotStarted(_) | Outcome::Lost(_) => false,
        }
    }

    /// The job's status as one number, as a shell gives it: its exit code; 128 + n if signal n killed it; 124 if it
    /// timed out; 127 if the program was not found; 126 if it can't be executed. A stopped job never has 0: if its process
    /// exited with 0 on the signal, the status is 143. `None` if its turn never came or the status is not known.
    #[must_use]
    pub fn status(&self) -> Option<u8> {
        match self {
            Outcome::Ran(ran) => Some(match ran.end {
                End::TimedOut(_) => 124,
                End::Stopped(Status::Exited(0)) => Status::Signalled(Signal::TERM).number(),
                End::Itself(status) | End::Stopped(status) => status.number(),
                End::Unknown => return None,
            }),
            Outcome::NotStarted(NotStarted::Spawn(error)) => Some(error.status()),
            Outcome::NotStarted(NotStarted::NeverReached) | Outcome::Lost(_) => None,
        }
    }

    /// Whether the machine had no room for it. That may change once other jobs have ended.
    pub(crate) fn wants_room(&self) -> bool {
        match self {
            Outcome::NotStarted(NotStarted::Spawn(SpawnError { subject: Subject::Machine, source })) => {
                sys::is_shortage(source)
            }
            _ => false,
        }
    }

    /// Why the outcome can't be known; `None` if it is known.
    #[must_use]
    pub fn lost(&self) -> Option<&str> {
        match self {
            Outcome::Ran(ran) if ran.end == End::Unknown => Some(TAKEN),
            Outcome::Lost(why) => Some(why),
            Outcome::Ran(_) | Outcome::NotStarted(_) => None,
        }
    }

    /// The details of a job that ran; `None` if it was not started.
    #[must_use]
    pub fn ran(&self) -> Option<&Ran> {
        match self {
            Outcome::Ran(ran) => Some(ran),
            Outcome::NotStarted(_) | Outcome::Lost(_) => None,
        }
    }
}

impl SpawnError {
    fn status(&self) -> u8 {
        match (&self.subject, self.source.kind()) {
            (Subject::Program(_) | Subject::Interpreter { .. }, io::ErrorKind::NotFound) => 127,
            _ => 126,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Ran(ran) => {
                ran.end.fmt(f)?;
                if ran.killer == Some(Killer::OutOfMemory) {
                    f.write_str(", out of memory")?;
                }
                if ran.start_hung {
                    f.write_str(", its start hung")?;
                }
                if ran.leaked {
                    f.write_str(", leaked")?;
                }
                for survivor in &ran.survivors {
                    write!(f, ", {} lives on as process {}", survivor.program, survivor.pid)?;
                }
                match &ran.lost {
                    Some(error) => write!(f, ", output incomplete: {error}"),
                    None => Ok(()),
                }
            }
            Outcome::NotStarted(NotStarted::Spawn(error)) => write!(f, "not started: {error}"),
            Outcome::NotStarted(NotStarted::NeverReached) => f.write_str("not started: its turn never came"),
            Outcome::Lost(why) => write!(f, "lost: {}", Shown(why.as_bytes())),
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Itself(status) => status.fmt(f),
            End::TimedOut(status) => write!(f, "timed out ({status})"),
            End::Stopped(status) => write!(f, "stopped ({status})"),
            End::Unknown => write!(f, "lost: {TAKEN}"),
        }
    }
}

impl fmt::Display for SpawnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = &self.source;
        match &self.subject {
            Subject::Program(program) => write!(f, "program {program:?}: {source}"),
            Subject::Interpreter { script, interpreter } => {
                write!(f, "interpreter {interpreter:?} of script {script:?}: {source}")
            }
            Subject::Directory(directory) => write!(f, "directory {directory:?}: {source}"),
            Subject::Stdin(path) => write!(f, "standard input {path:?}: {source}"),
            Subject::Machine => write!(f, "no room for another process: {source}"),
            Subject::Null => write!(f, "/dev/null can't be opened: {source}"),
            Subject::Call(call) => write!(f, "{call}: {source}"),
        }
    }
}
