//! The pool: a limit and a runner, from which runs are started.
//! Knows nothing of what happens within a run; `state.rs` does.

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
use crate::data::job::Job;
use crate::data::job::Key;
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
/// A pool can be used for many runs; they share its runner and nothing else. A program that ignores SIGCHLD
/// or waits for any child (`waitpid(-1)`) takes the status of jobs: such a job is [lost](crate::End::Unknown), with its outputs.
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
    /// A pool that runs its jobs by `runner`.
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

    /// How often a job that failed is tried again; not at all, unless this or the job says so. While a job
    /// waits for its next attempt it has no slot, and others start; once it is due it goes before those that
    /// never ran. All that wait are held in memory, however many they are.
    #[must_use]
    pub fn retries(mut self, retries: Retries) -> Pool<R> {
        self.settings.policies.retries = retries;
        self
    }

    /// When the run halts by itself.
    #[must_use]
    pub fn halt_rule(mut self, rule: HaltRule) -> Pool<R> {
        self.settings.policies.halt_rule = Some(rule);
        self
    }

    /// The least time between two starts, those of further attempts included.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Pool<R> {
        self.settings.policies.delay = delay;
        self
    }

    /// Starts nothing unless fewer tasks than this run or want to on the whole machine (the fourth field of
    /// `/proc/loadavg`): those of the jobs count as well as all others. It is looked before each start, at most every
    /// 10 ms, and every 250 ms while there are too many. 0 starts nothing ever.
    #[must_use]
    pub fn load_limit(mut self, tasks: u64) -> Pool<R> {
        self.settings.policies.admission.load_limit = Some(tasks);
        self
    }

    /// Starts nothing while less memory than this is available: of the machine's, and of what the memory cgroups
    /// that this program is in have left. It is looked before each start, at most every 10 ms, and every 250 ms
    /// while there is too little.
    #[must_use]
    pub fn memory_reserve(mut self, bytes: u64) -> Pool<R> {
        self.settings.policies.admission.memory_reserve = Some(bytes);
        self
    }

    /// Ends an attempt that takes longer than so many percent of the median of those that succeeded, as soon as
    /// three have, where its job has no timeout of its own. It holds for those that run already as well.
    #[must_use]
    pub fn timeout_percent(mut self, percent: u32) -> Pool<R> {
        self.settings.policies.timeout_percent = Some(percent);
        self
    }

    /// Starts jobs in an order that follows from the seed and their number, and not in that of the input. All
    /// of the input is read into memory before the first job starts; positions stay those in the input.
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

    /// Each job keeps the [position](crate::Job::position) that it comes with, where that is lower than those before it, too. The
    /// caller sees to it that no two have the same.
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

    /// Tells of each start as an [`Event::Started`](crate::Event::Started). Without this none is made.
    #[must_use]
    pub fn announce_starts(mut self) -> Pool<R> {
        self.settings.starts = StartEvents::Announced;
        self
    }

    /// Tells of what jobs write while they run, as [`Event::Wrote`](crate::Event::Wrote). All of it comes with the
    /// completions all the same; see [`Live`](crate::Live).
    #[must_use]
    pub fn follow_outputs(mut self) -> Pool<R> {
        self.settings.outputs = OutputEvents::Followed;
        self
    }

    /// Starts a run over `jobs` and returns at once; its completions come from the [`Run`], as they happen.
    ///
    /// Jobs are pulled from the iterator as there is room for them, by a thread of its own: at most twice
    /// the limit and two are ahead of the completions, and an iterator that blocks holds up nobody. Where
    /// the caller doesn't take completions, the run goes on until about another limit of them waits.
    ///
    /// # Errors
    /// Where the system has no thread or descriptor for the run itself, or doesn't tell what a
    /// [load limit](Pool::load_limit) or a [memory reserve](Pool::memory_reserve) needs to know.
    pub fn run<I>(&self, jobs: I) -> Result<Run<R::Work>, Error>
    where
        I: IntoIterator<Item = Job<R::Work>>,
        I::IntoIter: Send + 'static,
    {
        run::start(self.settings.clone(), Arc::clone(&self.runner), jobs.into_iter())
    }

    /// Runs all jobs and returns when the last has ended, with everything by key, in input order.
    ///
    /// # Errors
    /// Where two jobs have the same key (then nothing was started), or as [`run`](Pool::run).
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
