//! What procpool itself says of a run, and how, by what was typed and by what standard error is.

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

/// `capture`: where jobs write to the terminal themselves, procpool can't know where they do.
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
        // Of jobs that are left to a cluster there is nothing to say yet.
        summary: if cluster.detach { SummaryWish::Never } else { args.summary.into() },
        palette,
        scale: args.exit_code,
    }
}

/// Whether somebody is told how the run goes on, be it by lines on a terminal.
pub(super) fn watched(telling: &Telling, cluster: &ClusterArgs) -> Audience {
    match telling.progress.display {
        ProgressMode::Nothing if !io::stderr().is_terminal() && !cluster.detach => Audience::ByNobody,
        _ => Audience::ByPeople,
    }
}

/// Who says of failures as they happen, and counts them; nobody, where nothing is shown of the run.
pub(super) fn failures(telling: &Telling) -> Option<Box<dyn Sink>> {
    let Telling { progress, palette, .. } = telling;
    match progress.display {
        ProgressMode::Nothing => None,
        ProgressMode::Bar(_) | ProgressMode::Plain => {
            Some(Box::new(Failures::new(progress.failed.clone(), *palette)))
        }
    }
}
