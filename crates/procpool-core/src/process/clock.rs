//! The time that jobs have had: a monotonic clock that stands still while they are stopped.
//! Knows nothing of who stops them or what the time is for.

use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

/// A clock by which timeouts and grace times run, so that a job has all of its time although somebody stopped
/// it (Ctrl-Z) in the middle. `CLOCK_MONOTONIC` itself does the same for a machine that sleeps.
#[derive(Default)]
pub(crate) struct Clock(RwLock<Still>);

/// How long it has stood still.
#[derive(Clone, Copy, Default)]
struct Still {
    before: Duration,
    since: Option<Instant>,
}

impl Clock {
    pub(crate) fn now(&self) -> Instant {
        self.still().clocks(Instant::now())
    }

    /// When poll(2) has to come back for a deadline by this clock. While it stands still that is a little early
    /// or late; who wakes up too early looks at [`now`](Clock::now) and waits again.
    pub(crate) fn real(&self, deadline: Instant) -> Option<Instant> {
        let now = Instant::now();
        now.checked_add(deadline.saturating_duration_since(self.still().clocks(now)))
    }

    pub(crate) fn stop(&self) {
        let mut still = self.0.write().unwrap_or_else(PoisonError::into_inner);
        still.since.get_or_insert_with(Instant::now);
    }

    pub(crate) fn go_on(&self) {
        let mut still = self.0.write().unwrap_or_else(PoisonError::into_inner);
        still.go_on(Instant::now());
    }

    fn still(&self) -> Still {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Still {
    fn clocks(self, real: Instant) -> Instant {
        let real = self.since.map_or(real, |since| since.min(real));
        // Never before the machine's start: it has stood still for less than it has run.
        real.checked_sub(self.before).unwrap_or(real)
    }

    fn go_on(&mut self, real: Instant) {
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
        let mut still = Still::default();
        assert_eq!(still.clocks(begin + SECOND), begin + SECOND);
        still.since = Some(begin + SECOND);
        assert_eq!(still.clocks(begin + 5 * SECOND), begin + SECOND);
        still.go_on(begin + 10 * SECOND);
        assert_eq!(still.clocks(begin + 12 * SECOND), begin + 3 * SECOND);
        still.since = Some(begin + 13 * SECOND);
        still.go_on(begin + 14 * SECOND);
        assert_eq!(still.clocks(begin + 14 * SECOND), begin + 4 * SECOND);
    }

    #[test]
    fn while_it_stands_still_no_deadline_comes() {
        let clock = Clock::default();
        clock.stop();
        let deadline = clock.now() + SECOND;
        assert!(clock.real(deadline).unwrap() >= Instant::now());
        assert_eq!(clock.now(), clock.now());
        clock.go_on();
        let before = clock.now();
        assert!(clock.now() >= before);
    }
}
