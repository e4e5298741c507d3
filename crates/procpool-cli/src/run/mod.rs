//! Carries a plan out: jobs in, completions to the sinks, one exit status at the end.
//! Knows no option, no concrete sink and no source of jobs.

pub(crate) mod attempts;
pub(crate) mod sink;
pub(crate) mod summary;
pub(crate) mod tally;

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use procpool_core::{Completion, Event, Handle, Key, Outcome, Processes, Run};
use signal_hook::consts::SIGPIPE;

use crate::exit::scale::{JobFailures, Scale};
use crate::exit::{self, ExitStatus};
use crate::guard::leave_running::LeaveRunning;
use crate::guard::signals::{FirstSignal, ShutdownWatchdog, SignalListener, SignalTargets};
use crate::guard::status::StatusReport;
use crate::guard::{GuardianLink, KeeperGate, LeakedProcess, RunControls};
use crate::input::{self, Earlier, Fault, Input, Jobs};
use crate::job::work::Work;
use crate::os::errors::copy_of;
use crate::run::attempts::Attempts;
use crate::run::sink::{Sink, Totals, Trouble};
use crate::run::summary::{SummaryWish, summary};
use crate::run::tally::{SinkDelivery, Tally};
use crate::terminal::colour::Palette;
use crate::terminal::progress::{Display, Progress};
use crate::terminal::pulse::Pulse;
use crate::terminal::screen;
use crate::terminal::text::shorten;

/// What signals need to reach.
pub(crate) struct Controls {
    /// The sinks beat it.
    pub(crate) pulse: Pulse,
    pub(crate) processes: Processes,
    /// `None` where there is no keeper.
    pub(crate) link: Option<GuardianLink>,
    /// How long a job that was asked to end has.
    pub(crate) grace: Duration,
    /// Whether it is left where it is told to end.
    pub(crate) leave: LeaveRunning,
}

/// What is told of the run itself, and how.
pub(crate) struct Telling {
    pub(crate) progress: Progress,
    pub(crate) summary: SummaryWish,
    pub(crate) palette: Palette,
    /// In which numbers the end is told, if not in procpool's own.
    pub(crate) scale: Option<Scale>,
}

/// Begins a run: opens its journal, if it has one. From then on there is something to resume.
pub(crate) type Begin = Box<dyn FnOnce() -> anyhow::Result<Begun>>;

/// A run that has begun, and of which no job has been started.
pub(crate) struct Begun {
    pub(crate) start: StartRun,
    /// In the order in which they are told of a completion.
    pub(crate) sinks: Vec<Box<dyn Sink>>,
}

/// Sets jobs going, wherever they run.
pub(crate) type StartRun = Box<dyn FnOnce(Jobs) -> anyhow::Result<Run<Work>>>;

/// Runs the jobs of `input` and tells the sinks of each that ends.
pub(crate) fn run(begin: Begin, input: Input, telling: &Telling, controls: Controls) -> ExitStatus {
    let since = Instant::now();
    let Begun { start: set_going, mut sinks } = match begin() {
        Ok(run) => run,
        Err(error) => {
            screen::say_what_waits();
            return exit::own_failure(&error);
        }
    };
    // Signals are not caught yet: until a job can be left behind one ends procpool as it does any program, also while what is
    // replayed waits for a slow reader. What has been printed is noted by then, and the next resume goes on with it.
    let mut recorded = input.recorded;
    let prepare = |sink: &mut Box<dyn Sink>| {
        sink.begin()?;
        recorded.iter_mut().try_for_each(|completion| sink.recorded(completion))
    };
    let prepared = sinks.iter_mut().try_for_each(prepare);
    screen::say_what_waits();
    if let Err(trouble) = prepared {
        return conclude_unbegun(&trouble);
    }
    let keeper_gate = controls.link.as_ref().map(|link| link.keeper_gate.clone()).unwrap_or_default();
    if let (Display::Bar(_), Some(link)) = (telling.progress.display, &controls.link) {
        link.announce_display();
    }
    let cleanup = controls.link.as_ref().map(GuardianLink::cleanup);
    let (run, first_signal) = match start(set_going, input.jobs, controls) {
        Ok(started) => started,
        Err(error) => return exit::own_failure(&error),
    };
    let shown = telling.progress.show(run.handle());
    let mut delivery = Delivery::new(run.handle(), sinks, keeper_gate, telling.scale, input.earlier);
    delivery.loss = input.loss;
    delivery.deliver_all(run);
    delivery.left = cleanup.map(|cleanup| cleanup.run(|| first_signal.get().is_some())).unwrap_or_default();
    let totals = delivery.totals(since.elapsed());
    delivery.tell_sinks(|sink| sink.finish(&totals));
    drop(shown);
    let status = delivery.judge(&input.fault, &first_signal);
    delivery.tell_sinks(|sink| sink.ended(&totals, status));
    delivery.say_what_is_wrong(&input.fault);
    let status = delivery.judge(&input.fault, &first_signal);
    let is_wanted = match telling.summary {
        SummaryWish::Auto => delivery.is_worth_a_summary(status),
        SummaryWish::Always => true,
        SummaryWish::Never => false,
    };
    if is_wanted {
        screen::say(&summary(&delivery.tally, &delivery.left, since.elapsed(), &telling.palette));
    }
    status
}

/// Nothing was started, for a sink can't even begin.
fn conclude_unbegun(trouble: &Trouble) -> ExitStatus {
    match trouble {
        Trouble::Failed(error) => exit::own_failure(error),
        Trouble::ReaderGone => ExitStatus::Signal(SIGPIPE),
    }
}

fn start(set_going: StartRun, jobs: Jobs, controls: Controls) -> anyhow::Result<(Run<Work>, FirstSignal)> {
    let Controls { pulse, processes, link, grace, leave } = controls;
    link.iter().for_each(GuardianLink::announce);
    // Caught before the first job starts: a signal in between would leave that job behind.
    let signals = SignalListener::catch().context("can't catch signals")?;
    let keeper_listener =
        link.map(GuardianLink::listen).transpose().context("can't start a thread that hears the keeper")?;
    let run = set_going(jobs)?;
    let handle = run.handle();
    let targets = SignalTargets {
        report: StatusReport::new(handle.clone(), processes.clone()),
        watchdog: ShutdownWatchdog { handle: handle.clone(), pulse, grace },
        handle: handle.clone(),
        processes: processes.clone(),
        leave,
    };
    let (first_signal, signal_handle) = signals.attach(targets);
    if let Some(listener) = keeper_listener {
        listener.attach(RunControls { signals: signal_handle, handle, processes });
    }
    Ok((run, first_signal))
}

/// Completions on their way to the sinks, and what went wrong on it.
struct Delivery {
    handle: Handle,
    sinks: Vec<Box<dyn Sink>>,
    scale: Option<Scale>,
    earlier: Earlier,
    tally: Tally,
    attempts: Attempts,
    keeper_gate: KeeperGate,
    /// Why some of the sinks are gone.
    trouble: Option<Trouble>,
    /// The first output that could not be kept.
    loss: Option<anyhow::Error>,
    /// What jobs had left behind and was ended.
    left: Vec<LeakedProcess>,
}

impl Delivery {
    fn new(
        handle: Handle,
        sinks: Vec<Box<dyn Sink>>,
        keeper_gate: KeeperGate,
        scale: Option<Scale>,
        earlier: Earlier,
    ) -> Delivery {
        Delivery {
            handle,
            sinks,
            scale,
            earlier,
            tally: Tally::default(),
            attempts: Attempts::default(),
            keeper_gate,
            trouble: None,
            loss: None,
            left: Vec::new(),
        }
    }

    fn deliver_all(&mut self, mut run: Run<Work>) {
        while let Some(event) = run.next_event() {
            self.keeper_gate.pass();
            match event {
                Event::Started(started) => self.tell_sinks(|sink| sink.started(&started)),
                Event::Retried(retried) => {
                    self.look_for_loss(&retried.key, &retried.outcome);
                    self.tell_sinks(|sink| sink.retried(&retried));
                    let superseded = self.attempts.hold(retried);
                    self.tally.note_superseded(superseded.as_ref());
                }
                Event::Completed(completion) => self.complete(completion),
                Event::Wrote(live) => self.tell_sinks(|sink| sink.wrote(&live)),
                _ => {}
            }
        }
        self.keeper_gate.pass();
        self.tally.note_end(&self.handle.snapshot());
    }

    fn complete(&mut self, mut completion: Completion<Work>) {
        let superseded = self.attempts.settle(&mut completion);
        self.tally.note_superseded(superseded.as_ref());
        self.tally.note(&completion);
        self.look_for_loss(completion.key(), &completion.outcome);
        self.tell_sinks(|sink| sink.completed(&mut completion));
    }

    fn totals(&self, elapsed: Duration) -> Totals {
        Totals {
            jobs: self.tally.jobs(),
            succeeded: self.tally.succeeded,
            failed: self.tally.failed,
            stopped: self.tally.stopped,
            unrun: self.tally.unrun.known,
            unread: self.tally.unrun.input,
            leaked: self.tally.leaked,
            left: self.left.clone(),
            elapsed,
        }
    }

    /// Output that could not be kept is not the job's fault, and the next job would lose its own too.
    fn look_for_loss(&mut self, key: &Key, outcome: &Outcome) {
        if let Some(error) = outcome.ran().and_then(|ran| ran.lost.as_ref()) {
            let key = shorten(&key.to_string());
            self.loss.get_or_insert_with(|| {
                anyhow::Error::from(copy_of(error))
                    .context(format!("the output of job \"{key}\" could not be kept"))
            });
            self.handle.drain();
        }
    }

    /// A sink that can't go on is gone, with those after it: nothing is shown that is not recorded. Those before
    /// it go on to record how the run ends, which is stopped.
    fn tell_sinks(&mut self, mut tell: impl FnMut(&mut dyn Sink) -> Result<(), Trouble>) {
        let told = self.sinks.iter_mut().map(|sink| tell(sink.as_mut()));
        if let Some((index, Err(trouble))) = told.enumerate().find(|(_, result)| result.is_err()) {
            self.sinks.truncate(index);
            if matches!(trouble, Trouble::Failed(_)) {
                self.tally.delivery = SinkDelivery::Partial;
            }
            // Of two the graver one is told of, and of two grave ones the first.
            if !matches!(self.trouble, Some(Trouble::Failed(_))) {
                self.trouble = Some(trouble);
            }
            self.handle.stop();
        }
    }

    /// A success is silent, but on a terminal, where a job leaked (what its descendant would have written later is not
    /// there), where something was ended that jobs had left, or where a halt rule ended or left jobs. Silent, too, is an end where nobody reads, and one where nothing ran
    /// and what was wrong has been said.
    fn is_worth_a_summary(&self, status: ExitStatus) -> bool {
        match status {
            ExitStatus::Success => {
                let is_whole = self.tally.leaked == 0
                    && self.left.is_empty()
                    && self.tally.stopped == 0
                    && !self.tally.has_unrun();
                !is_whole || io::stderr().is_terminal()
            }
            _ if matches!(self.trouble, Some(Trouble::ReaderGone)) => false,
            // Of a run that goes on elsewhere there is nothing to sum up.
            ExitStatus::Signal(_) => self.tally.jobs() > 0 || self.tally.has_unrun(),
            _ => self.tally.jobs() > 0,
        }
    }

    /// How procpool has to end, as far as that can be known by now.
    fn judge(&self, fault: &Fault, first_signal: &FirstSignal) -> ExitStatus {
        let end = self.end(fault, first_signal);
        let failures = JobFailures {
            count: self.tally.failed + self.tally.stopped + self.earlier.failed,
            largest: self.tally.largest_status.max(self.earlier.status),
        };
        self.scale.map_or(end, |scale| scale.apply(end, failures))
    }

    fn end(&self, fault: &Fault, first_signal: &FirstSignal) -> ExitStatus {
        // What a halt rule leaves is left on purpose, and it is no failure that it has ended what ran.
        let by_rule = self.handle.snapshot().reached.is_some();
        let has_failed = self.tally.failed + self.earlier.failed > 0 || self.tally.stopped > 0 && !by_rule;
        let has_left_jobs = self.tally.has_unrun() && !by_rule || self.earlier.rest == input::Unread::Unknown;
        let of_trouble = match &self.trouble {
            Some(Trouble::Failed(_)) => Some(ExitStatus::OwnFailure),
            Some(Trouble::ReaderGone) => Some(ExitStatus::Signal(SIGPIPE)),
            None => None,
        };
        let ends = [
            has_failed.then_some(ExitStatus::JobsFailed),
            fault.get().map(|_| ExitStatus::BadInput),
            (has_left_jobs || self.tally.lost > 0 || self.loss.is_some()).then_some(ExitStatus::OwnFailure),
            of_trouble,
            first_signal.get().map(ExitStatus::after),
        ];
        ends.into_iter().flatten().max().unwrap_or(ExitStatus::Success)
    }

    /// Says what is to be said beside the summary.
    fn say_what_is_wrong(&self, fault: &Fault) {
        if let Some(error) = fault.get() {
            exit::bad_input(error);
        }
        if self.earlier.failed > 0 {
            let failed = self.earlier.failed;
            screen::say(&format!(
                "procpool: {failed} more failed in an earlier run, and were left as they are\n"
            ));
        }
        if self.earlier.rest == input::Unread::Unknown {
            exit::own_failure(&anyhow!(
                "the first run ended before its input was read to the end: what stood there is not known; run its command \
                 again with --resume"
            ));
        }
        if let Some(error) = &self.loss {
            exit::own_failure(error);
        }
        if let Some(Trouble::Failed(error)) = &self.trouble {
            exit::own_failure(error);
        }
    }
}
