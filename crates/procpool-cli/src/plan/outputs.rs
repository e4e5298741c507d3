//! Who is told of completions, by what was typed.
//! Knows nothing of where jobs come from.

use anyhow::{Context, bail};
use procpool_core::Capture;

use crate::args::{OutputArgs, OutputMode};
use crate::closed::Standard;
use crate::pulse::Pulse;
use crate::sink::Sink;
use crate::sink::in_order::InOrder;
use crate::sink::lines::Lines;
use crate::sink::print::{Printer, Tag};
use crate::sink::stream::Control;

/// What becomes of jobs' outputs.
pub(super) struct Outputs {
    /// Who prints them, if anybody does.
    pub(super) printer: Option<Box<dyn Sink>>,
    pub(super) capture: Capture,
    pub(super) news: News,
}

/// Whether somebody wants to know of outputs before jobs have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    Wanted,
    Unwanted,
}

/// # Errors
/// Where options contradict each other.
pub(super) fn outputs(args: &OutputArgs, pulse: &Pulse) -> anyhow::Result<Outputs> {
    let captured = |printer, news| Outputs { printer, capture: Capture::Spool, news };
    Ok(match (args.output, args.keep_order) {
        (OutputMode::Grouped | OutputMode::Lines, true) => {
            captured(Some(Box::new(InOrder::new(printer(args, pulse)))), News::Wanted)
        }
        (OutputMode::Grouped, false) => captured(Some(Box::new(printer(args, pulse))), News::Unwanted),
        (OutputMode::Lines, false) => {
            captured(Some(Box::new(Lines::new(printer(args, pulse)))), News::Wanted)
        }
        (OutputMode::None, _) => captured(None, News::Unwanted),
        (OutputMode::Raw, keep_order) => {
            refuse_shaping(args, keep_order)?;
            Outputs {
                printer: None,
                capture: Capture::Inherit,
                news: News::Unwanted,
            }
        }
    })
}

/// What jobs write past procpool it can't shape; and what they would write to, has to be there.
fn refuse_shaping(args: &OutputArgs, keep_order: bool) -> anyhow::Result<()> {
    for (is_given, flag) in [(keep_order, "--keep-order"), (args.tag, "--tag")] {
        if is_given {
            bail!(
                "{flag} and --output raw: raw output goes past procpool, which can't order or tag it; try --output lines"
            );
        }
    }
    Standard::Output.check().context("--output raw, and standard output")?;
    Standard::Error.check().context("--output raw, and standard error")
}

fn printer(args: &OutputArgs, pulse: &Pulse) -> Printer {
    let tag = if args.tag { Tag::Key } else { Tag::Nothing };
    let control = if args.raw_control { Control::All } else { Control::Colour };
    Printer::new(tag, control, pulse)
}
