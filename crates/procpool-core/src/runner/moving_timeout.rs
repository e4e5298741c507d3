//! A timeout that moves while jobs run under it: the one place where a run keeps it.
//! Knows nothing of what it follows from.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Set where an attempt ends, read by all workers.
#[derive(Debug)]
pub(crate) struct MovingTimeout {
    nanoseconds: AtomicU64,
}

/// Not known yet. As a time it is 585 years.
const UNKNOWN: u64 = u64::MAX;

impl MovingTimeout {
    pub(crate) fn new() -> MovingTimeout {
        MovingTimeout { nanoseconds: AtomicU64::new(UNKNOWN) }
    }

    pub(crate) fn get(&self) -> Option<Duration> {
        match self.nanoseconds.load(Ordering::Relaxed) {
            UNKNOWN => None,
            nanoseconds => Some(Duration::from_nanos(nanoseconds)),
        }
    }

    pub(crate) fn set(&self, timeout: Option<Duration>) {
        let nanoseconds = timeout.and_then(|timeout| u64::try_from(timeout.as_nanos()).ok());
        self.nanoseconds.store(nanoseconds.unwrap_or(UNKNOWN), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_it_was_told_and_nothing_before_that() {
        let timeout = MovingTimeout::new();
        assert_eq!(timeout.get(), None);
        for set in [Duration::ZERO, Duration::from_millis(1500)] {
            timeout.set(Some(set));
            assert_eq!(timeout.get(), Some(set));
        }
        timeout.set(Some(Duration::MAX));
        assert_eq!(timeout.get(), None, "longer than the clock is for ever");
    }
}
