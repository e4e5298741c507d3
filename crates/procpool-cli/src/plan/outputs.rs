//! Who is told of completions, by what was typed.
//! Knows nothing of where jobs come from.

use std::sync::Arc;

use anyhow::{Context, bail};
use procpool_core::Capture;

use crate::args::{OutputArgs, OutputMode};
use crate::closed::Standard;
use crate::labels::Labels;
use crate::pulse::Pulse;
use crate::sink::Sink;
use crate::sink::forget::Forget;
use crate::sink::in_order::InOrder;
use crate::sink::lines::Lines;
use crate::sink::passage::Printed;
use crate::sink::print::{Printer, Tag};
use crate::sink::stream::Control;
use crate::template::{Names, TagTemplate};

/// What becomes of jobs' outputs.
pub(super) struct Outputs {
    /// Who prints them, if anybody does.
    pub(super) printer: Option<Box<dyn Sink>>,
    pub(super) capture: Capture,
    pub(super) news: News,
    /// What lines are tagged with, where that has to be made for each job.
    pub(super) labels: Option<Arc<Labels>>,
}

/// Whether somebody wants to know of outputs before jobs have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    Wanted,
    Unwanted,
}

/// # Errors
/// Where options contradict each other.
pub(super) fn outputs(
    args: &OutputArgs,
    names: Option<&Names>,
    kept: Printed,
    pulse: &Pulse,
) -> anyhow::Result<Outputs> {
    let labels = labels(args, names)?;
    let printer = printer(args, labels.clone(), kept, pulse);
    let captured = |printer, news| Outputs { printer, capture: Capture::Spool, news, labels };
    Ok(match (args.output, args.keep_order) {
        (OutputMode::Grouped | OutputMode::Lines, true) => {
            captured(Some(Box::new(InOrder::new(printer))), News::Wanted)
        }
        (OutputMode::Grouped, false) => captured(Some(Box::new(printer)), News::Unwanted),
        (OutputMode::Lines, false) => captured(Some(Box::new(Lines::new(printer))), News::Wanted),
        (OutputMode::None, _) => match kept {
            Printed::Kept => captured(None, News::Unwanted),
            Printed::Forgotten => captured(Some(Box::new(Forget)), News::Wanted),
        },
        (OutputMode::Raw, keep_order) => {
            refuse_shaping(args, keep_order)?;
            Outputs {
                printer: None,
                capture: Capture::Inherit,
                news: News::Unwanted,
                labels: None,
            }
        }
    })
}

/// What jobs write past procpool it can't shape; and what they would write to, has to be there.
fn refuse_shaping(args: &OutputArgs, keep_order: bool) -> anyhow::Result<()> {
    for (is_given, flag) in
        [(keep_order, "--keep-order"), (args.tag, "--tag"), (args.tag_with.is_some(), "--tag-with")]
    {
        if is_given {
            bail!(
                "{flag} and --output raw: raw output goes past procpool, which can't order or tag it; try --output lines"
            );
        }
    }
    Standard::Output.check().context("--output raw, and standard output")?;
    Standard::Error.check().context("--output raw, and standard error")
}

fn labels(args: &OutputArgs, names: Option<&Names>) -> anyhow::Result<Option<Arc<Labels>>> {
    let Some(text) = &args.tag_with else { return Ok(None) };
    let template = TagTemplate::parse(text, names).context("--tag-with")?;
    Ok(Some(Arc::new(Labels::new(template))))
}

fn printer(args: &OutputArgs, labels: Option<Arc<Labels>>, kept: Printed, pulse: &Pulse) -> Printer {
    let tag = match labels {
        Some(labels) => Tag::Label(labels),
        None if args.tag => Tag::Key,
        None => Tag::Nothing,
    };
    let control = if args.raw_control { Control::All } else { Control::Colour };
    Printer::new(tag, control, kept, pulse)
}
