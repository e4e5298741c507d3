//! The pool: a limit, policies and a runner, from which runs are started.

mod dispatcher;
mod driver;
mod feed;
mod gauge;
mod handle;
mod message;
mod run;
mod state;
mod thread_budget;
mod worker;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

pub use crate::pool::driver::Driver;
pub use crate::pool::handle::Handle;
pub use crate::pool::run::Run;

use crate::data::error::Error;
use crate::data::job::{Job, Key};
use crate::data::limit::Limit;
use crate::halt::rule::HaltRule;
use crate::outcome::results::Results;
use crate::pool::message::StartEvents;
use crate::pool::run::{OutputEvents, Settings};
use crate::process::LocalProcess;
use crate::runner::Runner;
use crate::schedule::policies::{Policies, Positions};
use crate::schedule::retries::Retries;

/// Runs jobs, at most `limit` at a time.
///
/// A pool can be used for many runs; they share only its runner. If the program ignores SIGCHLD or waits for any child
/// (`waitpid(-1)`), it takes the exit status of jobs: such a job is [lost](crate::End::Unknown), but has its outputs.
///
/// ```
/// use procpool_core::{Command, Job, Limit, Pool};
///
/// let jobs = ["1", "2", "3"].map(|n| Job::new(n, Command::new("expr").args([n, "*", "10"])));
/// let results = Pool::new(Limit::new(2)?).run_all(jobs)?;
/// assert_eq!(results["2"].stdout().to_string_lossy()?, "20\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Pool<R = LocalProcess> {
    settings: Settings,
    runner: Arc<R>,
}

impl Pool {
    /// A pool of local processes.
    #[must_use]
    pub fn new(limit: Limit) -> Pool {
        Pool::with_runner(limit, LocalProcess::new())
    }
}

impl<R: Runner> Pool<R> {
    /// A pool that runs its jobs with `runner`.
    #[must_use]
    pub fn with_runner(limit: Limit, runner: R) -> Pool<R> {
        let settings = Settings {
            limit,
            policies: Policies::default(),
            starts: StartEvents::default(),
            outputs: OutputEvents::default(),
        };
        Pool { settings, runner: Arc::new(runner) }
    }

    /// How often failed jobs are retried. The default is not at all; a job's own retries take precedence. While a job waits
    /// for a retry it holds no slot, and others start; once it is due it goes before new jobs. Waiting jobs are held in
    /// memory, without a bound on their number.
    #[must_use]
    pub fn retries(mut self, retries: Retries) -> Pool<R> {
        self.settings.policies.retries = retries;
        self
    }

    /// The rule by which the run halts itself.
    #[must_use]
    pub fn halt_rule(mut self, rule: HaltRule) -> Pool<R> {
        self.settings.policies.halt_rule = Some(rule);
        self
    }

    /// The least time between two starts, including retries.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Pool<R> {
        self.settings.policies.delay = delay;
        self
    }

    /// Starts nothing unless fewer tasks than this are runnable on the whole machine (the fourth field of
    /// `/proc/loadavg`), including tasks of the jobs. The load is read before each start, at most every 10 ms, and every
    /// 250 ms while it is too high. With 0 nothing ever starts.
    #[must_use]
    pub fn load_limit(mut self, tasks: u64) -> Pool<R> {
        self.settings.policies.admission.load_limit = Some(tasks);
        self
    }

    /// Starts nothing while less memory than this is available, on the machine or within the limits of this program's
    /// memory cgroups. The memory is read before each start, at most every 10 ms, and every 250 ms while there is too
    /// little.
    #[must_use]
    pub fn memory_reserve(mut self, bytes: u64) -> Pool<R> {
        self.settings.policies.admission.memory_reserve = Some(bytes);
        self
    }

    /// Ends attempts that take longer than this percentage of the median time of successful jobs, once there are three
    /// of those. Applies to jobs without a timeout of their own, also to those that run already.
    #[must_use]
    pub fn timeout_percent(mut self, percent: u32) -> Pool<R> {
        self.settings.policies.timeout_percent = Some(percent);
        self
    }

    /// Starts jobs in a random order, reproducible for the same seed and number of jobs. All of the input is read into
    /// memory before the first job starts; positions stay those of the input.
    ///
    /// ```
    /// use procpool_core::{Command, Job, Limit, Pool};
    ///
    /// let pool = Pool::new(Limit::new(1)?).shuffle(7);
    /// let order = || -> Result<Vec<u64>, procpool_core::Error> {
    ///     let jobs = (1..=9).map(|n| Job::new(n.to_string(), Command::new("true")));
    ///     Ok(pool.run(jobs)?.map(|done| done.seq.get()).collect())
    /// };
    /// assert_eq!(order()?, order()?);
    /// assert!(!order()?.is_sorted());
    /// # Ok::<(), procpool_core::Error>(())
    /// ```
    #[must_use]
    pub fn shuffle(mut self, seed: u64) -> Pool<R> {
        self.settings.policies.shuffle = Some(seed);
        self
    }

    /// Keeps the [position](crate::Job::position) that a job brings even if it is lower than those before it. The
    /// caller must make sure that positions are unique.
    ///
    /// ```
    /// use procpool_core::{Command, Job, Limit, Pool};
    ///
    /// let job = |key: &str| Job::new(key, Command::new("true"));
    /// let pool = Pool::new(Limit::new(1)?).in_any_order();
    /// let run = pool.run([job("d").position(4), job("b").position(2), job("e")])?;
    /// assert_eq!(run.map(|done| done.seq.get()).collect::<Vec<_>>(), [4, 2, 5]);
    /// # Ok::<(), procpool_core::Error>(())
    /// ```
    #[must_use]
    pub fn in_any_order(mut self) -> Pool<R> {
        self.settings.policies.positions = Positions::AsGiven;
        self
    }

    /// Reports each start as an [`Event::Started`](crate::Event::Started).
    #[must_use]
    pub fn announce_starts(mut self) -> Pool<R> {
        self.settings.starts = StartEvents::Announced;
        self
    }

    /// Reports what jobs write while they run, as [`Event::Wrote`](crate::Event::Wrote). Completions still contain all
    /// of the output; see [`Live`](crate::Live).
    #[must_use]
    pub fn follow_outputs(mut self) -> Pool<R> {
        self.settings.outputs = OutputEvents::Followed;
        self
    }

    /// Starts a run over `jobs` and returns at once; the [`Run`] yields completions as they happen.
    ///
    /// A thread pulls jobs from the iterator as there is room for them: at most twice the limit plus two jobs are ahead
    /// of the completions, and an iterator that blocks delays nothing else. If the caller doesn't take completions,
    /// the run continues until about `limit` more of them wait.
    ///
    /// # Errors
    /// If the system has no thread or descriptor for the run itself, or doesn't provide a value that the
    /// [load limit](Pool::load_limit) or the [memory reserve](Pool::memory_reserve) needs.
    pub fn run<I>(&self, jobs: I) -> Result<Run<R::Work>, Error>
    where
        I: IntoIterator<Item = Job<R::Work>>,
        I::IntoIter: Send + 'static,
    {
        run::start(self.settings.clone(), Arc::clone(&self.runner), jobs.into_iter())
    }

    /// Runs all jobs and returns when the last has ended; the results are by key and in input order.
    ///
    /// # Errors
    /// If two jobs have the same key (nothing is started then), or as for [`run`](Pool::run).
    pub fn run_all<I>(&self, jobs: I) -> Result<Results<R::Work>, Error>
    where
        I: IntoIterator<Item = Job<R::Work>>,
    {
        let jobs: Vec<_> = jobs.into_iter().collect();
        refuse_duplicates(&jobs)?;
        Ok(Results::in_input_order(self.run(jobs)?))
    }
}

fn refuse_duplicates<W>(jobs: &[Job<W>]) -> Result<(), Error> {
    let mut positions: HashMap<&Key, usize> = HashMap::with_capacity(jobs.len());
    for (job, position) in jobs.iter().zip(1..) {
        if let Some(first) = positions.insert(&job.key, position) {
            return Err(Error::duplicate_key(job.key.clone(), first, position));
        }
    }
    Ok(())
}
