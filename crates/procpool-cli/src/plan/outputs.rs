//! Chooses, by the options, what prints completions and how outputs are captured.

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

/// What is done with jobs' outputs.
pub(super) struct Outputs {
    /// The sink that prints them, if any.
    pub(super) printer: Option<Box<dyn Sink>>,
    pub(super) capture: Capture,
    pub(super) news: News,
    /// The tags of lines, if each job needs a tag of its own.
    pub(super) labels: Option<Arc<Labels>>,
}

/// What a journal requires of the printer.
pub(super) struct RecordedPrinting {
    /// The log of what has been printed.
    pub(super) account: Arc<Account>,
    /// Jobs whose output is printed; `None` means all.
    pub(super) prints: Option<Arc<Positions>>,
    pub(super) replay: Option<Replay>,
}

/// Whether outputs are reported while jobs run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    Wanted,
    Unwanted,
}

/// # Errors
/// If options contradict each other.
pub(super) fn outputs(
    args: &OutputArgs,
    names: Option<&Names>,
    kept: KeepOutput,
    heartbeat: &Heartbeat,
    recorded: Option<RecordedPrinting>,
) -> anyhow::Result<Outputs> {
    let labels = labels(args, names)?;
    let mut printer = printer(args, labels.clone(), kept, heartbeat);
    // Recorded output is printed only after it was recorded, so running jobs are not followed.
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

/// Adds the outputs that an earlier run has recorded, if there are any.
fn catching_up<P: Prints + 'static>(printer: P, replay: Option<Replay>) -> Box<dyn Sink> {
    match replay {
        None => Box::new(printer),
        Some(replay) => Box::new(CatchUp::new(printer, replay)),
    }
}

/// Refuses options that shape output, because raw output bypasses procpool. Also checks that the streams that
/// jobs will write to are open.
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
