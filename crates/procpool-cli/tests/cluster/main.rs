//! What `procpool run --on slurm` promises, a case a function, on a real cluster that is hurt on the way.
//! Does not know the code behind it: all it sees is statuses, outputs, files, and what Slurm's own commands say.
//!
//! `cargo xtask cluster test` runs all, or some by their names. Those that hurt a cluster start one of their own; the
//! others take turns on the one that is there. No case waits for time to pass: each waits for a fact. Jobs stamp each
//! of their starts by a line in a file, so what was started is counted where it happened and not where it is told.

#![expect(clippy::disallowed_methods, reason = "a path in a test is its own")]
#![expect(clippy::unwrap_used, reason = "clippy does not take the helpers of tests for tests")]

mod cancel;
mod case;
mod cluster;
mod controller;
mod equal;
mod head;
mod leaving;
#[path = "../command/listener.rs"]
mod listener;
mod moments;
mod network;
mod node;
mod outcomes;
mod queue;
mod rounds;
mod running;
mod slice_exit;
mod table;
mod taken_away;
#[path = "../command/waiting.rs"]
mod waiting;

use std::time::Duration;

use crate::waiting::{comes_true, wait_for};

/// Far more than any case needs on the slowest machine.
const DEADLINE: Duration = Duration::from_secs(120);

/// The time between two looks at a fact.
const PAUSE: Duration = Duration::from_millis(20);
