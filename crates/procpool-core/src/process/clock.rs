//! The clock for timeouts: monotonic time that is paused while jobs are stopped, beside real time.

use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

/// Measures the time that jobs had, so that a job keeps all of its timeout although somebody stopped it (Ctrl-Z) in
/// between. `CLOCK_MONOTONIC` does the same for a machine that is suspended.
#[derive(Default)]
pub(crate) struct Clock(RwLock<PausedTime>);

/// A moment by both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// By the clock that is paused while jobs are stopped.
    pub(crate) jobs: Instant,
    pub(crate) real: Instant,
}

/// When something is due, and by which clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deadline {
    /// By the clock that is paused while jobs are stopped.
    Jobs(Instant),
    /// By real time, for a job that has been asked to end and isn't stopped any more.
    Real(Instant),
}

/// How often a near deadline is checked while the clock is paused.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// How long the clock has been paused.
#[derive(Clone, Copy, Default)]
struct PausedTime {
    before: Duration,
    since: Option<Instant>,
}

impl Clock {
    pub(crate) fn now(&self) -> Moment {
        let real = Instant::now();
        Moment { jobs: self.paused().job_time(real), real }
    }

    /// When poll(2) has to return for a deadline. While the clock is paused this may be a little early or late; a caller
    /// that wakes up too early checks [`now`](Clock::now) and waits again.
    pub(crate) fn real(&self, deadline: Deadline) -> Option<Instant> {
        let deadline = match deadline {
            Deadline::Real(deadline) => return Some(deadline),
            Deadline::Jobs(deadline) => deadline,
        };
        let (now, paused) = (Instant::now(), self.paused());
        let left = deadline.saturating_duration_since(paused.job_time(now));
        now.checked_add(if paused.since.is_some() { left.max(LOOK_AGAIN) } else { left })
    }

    pub(crate) fn stop(&self) {
        let mut paused = self.0.write().unwrap_or_else(PoisonError::into_inner);
        paused.since.get_or_insert_with(Instant::now);
    }

    pub(crate) fn resume(&self) {
        let mut paused = self.0.write().unwrap_or_else(PoisonError::into_inner);
        paused.resume(Instant::now());
    }

    fn paused(&self) -> PausedTime {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Deadline {
    pub(crate) fn has_come(self, now: Moment) -> bool {
        match self {
            Deadline::Jobs(deadline) => deadline <= now.jobs,
            Deadline::Real(deadline) => deadline <= now.real,
        }
    }

    /// Converts it to a deadline by real time. `None` if that is too far away to be represented.
    pub(crate) fn on_real_clock(self, now: Moment) -> Option<Deadline> {
        match self {
            Deadline::Jobs(deadline) => {
                now.real.checked_add(deadline.saturating_duration_since(now.jobs)).map(Deadline::Real)
            }
            Deadline::Real(_) => Some(self),
        }
    }
}

impl PausedTime {
    fn job_time(self, real: Instant) -> Instant {
        let real = self.since.map_or(real, |since| since.min(real));
        // Can't underflow: it was paused for less time than the machine has been running.
        real.checked_sub(self.before).unwrap_or(real)
    }

    fn resume(&mut self, real: Instant) {
        if let Some(since) = self.since.take() {
            self.before += real.saturating_duration_since(since);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn what_it_stood_still_is_not_counted() {
        let begin = Instant::now();
        let mut paused = PausedTime::default();
        assert_eq!(paused.job_time(begin + SECOND), begin + SECOND);
        paused.since = Some(begin + SECOND);
        assert_eq!(paused.job_time(begin + 5 * SECOND), begin + SECOND);
        paused.resume(begin + 10 * SECOND);
        assert_eq!(paused.job_time(begin + 12 * SECOND), begin + 3 * SECOND);
        paused.since = Some(begin + 13 * SECOND);
        paused.resume(begin + 14 * SECOND);
        assert_eq!(paused.job_time(begin + 14 * SECOND), begin + 4 * SECOND);
    }

    #[test]
    fn a_deadline_comes_by_its_own_clock_and_may_change_to_the_real_one() {
        let real = Instant::now() + 10 * SECOND;
        let now = Moment { jobs: real.checked_sub(5 * SECOND).unwrap(), real };
        let later = Moment { real: real + 2 * SECOND, ..now };
        let due = Deadline::Jobs(now.jobs + SECOND);
        assert!(!due.has_come(later));
        let due = due.on_real_clock(now).unwrap();
        assert_eq!(due, Deadline::Real(real + SECOND));
        assert!(!due.has_come(now) && due.has_come(later));
    }

    #[test]
    fn while_it_stands_still_no_deadline_comes() {
        let clock = Clock::default();
        clock.stop();
        let before = clock.now();
        let deadline = Deadline::Jobs(before.jobs + SECOND);
        assert!(clock.real(deadline).unwrap() >= Instant::now());
        let due = Deadline::Jobs(before.jobs);
        assert!(clock.real(due).unwrap() > before.real, "whoever waits for it would not wait at all");
        let after = clock.now();
        assert_eq!(after.jobs, before.jobs);
        assert!(after.real >= before.real);
        clock.resume();
        let before = clock.now();
        assert!(clock.now().jobs >= before.jobs);
    }
}
