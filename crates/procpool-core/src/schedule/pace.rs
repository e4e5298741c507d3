//! The least time between two starts, and arithmetic on moments that can't overflow.

use std::time::{Duration, Instant};

/// Enforces the least time between two starts.
#[derive(Debug)]
pub(crate) struct Pace {
    delay: Duration,
    /// Nothing starts before this moment; `None` if nothing was started yet, or if there is no delay.
    next: Option<Instant>,
}

impl Pace {
    pub(crate) fn new(delay: Duration) -> Pace {
        Pace { delay, next: None }
    }

    /// When the next start is allowed; `None` if it is allowed now.
    pub(crate) fn holds_until(&self, now: Instant) -> Option<Instant> {
        self.next.filter(|next| now < *next)
    }

    pub(crate) fn note_start(&mut self, now: Instant) {
        if !self.delay.is_zero() {
            self.next = Some(later(now, self.delay));
        }
    }
}

/// Practically forever; adding it doesn't overflow any clock.
const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// `now + duration`, without overflow.
pub(crate) fn later(now: Instant, duration: Duration) -> Instant {
    now + duration.min(FOR_EVER)
}
