//! Runs a job as a process of this machine: a [`Runner`] like any other.

mod child;
mod clock;
mod descendants;
mod explain;
mod gate;
mod holders;
pub(crate) mod inherited;
mod kill;
mod lifecycle;
mod oom;
pub(crate) mod retry;
mod roster;
pub(crate) mod spawn;
mod stream;
mod watch;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use std::{env, fmt, io};

use crate::data::command::Command;
use crate::data::error::Error;
use crate::data::job::Job;
use crate::halt::Halt;
use crate::outcome::{End, NotStarted, Outcome, Ran};
use crate::process::gate::{AdaptiveLimit, LimitPermit};
use crate::process::lifecycle::{Lifecycle, Policy};
use crate::process::oom::OomWatch;
use crate::process::retry::{OtherJobs, StartRetries};
use crate::process::spawn::Starter;
use crate::process::watch::{TimeoutKind, watch};
use crate::runner::{Context, Runner};
use crate::spool::{Spool, SpoolFiles, SpoolPlace};
use crate::sys::{self, ExecProgress, OnParentDeath};

pub use crate::process::lifecycle::OnLeak;
pub use crate::process::roster::{Process, Processes, Stopped};

/// The runner for local processes.
///
/// Each job runs without a shell, in a session and a process group of its own, with every signal at its default
/// action whatever the caller ignores or blocks. It has no terminal: opening `/dev/tty` fails at once.
///
/// The thread that runs the job reads its two outputs while it waits for the job's end, its timeout and the run's
/// stop, all in one poll(2). A job ends when its *process* ends, even if a descendant still holds its output open:
/// the descendant gets 200 ms to close it, then the group is killed and the job marked leaked, unless
/// [`on_leak`](LocalProcess::on_leak) says otherwise.
///
/// If the machine has no room for another process or its descriptors, the job waits in its slot until running jobs
/// have ended. Only if no other job runs does it fail, after about 2 s.
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
    policy: Policy,
    spool_place: SpoolPlace,
    spool_threshold: usize,
    starter: Starter,
    adaptive_limit: AdaptiveLimit,
    oom: OomWatch,
    /// Called for each process.
    on_start: Option<StartCallback>,
}

type StartCallback = Box<dyn Fn(&Context, u32) + Send + Sync>;

/// How much of an output is held in memory by default: as much as a pipe holds.
const SPOOL_THRESHOLD: usize = 64 * 1024;

impl LocalProcess {
    /// The default [`grace`](LocalProcess::grace) time between the polite signal and KILL.
    pub const GRACE: Duration = Duration::from_secs(2);

    /// A runner with a grace time of 2 s, and spools of 64 KiB that continue in the system's temporary directory.
    /// Jobs inherit the caller's environment as it is now.
    #[must_use]
    pub fn new() -> LocalProcess {
        let place = SpoolPlace::Directory(env::temp_dir());
        LocalProcess {
            policy: Policy { grace: LocalProcess::GRACE, on_leak: OnLeak::Kill },
            starter: Starter::new(SpoolFiles::new(&place, SPOOL_THRESHOLD)),
            spool_place: place,
            spool_threshold: SPOOL_THRESHOLD,
            adaptive_limit: AdaptiveLimit::default(),
            oom: OomWatch::default(),
            on_start: None,
        }
    }

    /// Sets the time between the signal that asks a job to end and KILL.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> LocalProcess {
        self.policy.grace = grace;
        self
    }

    /// Sets what happens to descendants that hold a job's output open after the job's own process has ended.
    #[must_use]
    pub fn on_leak(mut self, on_leak: OnLeak) -> LocalProcess {
        self.policy.on_leak = on_leak;
        self
    }

    /// Sets a callback for the first time that the machine has no room for a job's process or descriptors. It gets the
    /// system's error and runs on a thread of the run. Such a job waits, and fewer jobs run at once for a while.
    #[must_use]
    pub fn when_short(self, callback: impl Fn(&io::Error) + Send + Sync + 'static) -> LocalProcess {
        self.adaptive_limit.set_callback(Box::new(callback));
        self
    }

    /// Sets a callback that gets the pid of each process right after its start, on the thread that runs the job. The process
    /// may have ended by then but can't have been reaped: its pid and process group can't be reused while the callback runs.
    /// Meanwhile the job's outputs are not read, its timeout has not begun, and no stop reaches it. If the callback panics, the
    /// process is killed and the run behaves as if the runner had panicked. A process whose start takes long is reported before
    /// it executes its program; if that fails, the job still counts as not started.
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use procpool_core::{Command, Job, Limit, LocalProcess, Pool};
    ///
    /// let (told, started) = mpsc::channel();
    /// let runner = LocalProcess::new().when_started(move |context, pid| {
    ///     let _ = told.send((context.seq().get(), pid.to_string()));
    /// });
    /// let job = Job::new("shell", Command::new("sh").args(["-c", "echo $$"]));
    /// let results = Pool::with_runner(Limit::default(), runner).run_all([job])?;
    /// let pid = results["shell"].stdout().to_string_lossy()?.trim_end().to_owned();
    /// assert_eq!(started.recv()?, (1, pid));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn when_started(mut self, callback: impl Fn(&Context, u32) + Send + Sync + 'static) -> LocalProcess {
        self.on_start = Some(Box::new(callback));
        self
    }

    /// The processes that this runner runs, in all its runs.
    #[must_use]
    pub fn processes(&self) -> Processes {
        Processes(Arc::clone(&self.starter.roster))
    }

    /// Sets the directory for large outputs. The file there is unlinked, and is gone with this runner and its last output.
    #[must_use]
    pub fn spool_directory(mut self, directory: impl Into<PathBuf>) -> LocalProcess {
        self.spool_place = SpoolPlace::Directory(directory.into());
        self.with_new_spool()
    }

    /// Stores large outputs in an anonymous file in memory instead of a directory, for callers without a writable one. The
    /// outputs then take memory until they have been read and dropped.
    #[must_use]
    pub fn spool_in_memory(mut self) -> LocalProcess {
        self.spool_place = SpoolPlace::Memory;
        self.with_new_spool()
    }

    /// Sets how many bytes of an output are held in memory before it continues in a file.
    #[must_use]
    pub fn spool_threshold(mut self, bytes: usize) -> LocalProcess {
        self.spool_threshold = bytes;
        self.with_new_spool()
    }

    /// Sets the jobs' soft limit of open descriptors, for a caller that has raised its own: programs that use select(2),
    /// or close all descriptors up to the limit, suffer from a high limit.
    #[must_use]
    pub fn descriptor_limit(mut self, soft: u64) -> LocalProcess {
        self.starter.descriptor_limit = Some(soft);
        self
    }

    /// Reserves this many of the currently allowed descriptors for the caller: a start that would need them waits until other
    /// jobs have closed theirs, as if there were none. Only a job that runs alone may use them. For a caller that opens files
    /// for outputs of jobs, and must not fail because many jobs run.
    #[must_use]
    pub fn spare_descriptors(mut self, count: u64) -> LocalProcess {
        let ceiling = sys::allowed_descriptors().saturating_sub(count);
        self.starter.ceiling = i32::try_from(ceiling).unwrap_or(i32::MAX);
        self
    }

    /// Sets whether a job's own process is killed when this program ends without having ended its run: by Ctrl-C, a signal,
    /// `exit()`, an abort or a KILL. On by default: a job has no terminal whose Ctrl-C or hang-up could reach it.
    ///
    /// The kernel does this (`PR_SET_PDEATHSIG`, prctl(2)). It does not reach processes that a job has started, nor programs
    /// that are setuid or have capabilities; and none at all if the kernel refuses it, see
    /// [`weaker_promises`](LocalProcess::weaker_promises). To leave nothing behind at a signal, handle it, as the crate's
    /// documentation shows.
    ///
    /// What counts is the end of the *thread* that runs a job. The threads of a [`Pool`](crate::Pool) outlive their jobs, and
    /// [`execute`](LocalProcess::execute) returns only when the job has ended.
    #[must_use]
    pub fn end_with_caller(mut self, ends: bool) -> LocalProcess {
        self.starter.on_parent_death = if ends { OnParentDeath::Die } else { OnParentDeath::LiveOn };
        self
    }

    /// Promises that can't be kept on this system, a sentence each, as far as starts have shown by now: call it again
    /// after a run. The result is the same for all runners of the program, and is usually empty.
    ///
    /// ```
    /// use procpool_core::LocalProcess;
    ///
    /// for promise in LocalProcess::weaker_promises() {
    ///     eprintln!("warning: {promise}");
    /// }
    /// ```
    #[must_use]
    pub fn weaker_promises() -> Vec<&'static str> {
        let orphans =
            "jobs would outlive a killed caller: the system refuses to end a process with its parent";
        if sys::can_end_with_parent() { Vec::new() } else { vec![orphans] }
    }

    /// Checks that a file for large outputs can be created. It is created for the first large output; this call shows before
    /// any job has run that the directory is missing or not writable.
    ///
    /// # Errors
    /// If it can't be created; the source names the directory.
    pub fn check_spool(&self) -> Result<(), Error> {
        self.starter
            .spool
            .check()
            .map_err(|error| Error::resource("a temporary file for large outputs", error))
    }

    /// Stores bytes like a job's output: those above the threshold in the file for large outputs, in pieces of 64 KiB, and in
    /// memory while there is no descriptor for that file. For outputs that were recorded elsewhere.
    ///
    /// ```
    /// use procpool_core::LocalProcess;
    ///
    /// let recorded = b"what a job wrote yesterday\n";
    /// let spool = LocalProcess::new().keep(&recorded[..])?;
    /// assert_eq!(spool.to_vec()?, recorded);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the bytes can't be read, or the file can't be created or written. Nothing is stored then.
    pub fn keep(&self, bytes: impl io::Read) -> io::Result<Spool> {
        let mut spool = Spool::in_file(self.starter.spool.of(0));
        spool.fill_from(bytes)?;
        Ok(spool)
    }

    fn with_new_spool(mut self) -> LocalProcess {
        self.starter.spool = SpoolFiles::new(&self.spool_place, self.spool_threshold);
        self
    }

    /// Runs a command to its end, for at most `timeout`, or else the [context's](Context::timeout): [`Runner::run`] for a runner
    /// that wraps this one and builds its commands when the slot is known.
    #[must_use]
    pub fn execute(&self, command: &Command, timeout: Option<Duration>, context: &Context) -> Outcome {
        let mut tries = StartRetries::default();
        loop {
            let error = match self.attempt(command, timeout, context) {
                Ok(ran) => return ran.into(),
                Err(NotStarted::Spawn(error)) => error,
                Err(never @ NotStarted::NeverReached) => return never.into(),
            };
            let others = match self.adaptive_limit.under_way() {
                0 => OtherJobs::None,
                _ => OtherJobs::Running,
            };
            if sys::is_shortage(&error.source) {
                self.adaptive_limit.note_shortage(&error.source);
            }
            let Some(pause) = tries.after(&error.source, others) else {
                return NotStarted::Spawn(error).into();
            };
            if let Err(never) = wait(pause, context) {
                return never.into();
            }
        }
    }

    /// Tries once to start the process, and watches it to its end.
    fn attempt(
        &self,
        command: &Command,
        timeout: Option<Duration>,
        context: &Context,
    ) -> Result<Ran, NotStarted> {
        let _place = self.take_permit(context)?;
        // Our own permit counts too.
        let beside = if self.adaptive_limit.under_way() > 1 { OtherJobs::Running } else { OtherJobs::None };
        let spawned = self.starter.start(command, context, beside)?;
        if let Some(callback) = &self.on_start {
            callback(context, spawned.child.number());
        }
        // While the job loads its program: before the first start it would delay that.
        self.oom.begin();
        let roster = &self.starter.roster;
        // The timeout counts from after the start, so that it is never early for the job.
        let lifecycle =
            Lifecycle::new(roster.clock.now(), timeout.or_else(|| context.timeout()), self.policy);
        let timeout_kind = match timeout {
            None if context.has_moving_timeout() => TimeoutKind::Moving,
            _ => TimeoutKind::Fixed,
        };
        let (mut ran, pending_exec) = watch(spawned, lifecycle, timeout_kind, roster, context);
        if let (End::Itself(_), Some(pending_exec)) = (ran.end, pending_exec) {
            // It took so long that it was watched meanwhile.
            if let ExecProgress::Failed(failure) = pending_exec.progress() {
                return Err(self.starter.explain(command, pending_exec.program(), failure).into());
            }
        }
        self.oom.judge(&mut ran);
        Ok(ran)
    }

    fn take_permit(&self, context: &Context) -> Result<LimitPermit<'_>, NotStarted> {
        loop {
            match self.adaptive_limit.take() {
                Some(place) => return Ok(place),
                None => wait(WAIT_FOR_PERMIT, context)?,
            }
        }
    }
}

/// How often a job that waits for others to end tries again. Only if the machine is full.
const WAIT_FOR_PERMIT: Duration = Duration::from_millis(5);

fn wait(pause: Duration, context: &Context) -> Result<(), NotStarted> {
    match context.wait_for_stop(Some(pause)) {
        Halt::GoOn => Ok(()),
        _ => Err(NotStarted::NeverReached),
    }
}

impl fmt::Debug for LocalProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalProcess").field("policy", &self.policy).finish_non_exhaustive()
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
