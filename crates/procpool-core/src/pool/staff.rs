//! How many workers a run has and may have, where the machine has less room than the limit asks for: pure.
//! Knows no thread and no job.
//!
//! A worker is a thread, and where tasks are what the machine is short of (`ulimit -u`, a cgroup's `pids.max`)
//! it takes the place of a process: a crew that grew until nothing more fits would have no process to run.
//! So whoever finds no room lets half of the crew go, which leaves as much for processes as for threads.

use std::time::{Duration, Instant};

/// The count of workers.
#[derive(Debug)]
pub(crate) struct Staff {
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
pub(crate) enum Refused {
    /// Tries again: others leave and make room.
    TryAgain,
    /// Leaves, and gives the job back for those who stay.
    Leave,
    /// It was alone, so that nobody can make room: that is the job's outcome.
    Accept,
}

impl Staff {
    pub(crate) fn new(most: usize) -> Staff {
        Staff { present: 0, most, asked: most, rises: None }
    }

    pub(crate) fn present(&self) -> usize {
        self.present
    }

    /// Whether another worker is wanted where so many jobs are under way.
    pub(crate) fn wants_another(&mut self, jobs: usize, now: Instant) -> bool {
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
    pub(crate) fn process_refused(&mut self, before: usize) -> Refused {
        if before <= 1 {
            return Refused::Accept;
        }
        self.shrink_from(before);
        if self.leave() { Refused::Leave } else { Refused::TryAgain }
    }

    /// Whether a worker that is free leaves; it is counted out then.
    pub(crate) fn leave(&mut self) -> bool {
        let leaves = self.present > self.most;
        self.present -= usize::from(leaves);
        leaves
    }

    /// Never below one, and half of `count` once only, however many of them ask.
    fn shrink_from(&mut self, count: usize) {
        self.most = self.most.min((count / 2).max(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn staff(present: usize) -> Staff {
        let mut staff = Staff::new(present);
        (0..present).for_each(|_| staff.join());
        staff
    }

    #[test]
    fn workers_join_as_jobs_come_and_up_to_the_most() {
        let now = Instant::now();
        let mut staff = Staff::new(2);
        let joined: Vec<bool> = [1, 1, 2, 3, 4]
            .map(|jobs| {
                let wanted = staff.wants_another(jobs, now);
                if wanted {
                    staff.join();
                }
                wanted
            })
            .into();
        assert_eq!(joined, [true, false, true, false, false]);
        assert!(!staff.leave());
    }

    #[test]
    fn where_a_thread_is_refused_half_of_them_leave_and_none_joins() {
        let now = Instant::now();
        let mut staff = Staff::new(100);
        (0..10).for_each(|_| staff.join());
        staff.thread_refused(now);
        assert_eq!((0..10).filter(|_| staff.leave()).count(), 5);
        assert!(!staff.wants_another(100, now));
    }

    #[test]
    fn the_only_worker_stays_however_often_another_is_refused() {
        let now = Instant::now();
        let mut staff = Staff::new(100);
        staff.join();
        for _ in 0..3 {
            staff.thread_refused(now);
            assert!(!staff.leave());
        }
        assert_eq!(staff.present(), 1);
        assert!(!staff.wants_another(100, now));
    }

    #[test]
    fn a_thread_that_was_refused_once_is_asked_for_again_after_a_while() {
        let now = Instant::now();
        let mut staff = Staff::new(3);
        staff.join();
        staff.thread_refused(now);
        assert!(!staff.wants_another(3, now));
        assert!(staff.wants_another(3, now + WHILE));
        staff.join();
        assert!(!staff.wants_another(3, now + WHILE));
        assert!(staff.wants_another(3, now + 2 * WHILE));
    }

    #[test]
    fn of_all_whose_process_is_refused_half_leave_and_the_others_try_again() {
        let mut staff = staff(8);
        let answers: Vec<Refused> = (0..8).map(|_| staff.process_refused(8)).collect();
        assert_eq!(answers, [[Refused::Leave; 4], [Refused::TryAgain; 4]].concat());
    }

    #[test]
    fn where_nothing_helps_the_last_one_accepts_it() {
        let mut staff = staff(1000);
        let mut rounds = 0;
        while staff.process_refused(staff.present()) != Refused::Accept {
            let before = staff.present();
            while staff.process_refused(before) == Refused::Leave {}
            rounds += 1;
        }
        assert_eq!((staff.present(), rounds), (1, 9));
    }
}
