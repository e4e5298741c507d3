//! Runs a job as a process of this machine.
//! Knows nothing of the pool: it is one [`Runner`] among others.

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

use std::env;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

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
/// Each job runs in a session and a process group of its own, without a shell, with every signal at its
/// default, whatever the caller ignores or blocks. It has no terminal: who opens `/dev/tty` is refused at once.
///
/// Its two outputs are read at once, by the thread that runs the job, while it waits for the job's end, its
/// timeout and the run's stop, all in one poll(2). A job ends when its *process* ends, however long a
/// descendant holds its output open: that one gets 200 ms to let go, then the group is killed and the job
/// marked leaked, unless [`on_leak`](LocalProcess::on_leak) says otherwise.
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
    policy: Policy,
    spool_place: SpoolPlace,
    spool_threshold: usize,
    starter: Starter,
    room: AdaptiveLimit,
    oom: OomWatch,
    /// Who is told of each process.
    witness: Option<StartCallback>,
}

type StartCallback = Box<dyn Fn(&Context, u32) + Send + Sync>;

/// How much of an output is held in memory at most, by default: as much as a pipe holds.
const SPOOL_THRESHOLD: usize = 64 * 1024;

impl LocalProcess {
    /// The time between the polite signal and KILL, where [`grace`](LocalProcess::grace) gives no other.
    pub const GRACE: Duration = Duration::from_secs(2);

    /// A runner with a grace time of 2 s and spools of 64 KiB, in the system's temporary directory past that.
    /// Jobs will have the caller's environment as it is now.
    #[must_use]
    pub fn new() -> LocalProcess {
        let place = SpoolPlace::Directory(env::temp_dir());
        LocalProcess {
            policy: Policy { grace: LocalProcess::GRACE, on_leak: OnLeak::Kill },
            starter: Starter::new(SpoolFiles::new(&place, SPOOL_THRESHOLD)),
            spool_place: place,
            spool_threshold: SPOOL_THRESHOLD,
            room: AdaptiveLimit::default(),
            oom: OomWatch::default(),
            witness: None,
        }
    }

    /// How long a job that was asked to end has before it is killed.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> LocalProcess {
        self.policy.grace = grace;
        self
    }

    /// What becomes of a descendant that holds a job's output open after the job's own process has ended.
    #[must_use]
    pub fn on_leak(mut self, on_leak: OnLeak) -> LocalProcess {
        self.policy.on_leak = on_leak;
        self
    }

    /// Calls `witness` the first time that the machine has no room for a job's process or descriptors, with the
    /// system's error, on a thread of the run. Such a job waits, and fewer run at once for a while.
    #[must_use]
    pub fn when_short(self, witness: impl Fn(&io::Error) + Send + Sync + 'static) -> LocalProcess {
        self.room.tell(Box::new(witness));
        self
    }

    /// Calls `witness` with the number of each process right after its start, on the thread that runs the job. The
    /// process may have ended by then, but it can't have been reaped: its number, and that of its process group, is
    /// nobody else's as long as `witness` runs. That long nobody reads the job's outputs either, its timeout has not
    /// begun, and no stop reaches it. Where `witness` panics the process is killed, and it is as if the runner had panicked.
    /// A process whose start takes long is told of before it is its program; where it never is, the job was not started all the same.
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
    pub fn when_started(mut self, witness: impl Fn(&Context, u32) + Send + Sync + 'static) -> LocalProcess {
        self.witness = Some(Box::new(witness));
        self
    }

    /// The processes that this runner runs, in all its runs together.
    #[must_use]
    pub fn processes(&self) -> Processes {
        Processes(Arc::clone(&self.starter.roster))
    }

    /// Where large outputs go. The file there has no name, and is gone with this runner and its last output.
    #[must_use]
    pub fn spool_directory(mut self, directory: impl Into<PathBuf>) -> LocalProcess {
        self.spool_place = SpoolPlace::Directory(directory.into());
        self.with_new_spool()
    }

    /// Has large outputs go to a file in memory, which is in no directory. For where there is none that can be written to:
    /// what jobs write then takes as much memory until it has been read and dropped.
    #[must_use]
    pub fn spool_in_memory(mut self) -> LocalProcess {
        self.spool_place = SpoolPlace::Memory;
        self.with_new_spool()
    }

    /// How many bytes of one stream are held in memory before they go to a file.
    #[must_use]
    pub fn spool_threshold(mut self, bytes: usize) -> LocalProcess {
        self.spool_threshold = bytes;
        self.with_new_spool()
    }

    /// The soft limit of open descriptors that jobs get, for a caller that has raised its own: programs that
    /// use select(2), or close all descriptors up to the limit, suffer from a high one.
    #[must_use]
    pub fn descriptor_limit(mut self, soft: u64) -> LocalProcess {
        self.starter.descriptor_limit = Some(soft);
        self
    }

    /// So many descriptors are left to the caller, of those that are allowed now: a start that would use them waits until other jobs
    /// have given theirs back, as where there are none at all. Only a job beside which none runs may use them. For a caller that opens files
    /// for what jobs have written, and must not fail at that because so many run.
    #[must_use]
    pub fn spare_descriptors(mut self, count: u64) -> LocalProcess {
        let ceiling = sys::allowed_descriptors().saturating_sub(count);
        self.starter.ceiling = i32::try_from(ceiling).unwrap_or(i32::MAX);
        self
    }

    /// Whether the process that a job is itself is killed when this program ends without having ended its run: by Ctrl-C, by a signal,
    /// by `exit()`, an abort or a KILL. On by default: a job has no terminal whose Ctrl-C or hang-up could reach it.
    ///
    /// The kernel does that (`PR_SET_PDEATHSIG`, prctl(2)), not this program. What a job has started itself lives on; so does
    /// a setuid program, and one with capabilities of its own; and all jobs do where the kernel can't, see
    /// [`weaker_promises`](LocalProcess::weaker_promises). To leave nothing behind at a signal, handle it: the crate's front page shows how.
    ///
    /// It is the *thread* that runs a job whose end counts: for a [`Pool`](crate::Pool) that is no matter, its threads outlive their
    /// jobs; and [`execute`](LocalProcess::execute) comes back when the job has ended.
    #[must_use]
    pub fn end_with_caller(mut self, ends: bool) -> LocalProcess {
        self.starter.on_parent_death = if ends { OnParentDeath::Die } else { OnParentDeath::LiveOn };
        self
    }

    /// Which promises can't be kept in these surroundings, each in a sentence, as far as starts have shown by now: ask
    /// again when a run has ended. The same for all runners of the program. Mostly there are none.
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

    /// Whether a file for large outputs can be made. It is made for the first of them, and this tells before any
    /// job has run that the directory is missing or can't be written.
    ///
    /// # Errors
    /// Where it can't be made; the source names the directory.
    pub fn check_spool(&self) -> Result<(), Error> {
        self.starter
            .spool
            .check()
            .map_err(|error| Error::resource("a temporary file for large outputs", error))
    }

    /// Keeps bytes as it keeps a job's output: past the threshold in its file for large ones, a piece of 64 KiB at a time,
    /// and in memory as long as there is no descriptor for that file. So an output that was recorded elsewhere goes
    /// the way of all others.
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
    /// Where the bytes can't be read, or the file can't be made or written. Nothing is kept then.
    pub fn keep(&self, bytes: impl io::Read) -> io::Result<Spool> {
        let mut spool = Spool::in_file(self.starter.spool.of(0));
        spool.fill_from(bytes)?;
        Ok(spool)
    }

    fn with_new_spool(mut self) -> LocalProcess {
        self.starter.spool = SpoolFiles::new(&self.spool_place, self.spool_threshold);
        self
    }

    /// Runs one command to its end, for at most `timeout`, else the [context's](Context::timeout): [`Runner::run`] for a runner that wraps this one
    /// and makes its commands late, when the slot is known.
    #[must_use]
    pub fn execute(&self, command: &Command, timeout: Option<Duration>, context: &Context) -> Outcome {
        let mut tries = StartRetries::default();
        loop {
            let error = match self.attempt(command, timeout, context) {
                Ok(ran) => return ran.into(),
                Err(NotStarted::Spawn(error)) => error,
                Err(never @ NotStarted::NeverReached) => return never.into(),
            };
            let others = match self.room.under_way() {
                0 => OtherJobs::None,
                _ => OtherJobs::Running,
            };
            if sys::is_shortage(&error.source) {
                self.room.note_shortage(&error.source);
            }
            let Some(pause) = tries.after(&error.source, others) else {
                return NotStarted::Spawn(error).into();
            };
            if let Err(never) = wait(pause, context) {
                return never.into();
            }
        }
    }

    /// Starts the process once, and watches it to its end.
    fn attempt(
        &self,
        command: &Command,
        timeout: Option<Duration>,
        context: &Context,
    ) -> Result<Ran, NotStarted> {
        let _place = self.take_place(context)?;
        // Its own place counts.
        let beside = if self.room.under_way() > 1 { OtherJobs::Running } else { OtherJobs::None };
        let spawned = self.starter.start(command, context, beside)?;
        if let Some(witness) = &self.witness {
            witness(context, spawned.child.number());
        }
        // While the job's program is being loaded: before the first start it would cost as much as that.
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
            // It was so long about it that it was watched meanwhile.
            if let ExecProgress::Failed(failure) = pending_exec.progress() {
                return Err(self.starter.explain(command, pending_exec.program(), failure).into());
            }
        }
        self.oom.judge(&mut ran);
        Ok(ran)
    }

    fn take_place(&self, context: &Context) -> Result<LimitPermit<'_>, NotStarted> {
        loop {
            match self.room.take() {
                Some(place) => return Ok(place),
                None => wait(WAIT_FOR_A_PLACE, context)?,
            }
        }
    }
}

/// How often a job that waits for others to end looks again. Only where the machine is full.
const WAIT_FOR_A_PLACE: Duration = Duration::from_millis(5);

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
