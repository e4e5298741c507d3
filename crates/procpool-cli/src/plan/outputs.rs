//! Who is told of completions, by what was typed.
//! Knows nothing of where jobs come from.

use crate::args::OutputArgs;
use crate::pulse::Pulse;
use crate::sink::Sink;
use crate::sink::in_order::InOrder;
use crate::sink::print::{Control, Printer, Tag};

/// The sinks, in the order in which they are told.
pub(super) fn sinks(args: &OutputArgs, pulse: &Pulse) -> Vec<Box<dyn Sink>> {
    vec![printer(args, pulse)]
}

fn printer(args: &OutputArgs, pulse: &Pulse) -> Box<dyn Sink> {
    let tag = if args.tag { Tag::Key } else { Tag::Nothing };
    let control = if args.raw_control { Control::All } else { Control::Colour };
    let printer = Printer::new(tag, control, pulse);
    if args.keep_order { Box::new(InOrder::new(printer)) } else { Box::new(printer) }
}
