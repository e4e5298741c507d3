//! Who is told of completions, by what was typed.

use std::sync::Arc;

use anyhow::{Context, bail};
use procpool_core::Capture;

use crate::args::{OutputArgs, OutputMode};
use crate::job::labels::Labels;
use crate::os::closed::StandardStream;
use crate::output::catch_up::{CatchUp, Prints};
use crate::output::discard::Discard;
use crate::output::in_order::InOrder;
use crate::output::line_follower::KeepOutput;
use crate::output::lines::LinePrinter;
use crate::output::print::{Printer, Tag};
use crate::output::replay::Replay;
use crate::output::stream::Control;
use crate::run::sink::Sink;
use crate::template::{Names, TagTemplate};
use crate::terminal::heartbeat::Heartbeat;
use procpool_journal::format::positions::Positions;
use procpool_journal::write::print_log::PrintLog as Account;

/// What becomes of jobs' outputs.
pub(super) struct Outputs {
    /// Who prints them, if anybody does.
    pub(super) printer: Option<Box<dyn Sink>>,
    pub(super) capture: Capture,
    pub(super) news: News,
    /// What lines are tagged with, where that has to be made for each job.
    pub(super) labels: Option<Arc<Labels>>,
}

/// What a journal asks of who prints.
pub(super) struct RecordedPrinting {
    /// Where account is taken of what has been printed.
    pub(super) account: Arc<Account>,
    /// The jobs that print, where that aren't all of the list.
    pub(super) prints: Option<Arc<Positions>>,
    pub(super) replay: Option<Replay>,
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
    kept: KeepOutput,
    heartbeat: &Heartbeat,
    recorded: Option<RecordedPrinting>,
) -> anyhow::Result<Outputs> {
    let labels = labels(args, names)?;
    let mut printer = printer(args, labels.clone(), kept, heartbeat);
    // What is recorded is shown when it has been: nothing is followed.
    let streams = if recorded.is_some() { News::Unwanted } else { News::Wanted };
    let (prints, replay) = match recorded {
        None => (None, None),
        Some(RecordedPrinting { account, prints, replay }) => {
            if args.output == OutputMode::Lines && !args.keep_order {
                account.keep_rows().context("can't write to the journal")?;
            }
            printer = printer.keep_account(account);
            (prints, replay)
        }
    };
    let captured = |printer, news| Outputs { printer, capture: Capture::Spool, news, labels };
    Ok(match (args.output, args.keep_order) {
        (OutputMode::Grouped | OutputMode::Lines, true) => {
            captured(Some(Box::new(InOrder::new(printer, prints, replay))), streams)
        }
        (OutputMode::Grouped, false) => captured(Some(catching_up(printer, replay)), News::Unwanted),
        (OutputMode::Lines, false) => {
            captured(Some(catching_up(LinePrinter::new(printer), replay)), News::Wanted)
        }
        (OutputMode::None, _) => match kept {
            KeepOutput::Kept => captured(None, News::Unwanted),
            KeepOutput::Forgotten => captured(Some(Box::new(Discard)), News::Wanted),
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

/// What goes on with what an earlier run has recorded, if there is any.
fn catching_up<P: Prints + 'static>(printer: P, replay: Option<Replay>) -> Box<dyn Sink> {
    match replay {
        None => Box::new(printer),
        Some(replay) => Box::new(CatchUp::new(printer, replay)),
    }
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
    StandardStream::Output.check().context("--output raw, and standard output")?;
    StandardStream::Error.check().context("--output raw, and standard error")
}

fn labels(args: &OutputArgs, names: Option<&Names>) -> anyhow::Result<Option<Arc<Labels>>> {
    let Some(text) = &args.tag_with else { return Ok(None) };
    let template = TagTemplate::parse(text, names).context("--tag-with")?;
    Ok(Some(Arc::new(Labels::new(template))))
}

fn printer(
    args: &OutputArgs,
    labels: Option<Arc<Labels>>,
    kept: KeepOutput,
    heartbeat: &Heartbeat,
) -> Printer {
    let tag = match labels {
        Some(labels) => Tag::Label(labels),
        None if args.tag => Tag::Key,
        None => Tag::Nothing,
    };
    let control = if args.raw_control { Control::All } else { Control::Colour };
    Printer::new(tag, control, kept, heartbeat)
}
