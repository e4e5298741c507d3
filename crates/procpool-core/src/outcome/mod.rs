//! What came of a job: data, never an error of the run.
//! Knows nothing of how it came about; `process.rs` finds out.

pub(crate) mod event;
pub(crate) mod results;
pub(crate) mod snapshot;

use std::borrow::Cow;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::data::shown::Shown;
use crate::data::status::Signal;
use crate::data::status::{Status, Usage};
use crate::spool::Spool;
use crate::sys;

/// What came of a job: it ran, with all that there is to know then, or it was not started, and why.
#[derive(Debug)]
pub enum Outcome {
    /// It was started and has ended. Boxed: the one-word variants should not pay for its size.
    Ran(Box<Ran>),
    /// No process of it ever ran.
    NotStarted(NotStarted),
    /// It may have run, and nobody will ever know what came of it: what was to run it, elsewhere, is gone. Says why.
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
    /// How long it took, by the monotonic clock, from before its start until its process was gone and its
    /// output was closed or given up.
    pub elapsed: Duration,
    /// What it used.
    pub usage: Usage,
    /// Its standard output; empty where it was not captured.
    pub stdout: Spool,
    /// Its standard error; empty where it was not captured.
    pub stderr: Spool,
    /// Who killed it, where more is known of that than [`end`](Ran::end) says.
    pub killer: Option<Killer>,
    /// Whether a descendant still held its output open after its own process had ended. A process that can't be its own is
    /// not held against it, as one that this program has forked meanwhile.
    pub leaked: bool,
    /// Those of its processes that could not be killed within 2 s, though it was ended or its leak was to be killed: as a
    /// rule they are another user's. Nothing else of it lives, as far as the kernel tells of a job's descendants. The process that
    /// the job is itself is one of them where it was killed and has not ended within 5 s: it waits in the kernel, for a file server
    /// that doesn't answer as a rule, and will end when that has. Its status is that of the KILL then.
    pub survivors: Vec<Survivor>,
    /// Whether it had not become its program yet when it was ended: the program, its directory or the file of its
    /// input is on a file system that doesn't answer, say.
    pub start_hung: bool,
    /// What went wrong while its output was stored; then the output is incomplete and the job no success.
    pub lost: Option<io::Error>,
}

/// A process that was left of a job and could not be killed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survivor {
    /// Its number.
    pub pid: u32,
    /// The name of its program, as much as the kernel keeps of it.
    pub program: String,
}

/// How a job that was started ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself, or by somebody else's signal.
    Itself(Status),
    /// It was ended because its time was up. The status is how its process took that.
    TimedOut(Status),
    /// It was ended because the run was stopped. The status is how its process took that.
    Stopped(Status),
    /// Nobody knows: other code of this program has taken its status (`SIGCHLD` is ignored or its handler calls `waitpid(-1)`, say).
    /// Such a job counts as lost, and has its outputs.
    Unknown,
}

/// Why nobody knows how a process ended.
const TAKEN: &str = "its exit status was taken by other code of this program: \
    SIGCHLD is ignored, or something waits for any child";

/// Who killed a job that was ended by a signal and not by its runner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Killer {
    /// The kernel, because its memory cgroup or the whole machine was out of memory.
    ///
    /// That is concluded: a KILL came that the runner didn't send, and the kernel's count of such kills in this
    /// program's memory cgroup (else of the machine) has risen meanwhile. Where a descendant of a job was the
    /// one that was killed, or the job has moved to another cgroup, it is not known. Where another process of
    /// the cgroup was, and somebody else kills a job by hand before the next time that it is looked, it is wrong.
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

/// Why a process could not be started: what was the trouble, and the system's words for it.
#[derive(Debug)]
pub struct SpawnError {
    /// What the trouble was with.
    pub subject: Subject,
    /// The system's error.
    pub source: io::Error,
}

/// What a [`SpawnError`] is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The program is nowhere, or can't be executed.
    Program(OsString),
    /// The program is a script, and the interpreter that its first line names is missing.
    Interpreter {
        /// The script.
        script: PathBuf,
        /// What stands after its `#!`.
        interpreter: OsString,
    },
    /// The directory to run in can't be entered.
    Directory(PathBuf),
    /// The standard input could not be opened or made.
    Stdin(PathBuf),
    /// The system had no room for another process, descriptor or thread.
    Machine,
    /// `/dev/null`, which is the standard input of jobs that have no other, can't be opened.
    Null,
    /// A call of the system that every start needs has failed, or what stands for it here, and there is no other way left:
    /// its name.
    Call(Cow<'static, str>),
}

impl Ran {
    /// A job that ended like this, just now, in no time, without output: the start for a
    /// [`Runner`](crate::Runner) that fills in what it knows.
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
    /// Whether the job ended by itself with exit code 0 and all of its output is there.
    #[must_use]
    pub fn is_success(&self) -> bool {
        match self {
            Outcome::Ran(ran) => ran.end == End::Itself(Status::Exited(0)) && ran.lost.is_none(),
            Outcome::NotStarted(_) | Outcome::Lost(_) => false,
        }
    }

    /// The job's status as one number, in the shell's words: its exit code; 128 + n where signal n killed
    /// it; 124 timed out; 127 program not found; 126 found but can't be executed. A job that was stopped
    /// never has 0, whatever its process made of the signal: then it is 143. `None` where its turn never came, or
    /// where it is not known.
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

    /// Whether the machine had no room for it, which may be otherwise once others have ended.
    pub(crate) fn wants_room(&self) -> bool {
        match self {
            Outcome::NotStarted(NotStarted::Spawn(SpawnError { subject: Subject::Machine, source })) => {
                sys::is_shortage(source)
            }
            _ => false,
        }
    }

    /// Why nobody will ever know what came of it; `None` where that is known.
    #[must_use]
    pub fn lost(&self) -> Option<&str> {
        match self {
            Outcome::Ran(ran) if ran.end == End::Unknown => Some(TAKEN),
            Outcome::Lost(why) => Some(why),
            Outcome::Ran(_) | Outcome::NotStarted(_) => None,
        }
    }

    /// What there is to know of a job that ran; `None` where it was not started.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(end: End) -> Outcome {
        Ran::new(end).into()
    }

    #[test]
    fn success_is_only_an_end_by_itself_with_code_0() {
        let zero = Status::Exited(0);
        assert!(outcome(End::Itself(zero)).is_success());
        assert!(!outcome(End::TimedOut(zero)).is_success());
        assert!(!outcome(End::Stopped(zero)).is_success());
        assert!(!outcome(End::Itself(Status::Exited(1))).is_success());
        assert!(!Outcome::from(NotStarted::NeverReached).is_success());
    }

    #[test]
    fn a_job_that_was_killed_for_want_of_memory_says_so_and_keeps_its_status() {
        let mut ran = Ran::new(End::Itself(Status::Signalled(Signal::KILL)));
        ran.killer = Some(Killer::OutOfMemory);
        let outcome = Outcome::from(ran);
        assert_eq!(outcome.to_string(), "killed by SIGKILL, out of memory");
        assert_eq!(outcome.status(), Some(137));
    }

    #[test]
    fn what_lives_on_of_a_job_is_named() {
        let mut ran = Ran::new(End::TimedOut(Status::Signalled(Signal::KILL)));
        ran.survivors = vec![Survivor { pid: 4711, program: "su".to_owned() }];
        assert_eq!(
            Outcome::from(ran).to_string(),
            "timed out (killed by SIGKILL), su lives on as process 4711"
        );
    }

    #[test]
    fn a_job_whose_start_hung_says_so_and_is_ended_like_any() {
        let mut ran = Ran::new(End::TimedOut(Status::Signalled(Signal::TERM)));
        ran.start_hung = true;
        let outcome = Outcome::from(ran);
        assert_eq!(outcome.to_string(), "timed out (killed by SIGTERM), its start hung");
        assert_eq!(outcome.status(), Some(124));
    }

    #[test]
    fn a_job_whose_output_was_lost_is_no_success() {
        let mut ran = Ran::new(End::Itself(Status::Exited(0)));
        ran.lost = Some(io::Error::from(io::ErrorKind::StorageFull));
        assert!(!Outcome::from(ran).is_success());
    }

    #[test]
    fn the_status_number_is_the_shells_and_0_only_for_success() {
        let killed = Status::Signalled(Signal::KILL);
        assert_eq!(outcome(End::Itself(Status::Exited(255))).status(), Some(255));
        assert_eq!(outcome(End::Itself(killed)).status(), Some(137));
        assert_eq!(outcome(End::TimedOut(Status::Exited(0))).status(), Some(124));
        assert_eq!(outcome(End::Stopped(Status::Exited(0))).status(), Some(143));
        assert_eq!(outcome(End::Stopped(killed)).status(), Some(137));
        assert_eq!(Outcome::from(NotStarted::NeverReached).status(), None);
    }

    #[test]
    fn a_missing_program_is_127_and_all_else_that_hinders_a_start_126() {
        let status = |subject, kind| {
            let source = io::Error::from(kind);
            Outcome::from(NotStarted::Spawn(SpawnError { subject, source })).status()
        };
        let (missing, denied) = (io::ErrorKind::NotFound, io::ErrorKind::PermissionDenied);
        assert_eq!(status(Subject::Program("x".into()), missing), Some(127));
        assert_eq!(status(Subject::Program("x".into()), denied), Some(126));
        assert_eq!(status(Subject::Directory("x".into()), missing), Some(126));
    }
}
