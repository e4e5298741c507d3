//! Turns a job of the command line into a command and runs it. That happens on the worker, because only
//! there the slot is known.

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

/// execve(2) takes no string of 128 KiB, here `PROCPOOL_KEY=…`. A value that is just short enough for an
/// argument must not fail because of its key; such a job goes without.
const LONGEST_KEY: usize = 100 * 1024;

/// Which GPUs a program sees that uses CUDA.
const GPUS: &str = "CUDA_VISIBLE_DEVICES";

/// What is set for each job, and differs from each other's.
pub(crate) const OWN_VARIABLES: [&str; 6] =
    ["PROCPOOL_KEY", "PROCPOOL_SEQ", "PROCPOOL_SLOT", "PROCPOOL_ATTEMPT", "PROCPOOL_RUN", MARK_VARIABLE];

/// Runs such jobs as local processes.
///
/// A placeholder may stand for the slot, and the environment names it too, so no command can be made before
/// the job has one; and made here, on the worker, it is made by as many threads as there are slots.
pub(crate) struct Launcher {
    local: LocalProcess,
    /// Which run this is, as its jobs have it.
    run: String,
    /// Which pool this is, among all on this machine: a run on a cluster may have several.
    pool: String,
    /// Within which jobs procpool itself runs.
    within: OsString,
    /// Those that procpool adopts; `None` where it has no keeper.
    orphans: Option<Arc<Orphans>>,
    on_leak: OnLeak,
    capture: Capture,
    /// `None` where lines are not tagged, or by no more than the key.
    labels: Option<Arc<Labels>>,
    /// `None` where there is no journal.
    recorder: Option<Arc<dyn Recording>>,
    signals: Signals,
    /// Those of the machine that are the run's, where somebody has given it some.
    gpus: Gpus,
}

/// To whom a signal from outside goes that ends the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signals {
    ToThePool,
    /// As a cluster sends it that takes an element away: to the pool and to all that it has started.
    ToAll,
}

/// So long a pool whose jobs get the same signal may take to hear of it itself, or to be killed, on a busy machine.
const HEARING: Duration = Duration::from_millis(500);

/// What ends a whole group or cgroup, a process at a time: `systemctl stop`, the end of a session or of a container.
const ENDING: [Signal; 5] = [Signal::HUP, Signal::INT, Signal::QUIT, Signal::KILL, Signal::TERM];

/// A name for a run that no other on this machine has.
pub(crate) fn name_run() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{:x}-{}", since.as_micros(), process::id())
}

impl Launcher {
    /// `run` is what the run is called.
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

    /// Says to whom signals from outside go.
    pub(crate) fn signals(self, signals: Signals) -> Launcher {
        Launcher { signals, ..self }
    }

    /// Shares these among the slots.
    pub(crate) fn gpus(self, gpus: Gpus) -> Launcher {
        Launcher { gpus, ..self }
    }

    /// Calls the pool something else than the run.
    pub(crate) fn call(self, pool: String) -> Launcher {
        Launcher { pool, ..self }
    }

    /// Records each attempt with this one.
    pub(crate) fn record(mut self, recorder: Option<Arc<dyn Recording>>) -> Launcher {
        if let Some(recorder) = &recorder {
            let recorder = Arc::clone(recorder);
            self.local = self.local.when_started(move |context, pid| recorder.note_start(context, pid));
        }
        self.recorder = recorder;
        self
    }

    /// What becomes of jobs' outputs.
    pub(crate) fn capture(mut self, capture: Capture) -> Launcher {
        self.capture = capture;
        self
    }

    /// Tells these of each start.
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

    /// What a job came to that was ended by a signal together with its pool: then it was the pool that was to end. A pool
    /// that is killed meanwhile never records it, and it was interrupted. Where all get the same signals, the record waits, and not
    /// the slot (`journal/held`).
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

    /// Whether processes of the job may be left that must not be: a signal to its group doesn't reach those that
    /// have left it.
    fn leaves_orphans(&self, outcome: &Outcome) -> bool {
        outcome.ran().is_some_and(|ran| match ran.end {
            End::TimedOut(_) | End::Stopped(_) | End::Unknown => true,
            End::Itself(_) => ran.leaked && self.on_leak != OnLeak::Keep,
        })
    }
}

/// Whether who ended a job like this may be about to end the pool, too.
fn may_be_for_all(status: Status) -> bool {
    let signal = match status {
        Status::Signalled(signal) => signal.number(),
        // What a shell makes of a signal.
        Status::Exited(code) => code.saturating_sub(128).into(),
    };
    ENDING.iter().any(|ending| ending.number() == signal)
}

/// Names those of a job's processes that could not be ended with it: what comes next runs beside them.
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
    // Nothing is lost by it, so whoever can't see it misses nothing but the reason.
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
