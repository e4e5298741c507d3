//! What procpool itself reports about a run and how, depending on the options and on standard error.

use std::io::{self, IsTerminal};

use procpool_core::Capture;

use crate::args::{ClusterArgs, ProgressChoice, TellingArgs};
use crate::cluster::head_config::Audience;
use crate::output::failures::Failures;
use crate::run::Telling;
use crate::run::sink::Sink;
use crate::run::summary::SummaryWish;
use crate::terminal::colour::{Destination, Palette};
use crate::terminal::progress::{FailureCount, Progress, ProgressMode};
use crate::terminal::screen;

/// `capture`: if jobs write to the terminal themselves, procpool can't know where on it, so it draws nothing.
pub(super) fn telling(args: &TellingArgs, capture: Capture, cluster: &ClusterArgs) -> Telling {
    let place = if io::stderr().is_terminal() { Destination::Terminal } else { Destination::Elsewhere };
    let palette = Palette::choose(args.color, place);
    let can_draw = capture != Capture::Inherit && screen::can_draw();
    let display = match args.progress() {
        ProgressChoice::Auto | ProgressChoice::Bar if can_draw => ProgressMode::Bar(palette),
        ProgressChoice::Auto | ProgressChoice::None => ProgressMode::Nothing,
        ProgressChoice::Bar | ProgressChoice::Plain => ProgressMode::Plain,
    };
    Telling {
        progress: Progress { display, failed: FailureCount::default() },
        // About jobs that are left to a cluster there is nothing to report yet.
        summary: if cluster.detach { SummaryWish::Never } else { args.summary.into() },
        palette,
        scale: args.exit_code,
    }
}

/// Whether a person follows the progress of the run, if only by lines on a terminal.
pub(super) fn watched(telling: &Telling, cluster: &ClusterArgs) -> Audience {
    match telling.progress.display {
        ProgressMode::Nothing if !io::stderr().is_terminal() && !cluster.detach => Audience::ByNobody,
        _ => Audience::ByPeople,
    }
}

/// The sink that reports and counts failures as they happen; `None` if the progress is not shown.
pub(super) fn failures(telling: &Telling) -> Option<Box<dyn Sink>> {
    let Telling { progress, palette, .. } = telling;
    match progress.display {
        ProgressMode::Nothing => None,
        ProgressMode::Bar(_) | ProgressMode::Plain => {
            Some(Box::new(Failures::new(progress.failed.clone(), *palette)))
        }
    }
}
