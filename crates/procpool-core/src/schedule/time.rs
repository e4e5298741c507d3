//! Arithmetic with moments that doesn't end where the clock does.
//! Knows no clock.

use std::time::{Duration, Instant};

/// As good as for ever, and no clock ends before it.
const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// The moment so much later, however much that is.
pub(crate) fn later(now: Instant, duration: Duration) -> Instant {
    now + duration.min(FOR_EVER)
}
