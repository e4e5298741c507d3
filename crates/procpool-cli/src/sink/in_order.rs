//! Prints outputs in the order of the input; those of jobs that end early wait.
//! Knows nothing of how they are printed.

use std::mem;

use procpool_core::{Completion, Key, Outcome, Spool};

use crate::reorder::Reorder;
use crate::sink::print::Printer;
use crate::sink::{Sink, Trouble};
use crate::work::Work;

/// A printer that keeps the order. A waiting output costs no open file, and some hundred bytes of memory.
pub(crate) struct InOrder {
    printer: Printer,
    waiting: Reorder<Waiting>,
}

/// The outputs of a job whose turn has not come.
struct Waiting {
    key: Key,
    stdout: Spool,
    stderr: Spool,
}

impl InOrder {
    pub(crate) fn new(printer: Printer) -> InOrder {
        InOrder { printer, waiting: Reorder::new() }
    }

    fn take_outputs(&self, completion: &mut Completion<Work>) -> Waiting {
        let mut waiting = Waiting {
            // It may be as long as an argument, and be wanted for nothing.
            key: if self.printer.shows_keys() { completion.key().clone() } else { Key::from("") },
            stdout: Spool::default(),
            stderr: Spool::default(),
        };
        if let Outcome::Ran(ran) = &mut completion.outcome {
            waiting.stdout = mem::take(&mut ran.stdout);
            waiting.stderr = mem::take(&mut ran.stderr);
        }
        for spool in [&mut waiting.stdout, &mut waiting.stderr] {
            // Where there is no room for it on disk it stays in memory; nothing is lost by that.
            let _ = spool.spill();
        }
        waiting
    }

    fn print(&mut self, waiting: &Waiting) -> Result<(), Trouble> {
        self.printer.print(&waiting.key, &waiting.stdout, &waiting.stderr)
    }
}

impl Sink for InOrder {
    fn completed(&mut self, completion: &mut Completion<Work>) -> Result<(), Trouble> {
        let seq = completion.seq.get();
        if self.waiting.is_next(seq) {
            self.waiting.skip();
            self.printer.completed(completion)?;
        } else {
            self.waiting.hold(seq, self.take_outputs(completion));
        }
        while let Some(waiting) = self.waiting.take() {
            self.print(&waiting)?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Trouble> {
        for waiting in self.waiting.take_rest() {
            self.print(&waiting)?;
        }
        self.printer.finish()
    }
}
