//! How many workers a run has and may have, where the machine has less room than the limit asks for: pure.
//! Knows no thread and no job.
//!
//! A worker is a thread, and where tasks are what the machine is short of (`ulimit -u`, a cgroup's `pids.max`)
//! it takes the place of a process: a crew that grew until nothing more fits would have no process to run.
//! So whoever finds no room lets half of the crew go, which leaves as much for processes as for threads.
//! A thread of the pool's own: where the machine has no room for it now, it is tried again as a job's start is.
//! What the thread does is not known here.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::process::retry::{OtherJobs, StartRetries};
use crate::sys;

/// The count of workers.
#[derive(Debug)]
pub(crate) struct ThreadBudget {
    present: usize,
    most: usize,
    /// As many as there could ever be.
    asked: usize,
    /// When there may be more again, after a thread was refused.
    rises: Option<Instant>,
}

/// After a refused thread there are no more than this for so long, and as long after each rise by a quarter.
const WHILE: Duration = Duration::from_millis(250);

/// What a worker does whose job the machine had no room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ShortageResponse {
    /// Tries again: others leave and make room.
    TryAgain,
    /// Leaves, and gives the job back for those who stay.
    Leave,
    /// It was alone, so that nobody can make room: that is the job's outcome.
    Accept,
}

impl ThreadBudget {
    pub(crate) fn new(most: usize) -> ThreadBudget {
        ThreadBudget { present: 0, most, asked: most, rises: None }
    }

    pub(crate) fn present(&self) -> usize {
        self.present
    }

    /// Whether another worker is wanted where so many jobs are under way.
    pub(crate) fn admit_another(&mut self, jobs: usize, now: Instant) -> bool {
        if self.rises.is_some_and(|rises| now >= rises) {
            self.most = self.most.saturating_add(self.most / 4 + 1).min(self.asked);
            self.rises = (self.most < self.asked).then(|| now + WHILE);
        }
        self.present < self.most.min(jobs)
    }

    pub(crate) fn join(&mut self) {
        self.present += 1;
    }

    /// There was no room for the thread of another one. Half of those present leave as they get free.
    pub(crate) fn thread_refused(&mut self, now: Instant) {
        self.shrink_from(self.present);
        self.rises = Some(now + WHILE);
    }

    /// There was no room for a process since there were `before` workers.
    pub(crate) fn process_refused(&mut self, before: usize) -> ShortageResponse {
        if before <= 1 {
            return ShortageResponse::Accept;
        }
        self.shrink_from(before);
        if self.leave_if_surplus() { ShortageResponse::Leave } else { ShortageResponse::TryAgain }
    }

    /// Whether a worker that is free leaves; it is counted out then.
    pub(crate) fn leave_if_surplus(&mut self) -> bool {
        let leaves = self.present > self.most;
        self.present -= usize::from(leaves);
        leaves
    }

    /// Never below one, and half of `count` once only, however many of them ask.
    fn shrink_from(&mut self, count: usize) {
        self.most = self.most.min((count / 2).max(1));
    }
}

/// What a thread without which there is no run leaves to all others.
const LEFT: usize = 1 << 20;

/// Starts it, and gives up only after about 2 s: the caller waits that long, before anything else of the run is there.
pub(crate) fn start_patiently<T: Send + 'static>(
    name: &str,
    act: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    // A try that fails drops what it was given.
    let act = Arc::new(Mutex::new(Some(act)));
    let mut tries = StartRetries::default();
    loop {
        let this = Arc::clone(&act);
        let run = move || {
            let act = this.lock().unwrap_or_else(PoisonError::into_inner).take();
            act.expect("BUG: a thread was started twice")()
        };
        let started = if sys::thread_has_room(LEFT) {
            thread::Builder::new().name(name.to_owned()).spawn(run)
        } else {
            Err(io::Error::from_raw_os_error(libc::ENOMEM))
        };
        match started {
            Ok(thread) => return Ok(thread),
            Err(error) => match tries.after(&error, OtherJobs::None) {
                Some(pause) => thread::sleep(pause),
                None => return Err(error),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(present: usize) -> ThreadBudget {
        let mut budget = ThreadBudget::new(present);
        (0..present).for_each(|_| budget.join());
        budget
    }

    #[test]
    fn workers_join_as_jobs_come_and_up_to_the_most() {
        let now = Instant::now();
        let mut budget = ThreadBudget::new(2);
        let joined: Vec<bool> = [1, 1, 2, 3, 4]
            .map(|jobs| {
                let wanted = budget.admit_another(jobs, now);
                if wanted {
                    budget.join();
                }
                wanted
            })
            .into();
        assert_eq!(joined, [true, false, true, false, false]);
        assert!(!budget.leave_if_surplus());
    }

    #[test]
    fn where_a_thread_is_refused_half_of_them_leave_and_none_joins() {
        let now = Instant::now();
        let mut budget = ThreadBudget::new(100);
        (0..10).for_each(|_| budget.join());
        budget.thread_refused(now);
        assert_eq!((0..10).filter(|_| budget.leave_if_surplus()).count(), 5);
        assert!(!budget.admit_another(100, now));
    }

    #[test]
    fn the_only_worker_stays_however_often_another_is_refused() {
        let now = Instant::now();
        let mut budget = ThreadBudget::new(100);
        budget.join();
        for _ in 0..3 {
            budget.thread_refused(now);
            assert!(!budget.leave_if_surplus());
        }
        assert_eq!(budget.present(), 1);
        assert!(!budget.admit_another(100, now));
    }

    #[test]
    fn a_thread_that_was_refused_once_is_asked_for_again_after_a_while() {
        let now = Instant::now();
        let mut budget = ThreadBudget::new(3);
        budget.join();
        budget.thread_refused(now);
        assert!(!budget.admit_another(3, now));
        assert!(budget.admit_another(3, now + WHILE));
        budget.join();
        assert!(!budget.admit_another(3, now + WHILE));
        assert!(budget.admit_another(3, now + 2 * WHILE));
    }

    #[test]
    fn of_all_whose_process_is_refused_half_leave_and_the_others_try_again() {
        let mut budget = budget(8);
        let answers: Vec<ShortageResponse> = (0..8).map(|_| budget.process_refused(8)).collect();
        assert_eq!(answers, [[ShortageResponse::Leave; 4], [ShortageResponse::TryAgain; 4]].concat());
    }

    #[test]
    fn where_nothing_helps_the_last_one_accepts_it() {
        let mut budget = budget(1000);
        let mut rounds = 0;
        while budget.process_refused(budget.present()) != ShortageResponse::Accept {
            let before = budget.present();
            while budget.process_refused(before) == ShortageResponse::Leave {}
            rounds += 1;
        }
        assert_eq!((budget.present(), rounds), (1, 9));
    }
}
