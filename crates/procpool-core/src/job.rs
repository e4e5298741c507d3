//! A job: a key, what to run, and how long it may take.
//! Knows nothing of slots or attempts; those belong to the run, see `schedule.rs`.

use std::time::Duration;

use crate::command::Command;
use crate::key::Key;

/// One thing to run, under the caller's own name for it.
///
/// `W` is what the [`Runner`](crate::Runner) at hand knows how to run: a [`Command`] for local processes.
///
/// ```
/// use std::time::Duration;
/// use procpool_core::{Command, Job};
///
/// let job = Job::new("thumb-1", Command::new("convert").args(["1.gif", "1.png"])).timeout(Duration::from_secs(30));
/// assert_eq!(job.key.as_bytes(), b"thumb-1");
/// ```
#[derive(Clone, Debug)]
pub struct Job<W = Command> {
    /// The caller's name for it. Need not be unique, except in [`Pool::run_all`](crate::Pool::run_all).
    pub key: Key,
    /// What to run.
    pub work: W,
    /// How long one attempt may take. Never ended early; `None` means for ever.
    pub timeout: Option<Duration>,
    /// How many further attempts follow where it fails; `None` leaves that to the pool's
    /// [`retries`](crate::Pool::retries).
    pub retries: Option<u32>,
}

impl<W> Job<W> {
    /// A job without a timeout and without a word on retries.
    pub fn new(key: impl Into<Key>, work: W) -> Job<W> {
        Job { key: key.into(), work, timeout: None, retries: None }
    }

    /// Ends an attempt that takes longer than this: TERM, grace time, KILL to its process group.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Job<W> {
        self.timeout = Some(timeout);
        self
    }

    /// Tries this job again so many times where it fails, whatever holds for the others.
    #[must_use]
    pub fn retries(mut self, further: u32) -> Job<W> {
        self.retries = Some(further);
        self
    }
}
