//! Prints what an earlier run has recorded and not printed, before anything else.

use procpool_core::{Completion, Live, Retried, Started};

use crate::job::work::Work;
use crate::output::print::Printer;
use crate::output::replay::{PartlyPrinted, Replay};
use crate::run::sink::{Sink, Totals, Trouble};

/// A printer that keeps no order, with outputs of an earlier run to print first.
pub(crate) struct CatchUp<P> {
    printer: P,
    replay: Option<Replay>,
}

/// A sink that prints through a [`Printer`].
pub(crate) trait Prints: Sink {
    fn printer(&mut self) -> &mut Printer;
}

impl<P> CatchUp<P> {
    pub(crate) fn new(printer: P, replay: Replay) -> CatchUp<P> {
        CatchUp { printer, replay: Some(replay) }
    }
}

impl Prints for Printer {
    fn printer(&mut self) -> &mut Printer {
        self
    }
}

impl<P: Prints> Sink for CatchUp<P> {
    fn begin(&mut self) -> Result<(), Trouble> {
        self.printer.begin()?;
        let Some(mut replay) = self.replay.take() else { return Ok(()) };
        // The output that was cut off is finished first: nothing may come in between.
        match replay.take_begun().map_err(Trouble::reading)? {
            Some(PartlyPrinted::Rest(rest)) => self.printer.printer().finish_begun(&rest)?,
            Some(PartlyPrinted::Torn(partial)) => self.printer.printer().end_torn_line(partial)?,
            None => {}
        }
        for position in replay.positions() {
            if let Some(recorded) = replay.take(position).map_err(Trouble::reading)? {
                self.printer.printer().print_recorded(&recorded)?;
            }
        }
        Ok(())
    }

    fn started(&mut self, started: &Started) -> Result<(), Trouble> {
        self.printer.started(started)
    }

    fn wrote(&mut self, live: &Live) -> Result<(), Trouble> {
        self.printer.wrote(live)
    }

    fn retried(&mut self, retried: &Retried) -> Result<(), Trouble> {
        self.printer.retried(retried)
    }

    fn completed(&mut self, completion: &mut Completion<Work>) -> Result<(), Trouble> {
        self.printer.completed(completion)
    }

    fn finish(&mut self, totals: &Totals) -> Result<(), Trouble> {
        self.printer.finish(totals)
    }
}
