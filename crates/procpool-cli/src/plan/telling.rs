//! What procpool itself says of a run, and how, by what was typed and by what standard error is.
//! Knows nothing of jobs.

use std::io::{self, IsTerminal};

use procpool_core::Capture;

use crate::args::{ProgressWish, TellingArgs};
use crate::colour::{Palette, Place};
use crate::progress::{Display, Failed, Progress};
use crate::run::Telling;
use crate::screen;
use crate::sink::Sink;
use crate::sink::failures::Failures;

/// `capture`: where jobs write to the terminal themselves, procpool can't know where they do.
pub(super) fn telling(args: &TellingArgs, capture: Capture) -> Telling {
    let place = if io::stderr().is_terminal() { Place::Terminal } else { Place::Elsewhere };
    let palette = Palette::choose(args.color, place);
    let can_draw = capture != Capture::Inherit && screen::can_draw();
    let display = match args.progress() {
        ProgressWish::Auto | ProgressWish::Bar if can_draw => Display::Bar(palette),
        ProgressWish::Auto | ProgressWish::None => Display::Nothing,
        ProgressWish::Bar | ProgressWish::Plain => Display::Plain,
    };
    Telling {
        progress: Progress { display, failed: Failed::default() },
        summary: args.summary,
        palette,
        scale: args.exit_code,
    }
}

/// Who says of failures as they happen, and counts them; nobody, where nothing is shown of the run.
pub(super) fn failures(telling: &Telling) -> Option<Box<dyn Sink>> {
    let Telling { progress, palette, .. } = telling;
    match progress.display {
        Display::Nothing => None,
        Display::Bar(_) | Display::Plain => Some(Box::new(Failures::new(progress.failed.clone(), *palette))),
    }
}
