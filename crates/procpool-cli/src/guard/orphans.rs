//! Processes that jobs have left behind and that this process has adopted.
//! Knows nothing of the jobs' own processes: those are children of other threads, and reaped by others.

use std::ffi::{OsStr, OsString};
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

use crate::proc;

/// The orphans of the pool. The kernel gives them to the first thread of a process, which starts nothing itself,
/// so that thread's list of children is exactly them.
pub(crate) struct Orphans {
    parent: Pid,
    /// Held while they are listed and signalled or reaped: a number that was reaped in between could be somebody
    /// else's.
    hands: Mutex<()>,
}

/// What tells the processes of one attempt of a job from all others: a variable of their environment that says
/// within which job of which run they are, and within which that was started itself, outermost first.
pub(crate) struct Mark {
    /// `RUN:SEQ:ATTEMPT`.
    pub(crate) job: String,
}

/// The variable.
pub(crate) const MARK: &str = "PROCPOOL_WITHIN";

/// A process that was killed is gone within a moment, and then its children are ours. One with much memory takes
/// longer, but no longer than this.
const LAST_EFFORT: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_micros(500);

/// What can be told of a process that may belong to a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Belongs {
    Yes,
    No,
    /// It has no environment at this moment: it is dying, and its children are not yet ours, or it is just
    /// becoming another program.
    NotKnown,
}

impl Orphans {
    /// Those of the process with this number, which is the caller's own.
    pub(crate) fn new(parent: Pid) -> Orphans {
        Orphans { parent, hands: Mutex::new(()) }
    }

    /// Reaps those that have ended.
    pub(crate) fn reap(&self) {
        let _hands = self.hands();
        for pid in self.list() {
            reap(pid);
        }
    }

    /// Kills all of them and says how many there were.
    pub(crate) fn kill_all(&self) -> usize {
        let _hands = self.hands();
        let list = self.list();
        for pid in &list {
            let _ = kill_process(*pid, Signal::KILL);
            reap(*pid);
        }
        list.len()
    }

    /// Kills those that belong to a job, and what they leave behind in turn.
    pub(crate) fn kill_those_of(&self, mark: &Mark) {
        let until = Instant::now() + LAST_EFFORT;
        while self.kill_marked(mark) && Instant::now() < until {
            thread::sleep(PAUSE);
        }
    }

    /// Kills all, and what they leave behind in turn.
    pub(crate) fn end_all(&self) {
        let until = Instant::now() + LAST_EFFORT;
        while self.kill_all() > 0 && Instant::now() < until {
            thread::sleep(PAUSE);
        }
    }

    /// Says whether it is worth another look.
    fn kill_marked(&self, mark: &Mark) -> bool {
        let _hands = self.hands();
        let mut again = false;
        for pid in self.list() {
            let belongs = mark.is_on(pid);
            again |= belongs != Belongs::No;
            if belongs == Belongs::Yes {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        again
    }

    fn list(&self) -> Vec<Pid> {
        children_of(self.parent).unwrap_or_default()
    }

    fn hands(&self) -> MutexGuard<'_, ()> {
        self.hands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Mark {
    /// The variable's value for a job of a procpool that runs within others.
    pub(crate) fn within(&self, others: &OsStr) -> OsString {
        let mut value = others.to_owned();
        if !value.is_empty() {
            value.push(" ");
        }
        value.push(&self.job);
        value
    }

    fn is_on(&self, pid: Pid) -> Belongs {
        match proc::environment(number(pid)) {
            Ok(environment) if self.is_in(&environment) => Belongs::Yes,
            // Of one that has no memory any more there is nothing to open (ESRCH).
            _ if is_changing(pid) => Belongs::NotKnown,
            // Another user's can't be read, and can't be killed either.
            _ => Belongs::No,
        }
    }

    fn is_in(&self, environment: &[u8]) -> bool {
        let value = |variable| <[u8]>::strip_prefix(variable, MARK.as_bytes())?.strip_prefix(b"=");
        let marks = environment.split(|byte| *byte == 0).find_map(value).unwrap_or_default();
        marks.split(|byte| *byte == b' ').any(|mark| mark == self.job.as_bytes())
    }
}

/// Whether a process has no place for an environment.
fn is_changing(pid: Pid) -> bool {
    proc::stat(number(pid)).is_some_and(|stat| !stat.has_ended && !stat.has_environment)
}

pub(super) fn number(pid: Pid) -> u32 {
    pid.as_raw_nonzero().get().unsigned_abs()
}

fn reap(pid: Pid) {
    // Not yet ended, or another look was faster.
    let _ = waitpid(Some(pid), WaitOptions::NOHANG);
}

/// The children of all threads of this process but those with these numbers: jobs that are just being started.
/// Nobody reaps those, so that their numbers can't be anybody else's.
pub(super) fn children_of_all_threads(known: &[u32]) -> Vec<Pid> {
    let unknown = proc::children(std::process::id()).into_iter().filter(|pid| !known.contains(pid));
    unknown.filter_map(pid_of).collect()
}

/// The children of a process's first thread, ended ones included.
///
/// # Errors
/// Where that can't be known.
pub(super) fn children_of(process: Pid) -> io::Result<Vec<Pid>> {
    let children = proc::children_of_first_thread(number(process))?;
    Ok(children.into_iter().filter_map(pid_of).collect())
}

fn pid_of(number: u32) -> Option<Pid> {
    i32::try_from(number).ok().and_then(Pid::from_raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_found_on_any_level_and_only_whole() {
        let mark = Mark { job: "r:1:1".into() };
        let is_in = |environment: &str| mark.is_in(environment.as_bytes());
        assert!(is_in("A=1\0PROCPOOL_WITHIN=r:1:1\0B=2\0"));
        assert!(is_in("PROCPOOL_WITHIN=q:7:1 r:1:1 s:3:2"));
        assert!(!is_in("PROCPOOL_WITHIN=r:1:12\0"));
        assert!(!is_in("PROCPOOL_WITHIN=\0OTHER=r:1:1\0"));
        assert!(!is_in(""));
    }
}
