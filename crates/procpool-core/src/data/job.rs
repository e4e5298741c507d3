//! A job: a key, what to run, and how long it may take.
//! Knows nothing of slots or attempts; those belong to the run, see `schedule.rs`.

use std::time::Duration;

use crate::data::command::Command;
use crate::data::key::Key;

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
    /// Its position in the input, where the caller counts and leaves some out; `None` is the next one.
    pub position: Option<u64>,
}

impl<W> Job<W> {
    /// A job without a timeout and without a word on retries or its position.
    pub fn new(key: impl Into<Key>, work: W) -> Job<W> {
        Job {
            key: key.into(),
            work,
            timeout: None,
            retries: None,
            position: None,
        }
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

    /// Makes this its [`Seq`](crate::Seq), for a caller who counts and leaves some out: so a job keeps its number
    /// where others before it are not run again. Totals still count jobs.
    ///
    /// It is heeded only where it is higher than those of all jobs before it, for the order of the input never
    /// lies ([`in_any_order`](crate::Pool::in_any_order) has it heeded all the same), and up to 2^63; else the job gets the number after the last one.
    ///
    /// ```
    /// use procpool_core::{Command, Job, Limit, Pool};
    ///
    /// let job = |key: &str| Job::new(key, Command::new("true"));
    /// let run = Pool::new(Limit::new(1)?).run([job("a"), job("d").position(4), job("b").position(2)])?;
    /// assert_eq!(run.map(|done| done.seq.get()).collect::<Vec<_>>(), [1, 4, 5]);
    /// # Ok::<(), procpool_core::Error>(())
    /// ```
    #[must_use]
    pub fn position(mut self, position: u64) -> Job<W> {
        self.position = Some(position);
        self
    }
}
