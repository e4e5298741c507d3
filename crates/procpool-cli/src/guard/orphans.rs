//! Processes that jobs have left behind and that this process has adopted. Jobs' own processes are not among
//! them: those are children of other threads, which reap them.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use procpool_journal::files::job_mark::{JobMark, Membership};
use procpool_journal::files::leaked_process::LeakedProcess;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

use crate::guard::children::{children_of, number};

/// The orphans of the pool. The kernel makes them children of the first thread, which starts nothing itself,
/// so they are exactly that thread's children.
pub(crate) struct Orphans {
    parent: Pid,
    /// Held while orphans are listed and then signalled or reaped, because a number that is reaped in between
    /// could be reused.
    lock: Mutex<()>,
}

/// A killed process is gone within a moment, and then its children are ours. A process with much memory takes
/// longer, but not longer than this.
const LAST_EFFORT: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_micros(500);

impl Orphans {
    /// `parent` is the caller's own process.
    pub(crate) fn new(parent: Pid) -> Orphans {
        Orphans { parent, lock: Mutex::new(()) }
    }

    /// Reaps those that have ended.
    pub(crate) fn reap(&self) {
        let _lock = self.lock();
        for pid in self.list() {
            reap(pid);
        }
    }

    /// Those that live.
    pub(super) fn left(&self) -> Vec<LeakedProcess> {
        let _lock = self.lock();
        let list = self.list();
        for pid in &list {
            reap(*pid);
        }
        list.into_iter().filter_map(|pid| LeakedProcess::look_at(number(pid))).collect()
    }

    /// Kills all of them, adds them to `ended`, and returns how many there were.
    fn kill_all(&self, ended: &mut Vec<LeakedProcess>) -> usize {
        let _lock = self.lock();
        let list = self.list();
        for pid in &list {
            let is_new = ended.iter().all(|known| known.pid != number(*pid));
            ended.extend(Some(*pid).filter(|_| is_new).and_then(|pid| LeakedProcess::look_at(number(pid))));
            let _ = kill_process(*pid, Signal::KILL);
            reap(*pid);
        }
        list.len()
    }

    /// Kills those that belong to a job, and what these leave behind in turn.
    pub(crate) fn kill_those_of(&self, mark: &JobMark) {
        let until = Instant::now() + LAST_EFFORT;
        while self.kill_marked(mark) && Instant::now() < until {
            thread::sleep(PAUSE);
        }
    }

    /// Kills all of them, and what these leave behind in turn. Returns those that are gone.
    pub(super) fn end_all(&self) -> Vec<LeakedProcess> {
        let until = Instant::now() + LAST_EFFORT;
        let mut ended = Vec::new();
        while self.kill_all(&mut ended) > 0 {
            if Instant::now() >= until {
                let left = self.left();
                ended.retain(|process: &LeakedProcess| left.iter().all(|lives| lives.pid != process.pid));
                break;
            }
            thread::sleep(PAUSE);
        }
        ended
    }

    /// Returns whether to look again.
    fn kill_marked(&self, mark: &JobMark) -> bool {
        let _lock = self.lock();
        let mut again = false;
        for pid in self.list() {
            let belongs = mark.is_on(number(pid));
            again |= belongs != Membership::No;
            if belongs == Membership::Yes {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        again
    }

    fn list(&self) -> Vec<Pid> {
        children_of(self.parent).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn reap(pid: Pid) {
    // It may not have ended yet, or was reaped by another look.
    let _ = waitpid(Some(pid), WaitOptions::NOHANG);
}
