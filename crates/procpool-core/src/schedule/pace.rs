//! The least time between two starts.
//! Knows nothing of what is started.

use std::time::{Duration, Instant};

use crate::schedule::time::later;

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
