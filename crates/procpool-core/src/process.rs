//! Runs a job as a process of this machine.
//! Knows nothing of the pool: it is one [`Runner`] among others.

mod child;
mod lifecycle;
mod resolve;
mod retry;
mod spawn;
mod stream;
mod watch;

use std::env;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::command::Command;
use crate::halt::Halt;
use crate::job::Job;
use crate::outcome::{NotStarted, Outcome};
use crate::process::lifecycle::Lifecycle;
use crate::process::resolve::Programs;
use crate::process::retry::{Others, Tries};
use crate::process::spawn::{Spawned, spawn};
use crate::process::watch::watch;
use crate::runner::{Context, Runner};
use crate::spool::SpoolFile;

/// The runner for local processes.
///
/// Each job runs in a process group of its own, without a shell. Its two outputs are read at once, by the
/// thread that runs the job, while it waits for the job's end, its timeout and the run's stop, all in one
/// poll(2). A job ends when its *process* ends, however long a descendant holds its output open: that one
/// gets 200 ms to let go, then the group is killed and the job marked leaked.
///
/// Where the machine has no room for another process or its descriptors, the job waits in its slot until jobs
/// that run have given theirs back; only where none runs is that the job's outcome, after about 2 s.
///
/// ```
/// use std::time::Duration;
/// use procpool_core::{Command, Job, Limit, LocalProcess, Pool};
///
/// let runner = LocalProcess::new().grace(Duration::from_millis(500));
/// let jobs = [Job::new("hello", Command::new("echo").arg("hello"))];
/// let results = Pool::with_runner(Limit::default(), runner).run_all(jobs)?;
/// assert_eq!(results["hello"].stdout().to_string_lossy()?, "hello\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct LocalProcess {
    grace: Duration,
    spool_directory: PathBuf,
    spool_threshold: usize,
    spool: Arc<SpoolFile>,
    programs: Programs,
    /// How many jobs run.
    running: AtomicUsize,
}

/// How much of an output is held in memory at most, by default: as much as a pipe holds.
const SPOOL_THRESHOLD: usize = 64 * 1024;

impl LocalProcess {
    /// The time between the polite signal and KILL, where [`grace`](LocalProcess::grace) gives no other.
    pub const GRACE: Duration = Duration::from_secs(2);

    /// A runner with a grace time of 2 s and spools of 64 KiB, in the system's temporary directory past that.
    #[must_use]
    pub fn new() -> LocalProcess {
        let directory = env::temp_dir();
        LocalProcess {
            grace: LocalProcess::GRACE,
            spool: Arc::new(SpoolFile::new(directory.clone(), SPOOL_THRESHOLD)),
            spool_directory: directory,
            spool_threshold: SPOOL_THRESHOLD,
            programs: Programs::default(),
            running: AtomicUsize::new(0),
        }
    }

    /// How long a job that was asked to end has before it is killed.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> LocalProcess {
        self.grace = grace;
        self
    }

    /// Where large outputs go. The file there has no name, and is gone with this runner and its last output.
    #[must_use]
    pub fn spool_directory(mut self, directory: impl Into<PathBuf>) -> LocalProcess {
        self.spool_directory = directory.into();
        self.with_new_spool()
    }

    /// How many bytes of one stream are held in memory before they go to a file.
    #[must_use]
    pub fn spool_threshold(mut self, bytes: usize) -> LocalProcess {
        self.spool_threshold = bytes;
        self.with_new_spool()
    }

    fn with_new_spool(mut self) -> LocalProcess {
        self.spool = Arc::new(SpoolFile::new(self.spool_directory.clone(), self.spool_threshold));
        self
    }

    /// Runs one command to its end, for at most `timeout`: [`Runner::run`] for a runner that wraps this one
    /// and makes its commands late, when the slot is known.
    #[must_use]
    pub fn execute(&self, command: &Command, timeout: Option<Duration>, context: &Context) -> Outcome {
        let spawned = match self.start(command, context) {
            Ok(spawned) => spawned,
            Err(reason) => return reason.into(),
        };
        let _running = Running::count(&self.running);
        // The timeout counts from after the start, so that it is never early for the job.
        let lifecycle = Lifecycle::new(Instant::now(), timeout, self.grace);
        watch(spawned, lifecycle, context).into()
    }

    /// Starts the process, again and again where the machine has no room for it now.
    fn start(&self, command: &Command, context: &Context) -> Result<Spawned, NotStarted> {
        let mut tries = Tries::default();
        loop {
            let error = match spawn(command, &self.programs, &self.spool) {
                Ok(spawned) => return Ok(spawned),
                Err(error) => error,
            };
            let others = match self.running.load(Ordering::Relaxed) {
                0 => Others::None,
                _ => Others::Run,
            };
            let Some(pause) = tries.after(&error.source, others) else {
                return Err(NotStarted::Spawn(error));
            };
            if context.wait_for_stop(Some(pause)) != Halt::GoOn {
                return Err(NotStarted::NeverReached);
            }
        }
    }
}

/// A job that runs, as long as this lives.
struct Running<'a>(&'a AtomicUsize);

impl Running<'_> {
    fn count(running: &AtomicUsize) -> Running<'_> {
        running.fetch_add(1, Ordering::Relaxed);
        Running(running)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for LocalProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalProcess").field("grace", &self.grace).finish_non_exhaustive()
    }
}

impl Default for LocalProcess {
    fn default() -> LocalProcess {
        LocalProcess::new()
    }
}

impl Runner for LocalProcess {
    type Work = Command;

    fn run(&self, job: &Job, context: &Context) -> Outcome {
        self.execute(&job.work, job.timeout, context)
    }
}
