//! Waits until a condition holds.

use std::thread;
use std::time::{Duration, Instant};

/// Waits until `fact` holds, and returns whether it does.
pub(crate) fn comes_true(within: Duration, mut fact: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + within;
    while !fact() {
        if Instant::now() >= deadline {
            return false;
        }
        thread::sleep(Duration::from_millis(20));
    }
    true
}
