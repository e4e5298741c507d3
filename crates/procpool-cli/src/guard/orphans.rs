//! Processes that jobs have left behind and that this process has adopted.
//! Knows nothing of the jobs' own processes: those are children of other threads, and reaped by others.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

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
        match fs::read(format!("/proc/{pid}/environ")) {
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

/// Whether a process has no place for an environment, which is another thing than an empty one.
fn is_changing(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    is_changing_in(&stat)
}

/// See proc(5): after the name, which ends with the last parenthesis, come the state, as the third field of all,
/// and where the environment ends, as the 51st.
fn is_changing_in(stat: &str) -> bool {
    let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields);
    let mut fields = fields.split(' ');
    let state = fields.next().unwrap_or_default();
    !matches!(state, "" | "Z" | "X") && fields.nth(47) == Some("0")
}

fn reap(pid: Pid) {
    // Not yet ended, or another look was faster.
    let _ = waitpid(Some(pid), WaitOptions::NOHANG);
}

/// The children of all threads of this process but those with these numbers: jobs that are just being started.
/// Nobody reaps those, so that their numbers can't be anybody else's.
pub(super) fn children_of_all_threads(known: &[u32]) -> Vec<Pid> {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let numbers: Vec<i32> = lists
        .flat_map(|list| {
            list.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<i32>>()
        })
        .collect();
    let unknown = |pid: &i32| !known.contains(&pid.unsigned_abs());
    numbers.into_iter().filter(unknown).filter_map(Pid::from_raw).collect()
}

/// The children of a process's first thread, ended ones included.
///
/// # Errors
/// Where the kernel doesn't tell: it was built without it (proc(5), `CONFIG_PROC_CHILDREN`), or `/proc` is missing.
pub(super) fn children_of(process: Pid) -> io::Result<Vec<Pid>> {
    let list = fs::read_to_string(format!("/proc/{process}/task/{process}/children"))?;
    Ok(list.split_ascii_whitespace().filter_map(|pid| pid.parse().ok().and_then(Pid::from_raw)).collect())
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

    #[test]
    fn who_has_no_place_for_an_environment_and_is_no_zombie_is_changing() {
        let stat = |state: &str, environment_end: &str| {
            format!("7 (a) b) {state}{} {environment_end} 0", " 1".repeat(47))
        };
        assert!(is_changing_in(&stat("R", "0")));
        assert!(!is_changing_in(&stat("Z", "0")));
        assert!(!is_changing_in(&stat("S", "140733193388032")));
        assert!(!is_changing_in(""));
        let own = fs::read_to_string("/proc/self/stat").unwrap();
        assert!(!is_changing_in(&own));
        assert_eq!(own.rsplit_once(") ").unwrap().1.split(' ').count(), 50);
    }
}
