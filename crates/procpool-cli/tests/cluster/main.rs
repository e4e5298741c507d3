//! End-to-end tests of `procpool run --on slurm` on a real cluster, parts of which are killed during the run.
//! They look only at exit statuses, outputs, files, and the output of Slurm's own commands.
//!
//! `cargo xtask cluster test` runs all of them, or some by name. Cases that harm a cluster start one of their
//! own; the others take turns on the shared one. No case waits for time to pass: each waits for a fact. Each
//! job appends a line to a file whenever it is started, so starts are counted independently of what procpool
//! reports.

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

/// The interval of polling.
const PAUSE: Duration = Duration::from_millis(20);
