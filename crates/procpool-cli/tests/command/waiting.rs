//! Waiting for facts, for each test binary that has a deadline.

use std::thread;
use std::time::{Duration, Instant};

use crate::{DEADLINE, PAUSE};

#[track_caller]
pub(crate) fn wait_for(what: &str, fact: impl FnMut() -> bool) {
    assert!(comes_true(DEADLINE, fact), "waited in vain: {what}");
}

pub(crate) fn comes_true(within: Duration, mut fact: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + within;
    while !fact() {
        if Instant::now() >= deadline {
            return false;
        }
        thread::sleep(PAUSE);
    }
    true
}
