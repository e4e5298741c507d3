//! Runs the jobs: begins the sinks, catches signals, starts the run, delivers its events, and returns the
//! exit status. Where jobs come from, where they run and what the sinks do is decided by `plan`.

pub(crate) mod attempts;
mod delivery;
pub(crate) mod sink;
pub(crate) mod summary;
pub(crate) mod tally;
mod verdict;

use std::io::{self, IsTerminal};
use std::time::Instant;

use anyhow::anyhow;
use procpool_core::{Completion, Run};
use signal_hook::consts::SIGPIPE;

use crate::exit::scale::Scale;
use crate::exit::{self, ExitStatus};
use crate::guard::{GatedRun, LeakedProcess, Supervision, Supervisor};
use crate::input::{self, Input, Jobs};
use crate::job::work::Work;
use crate::run::delivery::Delivery;
use crate::run::sink::{Sink, Trouble};
use crate::run::summary::{SummaryWish, summary};
use crate::run::verdict::RunEnd;
use crate::terminal::colour::Palette;
use crate::terminal::progress::{Progress, ProgressMode};
use crate::terminal::screen;

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
pub(crate) fn run(begin: Begin, input: Input, telling: &Telling, supervision: Supervision) -> ExitStatus {
    let since = Instant::now();
    let ready = begin_with_sinks(begin, input.recorded);
    screen::say_what_waits();
    let Begun { start, sinks } = match ready {
        Ok(ready) => ready,
        Err(Trouble::Failed(error)) => return exit::own_failure(&error),
        Err(Trouble::ReaderGone) => return ExitStatus::Signal(SIGPIPE),
    };
    if let ProgressMode::Bar(_) = telling.progress.display {
        supervision.announce_display();
    }
    let (run, supervisor) = match catch_and_start(start, input.jobs, supervision) {
        Ok(started) => started,
        Err(error) => return exit::own_failure(&error),
    };
    let shown = telling.progress.show(run.handle());
    let mut delivery = Delivery::new(run.handle(), sinks, input.loss);
    delivery.deliver_all(run);
    delivery.left = supervisor.end_leftovers();
    let totals = delivery.totals(since.elapsed());
    delivery.tell_sinks(|sink| sink.finish(&totals));
    drop(shown);
    let status =
        delivery.end(&input.fault, input.earlier, supervisor.first_signal()).exit_status(telling.scale);
    delivery.tell_sinks(|sink| sink.ended(&totals, status));
    report_errors(&delivery.end(&input.fault, input.earlier, supervisor.first_signal()));
    // Sinks may have failed since, or a signal may have come.
    let end = delivery.end(&input.fault, input.earlier, supervisor.first_signal());
    let status = end.exit_status(telling.scale);
    let is_wanted = match telling.summary {
        SummaryWish::Auto => is_worth_a_summary(&end, status, &delivery.left),
        SummaryWish::Always => true,
        SummaryWish::Never => false,
    };
    if is_wanted {
        screen::say(&summary(&delivery.tally, &delivery.left, since.elapsed(), &telling.palette));
    }
    status
}

/// Begins the run and its sinks, and tells them what earlier runs have recorded.
///
/// Signals are not caught yet: as long as there is no job that could be left behind, a signal ends procpool like any
/// program, also while a replay waits for a slow reader. What has been printed by then is noted, and the next
/// resume goes on with it.
fn begin_with_sinks(begin: Begin, mut recorded: Vec<Completion<Work>>) -> Result<Begun, Trouble> {
    let mut ready = begin().map_err(Trouble::Failed)?;
    for sink in &mut ready.sinks {
        sink.begin()?;
        recorded.iter_mut().try_for_each(|completion| sink.recorded(completion))?;
    }
    Ok(ready)
}

/// Catches signals, and then starts the run.
fn catch_and_start(
    start: StartRun,
    jobs: Jobs,
    supervision: Supervision,
) -> anyhow::Result<(GatedRun<Work>, Supervisor)> {
    let listener = supervision.listen()?;
    Ok(listener.attach(start(jobs)?))
}

/// Prints what is not in the summary.
fn report_errors(end: &RunEnd<'_>) {
    if let Some(error) = end.bad_input {
        exit::bad_input(error);
    }
    if end.earlier.failed > 0 {
        let failed = end.earlier.failed;
        screen::say(&format!(
            "procpool: {failed} more failed in an earlier run, and were left as they are\n"
        ));
    }
    if end.earlier.rest == input::Unread::Unknown {
        exit::own_failure(&anyhow!(
            "the first run ended before its input was read to the end: what stood there is not known; run its command \
             again with --resume"
        ));
    }
    if let Some(error) = end.lost_output {
        exit::own_failure(error);
    }
    if let Some(Trouble::Failed(error)) = end.trouble {
        exit::own_failure(error);
    }
}

/// A success is silent, but on a terminal, or if leftovers were killed.
fn is_worth_a_summary(end: &RunEnd<'_>, status: ExitStatus, killed: &[LeakedProcess]) -> bool {
    let is_shown_anyway = status == ExitStatus::Success && (!killed.is_empty() || io::stderr().is_terminal());
    is_shown_anyway || end.needs_summary(status)
}
