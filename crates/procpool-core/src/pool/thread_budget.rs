//! How many worker threads a run may have if the machine has less room than the limit asks for (pure), and a way to
//! start a thread that the run can't do without.
//!
//! If the machine is short of tasks (`ulimit -u`, a cgroup's `pids.max`), each worker takes the place of a process:
//! workers that grew until nothing more fits would have no process to run. So after a shortage half of the
//! workers leave, which leaves as much room for processes as for threads.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::process::retry::{OtherJobs, StartRetries};
use crate::sys;

/// Counts the workers, and says how many there may be.
#[derive(Debug)]
pub(crate) struct ThreadBudget {
    present: usize,
    most: usize,
    /// The upper bound: what the limit asks for.
    asked: usize,
    /// When `most` may rise again after a thread was refused.
    rises: Option<Instant>,
}

/// How long `most` stays after a refused thread, and after each rise by a quarter.
const WHILE: Duration = Duration::from_millis(250);

/// What a worker does with a job that the machine had no room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ShortageResponse {
    /// Try again: other workers leave and make room.
    TryAgain,
    /// Leave, and give the job back to the remaining workers.
    Leave,
    /// It is the only worker, so nobody can make room: accept the outcome.
    Accept,
}

impl ThreadBudget {
    pub(crate) fn new(most: usize) -> ThreadBudget {
        ThreadBudget { present: 0, most, asked: most, rises: None }
    }

    pub(crate) fn present(&self) -> usize {
        self.present
    }

    /// Whether to start another worker, given the number of running jobs.
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

    /// The thread of another worker was refused. Half of the present workers are to leave as they become free.
    pub(crate) fn thread_refused(&mut self, now: Instant) {
        self.shrink_from(self.present);
        self.rises = Some(now + WHILE);
    }

    /// A process was refused since there were `before` workers.
    pub(crate) fn process_refused(&mut self, before: usize) -> ShortageResponse {
        if before <= 1 {
            return ShortageResponse::Accept;
        }
        self.shrink_from(before);
        if self.leave_if_surplus() { ShortageResponse::Leave } else { ShortageResponse::TryAgain }
    }

    /// Whether a free worker has to leave. It no longer counts then.
    pub(crate) fn leave_if_surplus(&mut self) -> bool {
        let leaves = self.present > self.most;
        self.present -= usize::from(leaves);
        leaves
    }

    /// Never below one, and only once for the same `count`, however many workers report it.
    fn shrink_from(&mut self, count: usize) {
        self.most = self.most.min((count / 2).max(1));
    }
}

/// The memory that must remain beside a thread without which there is no run.
const LEFT: usize = 1 << 20;

/// Starts a thread, retrying for about 2 s. It is called before the run exists, so only the caller waits.
pub(crate) fn start_patiently<T: Send + 'static>(
    name: &str,
    act: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    // A failed attempt drops its closure, so `act` must be shared.
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
