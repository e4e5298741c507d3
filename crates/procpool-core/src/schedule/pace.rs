//! The least time between two starts.
//! Knows nothing of what is started.
//! Arithmetic with moments that doesn't end where the clock does.
//! Knows no clock.

use std::time::{Duration, Instant};

/// Keeps starts apart.
#[derive(Debug)]
pub(crate) struct Pace {
    delay: Duration,
    /// Before that nothing is started; `None` where nothing has been yet, or nothing keeps starts apart.
    next: Option<Instant>,
}

impl Pace {
    pub(crate) fn new(delay: Duration) -> Pace {
        Pace { delay, next: None }
    }

    /// Until when the next start has to wait; `None` where it doesn't.
    pub(crate) fn holds_until(&self, now: Instant) -> Option<Instant> {
        self.next.filter(|next| now < *next)
    }

    pub(crate) fn note_start(&mut self, now: Instant) {
        if !self.delay.is_zero() {
            self.next = Some(later(now, self.delay));
        }
    }
}

/// As good as for ever, and no clock ends before it.
const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// The moment so much later, however much that is.
pub(crate) fn later(now: Instant, duration: Duration) -> Instant {
    now + duration.min(FOR_EVER)
}
