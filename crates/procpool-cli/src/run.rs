//! Carries a plan out: jobs in, completions to the sinks, one exit status at the end.
//! Knows no option, no concrete sink and no source of jobs.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use procpool_core::{Completion, Event, Handle, Pool, Processes, Run};
use signal_hook::consts::SIGPIPE;

use crate::attempts::Attempts;
use crate::colour::Palette;
use crate::exit::{self, ExitStatus};
use crate::guard::{Alone, Link};
use crate::input::{Fault, Input, Jobs};
use crate::launch::Launcher;
use crate::progress::{Display, Progress};
use crate::pulse::Pulse;
use crate::screen;
use crate::signals::{Caught, Concerned, Insistence, Signals};
use crate::sink::{Sink, Trouble};
use crate::status::StatusReport;
use crate::summary::{SummaryWish, summary};
use crate::tally::{Tally, shorten};
use crate::work::Work;

/// What signals need to reach.
pub(crate) struct Controls {
    /// The sinks beat it.
    pub(crate) pulse: Pulse,
    pub(crate) processes: Processes,
    /// `None` where there is no guardian.
    pub(crate) link: Option<Link>,
    /// How long a job that was asked to end has.
    pub(crate) grace: Duration,
}

/// Who is told of a run.
pub(crate) struct Audience {
    /// In the order in which they are told of a completion.
    pub(crate) sinks: Vec<Box<dyn Sink>>,
    pub(crate) telling: Telling,
}

/// What is told of the run itself, and how.
pub(crate) struct Telling {
    pub(crate) progress: Progress,
    pub(crate) summary: SummaryWish,
    pub(crate) palette: Palette,
}

/// Runs the jobs of `input` and tells the audience of each that ends.
pub(crate) fn run(pool: &Pool<Launcher>, input: Input, audience: Audience, controls: Controls) -> ExitStatus {
    let Audience { sinks, telling } = audience;
    let begun = Instant::now();
    let alone = controls.link.as_ref().map(|link| link.alone.clone()).unwrap_or_default();
    if let (Display::Bar(_), Some(link)) = (telling.progress.display, &controls.link) {
        link.announce_display();
    }
    let (run, caught) = match start(pool, input.jobs, controls) {
        Ok(started) => started,
        Err(error) => return exit::own_failure(&error),
    };
    let shown = telling.progress.show(run.handle());
    let mut delivery = Delivery::new(run.handle(), sinks, alone);
    delivery.deliver_all(run);
    drop(shown);
    let status = delivery.conclude(&input.fault, &caught);
    let is_wanted = match telling.summary {
        SummaryWish::Auto => delivery.is_worth_a_summary(status),
        SummaryWish::Always => true,
        SummaryWish::Never => false,
    };
    if is_wanted {
        screen::say(&summary(&delivery.tally, begun.elapsed(), &telling.palette));
    }
    status
}

fn start(pool: &Pool<Launcher>, jobs: Jobs, controls: Controls) -> anyhow::Result<(Run<Work>, Caught)> {
    let Controls { pulse, processes, link, grace } = controls;
    link.as_ref().map_or(Ok(()), Link::announce)?;
    // Caught before the first job starts: a signal in between would leave that job behind.
    let signals = Signals::catch().context("can't catch signals")?;
    let run = pool.run(jobs)?;
    let handle = run.handle();
    let concerned = Concerned {
        report: StatusReport::new(handle.clone(), processes.clone()),
        insistence: Insistence { handle: handle.clone(), pulse, grace },
        handle: handle.clone(),
        processes: processes.clone(),
    };
    let (caught, obedience) = signals.concern(concerned).context("can't start a thread for signals")?;
    if let Some(link) = link {
        link.listen(obedience, handle, processes).context("can't start a thread that hears the guardian")?;
    }
    Ok((run, caught))
}

/// Completions on their way to the sinks, and what went wrong on it.
struct Delivery {
    handle: Handle,
    sinks: Vec<Box<dyn Sink>>,
    tally: Tally,
    attempts: Attempts,
    alone: Alone,
    /// Why the sinks are told nothing any more.
    trouble: Option<Trouble>,
    /// The first output that could not be kept.
    loss: Option<anyhow::Error>,
}

impl Delivery {
    fn new(handle: Handle, sinks: Vec<Box<dyn Sink>>, alone: Alone) -> Delivery {
        Delivery {
            handle,
            sinks,
            tally: Tally::default(),
            attempts: Attempts::default(),
            alone,
            trouble: None,
            loss: None,
        }
    }

    fn deliver_all(&mut self, mut run: Run<Work>) {
        while let Some(event) = run.next_event() {
            self.alone.hold();
            match event {
                Event::Completed(completion) => self.complete(completion),
                Event::Retried(retried) => {
                    self.tell_sinks(|sink| sink.retried(&retried));
                    self.attempts.hold(retried);
                }
                Event::Wrote(live) => self.tell_sinks(|sink| sink.wrote(&live)),
                _ => {}
            }
        }
        self.alone.hold();
        self.tell_sinks(|sink| sink.finish());
        self.tally.note_end(&self.handle.snapshot());
    }

    fn complete(&mut self, mut completion: Completion<Work>) {
        self.attempts.settle(&mut completion);
        self.tally.note(&completion);
        self.look_for_loss(&completion);
        self.tell_sinks(|sink| sink.completed(&mut completion));
    }

    /// Output that could not be kept is not the job's fault, and the next job would lose its own too.
    fn look_for_loss(&mut self, completion: &Completion<Work>) {
        if let Some(error) = completion.outcome.ran().and_then(|ran| ran.lost.as_ref()) {
            let key = shorten(&completion.key().to_string());
            self.loss
                .get_or_insert_with(|| anyhow!("the output of job \"{key}\" could not be kept: {error}"));
            self.handle.drain();
        }
    }

    /// After the first sink that can't go on, none is told anything more, and the run is stopped.
    fn tell_sinks(&mut self, mut tell: impl FnMut(&mut dyn Sink) -> Result<(), Trouble>) {
        if self.trouble.is_some() {
            return;
        }
        if let Err(trouble) = self.sinks.iter_mut().try_for_each(|sink| tell(sink.as_mut())) {
            self.trouble = Some(trouble);
            self.handle.stop();
        }
    }

    /// A success is silent, but on a terminal or where a job leaked: what its descendant would have written
    /// later is not there. Silent, too, is an end where nobody reads, and one where nothing ran and
    /// what was wrong has been said.
    fn is_worth_a_summary(&self, status: ExitStatus) -> bool {
        match status {
            ExitStatus::Success => self.tally.leaked > 0 || io::stderr().is_terminal(),
            _ if matches!(self.trouble, Some(Trouble::ReaderGone)) => false,
            ExitStatus::Signal(_) => true,
            _ => self.tally.jobs() > 0,
        }
    }

    /// How procpool has to end. Says what is to be said about that beside the summary.
    fn conclude(&self, fault: &Fault, caught: &Caught) -> ExitStatus {
        let mut status = ExitStatus::Success;
        let mut at_least = |other: ExitStatus| status = status.max(other);
        if let Some(error) = fault.get() {
            at_least(exit::bad_input(error));
        }
        // What a halt rule leaves is left on purpose.
        let reached = self.handle.snapshot().reached;
        if self.tally.has_unrun() && reached.is_none() {
            at_least(ExitStatus::OwnFailure);
        }
        // Nor is it a failure that the rule has ended what ran.
        if self.tally.failed > 0 || self.tally.stopped > 0 && reached.is_none() {
            at_least(ExitStatus::JobsFailed);
        }
        if let Some(error) = &self.loss {
            at_least(exit::own_failure(error));
        }
        match &self.trouble {
            Some(Trouble::Failed(error)) => at_least(exit::own_failure(error)),
            Some(Trouble::ReaderGone) => at_least(ExitStatus::Signal(SIGPIPE)),
            None => {}
        }
        if let Some(signal) = caught.get() {
            at_least(ExitStatus::Signal(signal));
        }
        status
    }
}
