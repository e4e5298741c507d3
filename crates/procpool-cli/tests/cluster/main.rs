//! What `procpool run --on slurm` promises, a case a function, on a real cluster that is hurt on the way.
//! Does not know the code behind it: all it sees is statuses, outputs, files, and what Slurm's own commands say.
//!
//! `cargo xtask cluster test` runs all, or some by their names. Those that hurt a cluster start one of their own; the
//! others take turns on the one that is there. No case waits for time to pass: each waits for a fact. Jobs stamp each
//! of their starts by a line in a file, so what was started is counted where it happened and not where it is told.

#![expect(clippy::unwrap_used, reason = "clippy does not take the helpers of tests for tests")]

mod cancel;
mod case;
mod cluster;
mod controller;
mod equal;
mod head;
#[path = "../command/listener.rs"]
mod listener;
mod network;
mod node;
mod outcomes;
mod queue;
mod rounds;
mod running;
mod table;

use std::thread;
use std::time::{Duration, Instant};

/// Far more than any case needs on the slowest machine.
const DEADLINE: Duration = Duration::from_secs(120);

/// Waits until `fact` holds.
#[track_caller]
fn wait_for(what: &str, fact: impl FnMut() -> bool) {
    assert!(comes_true(DEADLINE, fact), "waited in vain: {what}");
}

fn comes_true(within: Duration, mut fact: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + within;
    while !fact() {
        if Instant::now() >= deadline {
            return false;
        }
        thread::sleep(Duration::from_millis(20));
    }
    true
}
