//! Turns a job of the command line into a command and runs it. This happens on the worker, because only there
//! is the slot known.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::process;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use procpool_core::{
    Capture, Command, Context, End, Halt, Job, LocalProcess, NotStarted, OnLeak, Outcome, Processes, Runner,
    Signal, Status,
};

use crate::guard::{JobMark, MARK_VARIABLE, Orphans};
use crate::job::gpus::Gpus;
use crate::job::labels::Labels;
use crate::job::recording::Recording;
use crate::job::work::{JobContext, Work};
use crate::os::ulimits;
use crate::terminal::screen;

/// execve(2) accepts no string of 128 KiB or more, such as `PROCPOOL_KEY=…`. A value that is just short
/// enough for an argument must not fail because of its key, so a job with a longer key gets no
/// `PROCPOOL_KEY`.
const LONGEST_KEY: usize = 100 * 1024;

/// The variable that tells a CUDA program which GPUs to use.
const GPUS: &str = "CUDA_VISIBLE_DEVICES";

/// Variables that are set for each job, to values of its own.
pub(crate) const OWN_VARIABLES: [&str; 6] =
    ["PROCPOOL_KEY", "PROCPOOL_SEQ", "PROCPOOL_SLOT", "PROCPOOL_ATTEMPT", "PROCPOOL_RUN", MARK_VARIABLE];

/// Runs jobs as local processes.
///
/// A command can't be made before the job has a slot, because a placeholder and an environment variable may
/// name the slot. Making it on the worker also spreads the work over as many threads as there are slots.
pub(crate) struct Launcher {
    local: LocalProcess,
    /// The run's name, as jobs see it in `PROCPOOL_RUN`.
    run: String,
    /// The pool's name, unique on this machine; a run on a cluster may have several pools here.
    pool: String,
    /// The mark of the enclosing jobs, if procpool itself runs in a job of another procpool.
    within: OsString,
    /// The orphans that procpool adopts; `None` without a keeper.
    orphans: Option<Arc<Orphans>>,
    on_leak: OnLeak,
    capture: Capture,
    /// `None` if lines are not tagged, or only with the key.
    labels: Option<Arc<Labels>>,
    /// `None` without a journal.
    recorder: Option<Arc<dyn Recording>>,
    signals: Signals,
    /// The GPUs of this machine that a cluster has allocated to the run, if any.
    gpus: Gpus,
}

/// Which processes receive an outside signal that ends the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signals {
    ToThePool,
    /// The pool and everything it has started. A cluster that takes away an element signals all of them.
    ToAll,
}

/// How long a pool that gets the same signal as its jobs may take, on a busy machine, to notice it or to be
/// killed.
const HEARING: Duration = Duration::from_millis(500);

/// Signals that end a whole process group or cgroup, one process after another: sent by `systemctl stop`, or
/// at the end of a session or a container.
const ENDING: [Signal; 5] = [Signal::HUP, Signal::INT, Signal::QUIT, Signal::KILL, Signal::TERM];

/// A name for a run, unique on this machine.
pub(crate) fn name_run() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{:x}-{}", since.as_micros(), process::id())
}

impl Launcher {
    /// `run` is the run's name.
    pub(crate) fn new(
        local: LocalProcess,
        run: String,
        on_leak: OnLeak,
        orphans: Option<Arc<Orphans>>,
    ) -> Launcher {
        Launcher {
            local: local.on_leak(on_leak).when_short(say_short),
            pool: run.clone(),
            run,
            within: env::var_os(MARK_VARIABLE).unwrap_or_default(),
            orphans,
            on_leak,
            capture: Capture::Spool,
            labels: None,
            recorder: None,
            signals: Signals::ToThePool,
            gpus: Gpus::default(),
        }
    }

    /// Sets which processes receive outside signals.
    pub(crate) fn signals(self, signals: Signals) -> Launcher {
        Launcher { signals, ..self }
    }

    /// Sets the GPUs that slots share.
    pub(crate) fn gpus(self, gpus: Gpus) -> Launcher {
        Launcher { gpus, ..self }
    }

    /// Gives the pool another name than the run's.
    pub(crate) fn call(self, pool: String) -> Launcher {
        Launcher { pool, ..self }
    }

    /// Sets the recorder of all attempts.
    pub(crate) fn record(mut self, recorder: Option<Arc<dyn Recording>>) -> Launcher {
        if let Some(recorder) = &recorder {
            let recorder = Arc::clone(recorder);
            self.local = self.local.when_started(move |context, pid| recorder.note_start(context, pid));
        }
        self.recorder = recorder;
        self
    }

    /// Sets how outputs are captured.
    pub(crate) fn capture(mut self, capture: Capture) -> Launcher {
        self.capture = capture;
        self
    }

    /// Sets the labels that are made at each start.
    pub(crate) fn labels(mut self, labels: Option<Arc<Labels>>) -> Launcher {
        self.labels = labels;
        self
    }

    pub(crate) fn processes(&self) -> Processes {
        self.local.processes()
    }

    fn command(&self, job: &Job<Work>, context: &Context, mark: &JobMark) -> Command {
        let key = job.key.as_os_str();
        let (seq, slot) = (context.seq().get(), context.slot().get());
        let command = job.work.command(JobContext { key, seq, slot });
        let command = match key.len() {
            0..=LONGEST_KEY => command.env("PROCPOOL_KEY", key),
            _ => command.env_remove("PROCPOOL_KEY"),
        };
        let is_own = |(name, _): (&OsStr, _)| name == GPUS;
        let gpus = self.gpus.visible(slot).filter(|_| !command.environment_changes().any(is_own));
        let command = match gpus {
            Some(gpus) => command.env(GPUS, gpus),
            None => command,
        };
        command
            .capture(self.capture)
            .env("PROCPOOL_SEQ", seq.to_string())
            .env("PROCPOOL_SLOT", slot.to_string())
            .env("PROCPOOL_ATTEMPT", context.attempt().to_string())
            .env("PROCPOOL_RUN", &self.run)
            .env(MARK_VARIABLE, mark.within(&self.within))
    }

    /// Reports a job as stopped if a signal ended it together with its pool: the signal was meant for the
    /// pool. If the pool is killed during the wait, it never records the job, which then counts as
    /// interrupted. With [`Signals::ToAll`] the record waits instead of the slot (`journal/held_records.rs`).
    fn understand(&self, outcome: Outcome, context: &Context) -> Outcome {
        let Outcome::Ran(mut ran) = outcome else { return outcome };
        if let (End::Itself(status), None, Signals::ToThePool) = (ran.end, ran.killer, self.signals) {
            if may_be_for_all(status)
                && matches!(context.wait_for_stop(Some(HEARING)), Halt::Stop(_) | Halt::Kill)
            {
                ran.end = End::Stopped(status);
            }
        }
        Outcome::Ran(ran)
    }

    /// Whether processes of the job may remain that must be killed: a signal to the job's group doesn't reach
    /// those that have left it.
    fn leaves_orphans(&self, outcome: &Outcome) -> bool {
        outcome.ran().is_some_and(|ran| match ran.end {
            End::TimedOut(_) | End::Stopped(_) | End::Unknown => true,
            End::Itself(_) => ran.leaked && self.on_leak != OnLeak::Keep,
        })
    }
}

/// Whether the sender of the signal that ended a job like this may be about to end the pool, too.
fn may_be_for_all(status: Status) -> bool {
    let signal = match status {
        Status::Signalled(signal) => signal.number(),
        // A shell exits with 128 plus the number of the signal.
        Status::Exited(code) => code.saturating_sub(128).into(),
    };
    ENDING.iter().any(|ending| ending.number() == signal)
}

/// Names processes of a job that could not be killed with it, because they run on beside the next jobs.
fn say_survivors(job: &Job<Work>, outcome: &Outcome) {
    for left in outcome.ran().iter().flat_map(|ran| &ran.survivors) {
        let text = format!(
            "procpool: {}: process {} ({}) could not be killed, and may run on beside what comes next\n",
            job.key, left.pid, left.program
        );
        screen::say(&text);
    }
}

fn say_short(error: &io::Error) {
    let limits = ulimits::reached_by(error);
    let text = format!(
        "procpool: no room for another process: {error}; fewer jobs run at once for a while{limits}\n"
    );
    // If the message can't be written, only the reason for the slowdown is lost.
    screen::say(&text);
}

impl Runner for Launcher {
    type Work = Work;

    fn run(&self, job: &Job<Work>, context: &Context) -> Outcome {
        if let Some(recorder) = &self.recorder {
            if !recorder.may_start(context) || context.halt() != Halt::GoOn {
                return NotStarted::NeverReached.into();
            }
        }
        let mark = JobMark {
            job: format!("{}:{}:{}", self.pool, context.seq(), context.attempt()),
        };
        if let Some(labels) = &self.labels {
            labels.begin(job, context);
        }
        let outcome = self.local.execute(&self.command(job, context, &mark), job.timeout, context);
        let outcome = self.understand(outcome, context);
        if let Some(orphans) = &self.orphans {
            if self.leaves_orphans(&outcome) {
                orphans.kill_those_of(&mark);
            }
        }
        say_survivors(job, &outcome);
        if let Some(recorder) = &self.recorder {
            recorder.record(job, context, &outcome);
        }
        outcome
    }
}
