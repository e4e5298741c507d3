//! Prints whole lines as they come, of all jobs side by side.
//! Knows nothing of how a line is shaped.

use std::collections::HashMap;

use procpool_core::{Completion, Key, Live, Outcome, Retried, Seq, Source, Spool};

use crate::sink::catch_up::Prints;
use crate::sink::passage::{Last, Passage};
use crate::sink::print::Printer;
use crate::sink::{Sink, Totals, Trouble};
use crate::work::Work;

/// A printer of lines.
pub(crate) struct Lines {
    printer: Printer,
    /// The outputs of attempts that run and have written something, by number, attempt and source.
    running: HashMap<(u64, u32, Source), Passage>,
    /// The last attempts that were printed whole of jobs that are to be tried again, by number.
    printed: HashMap<u64, u32>,
}

impl Lines {
    pub(crate) fn new(printer: Printer) -> Lines {
        Lines { printer, running: HashMap::new(), printed: HashMap::new() }
    }

    fn end(&mut self, attempt: (Seq, u32), key: &Key, outcome: &Outcome) -> Result<(), Trouble> {
        let Some(ran) = outcome.ran() else { return Ok(()) };
        let label = self.printer.label(attempt.0, key);
        let output = |source| (attempt.0.get(), attempt.1, source);
        self.end_output(output(Source::Stdout), label.as_ref(), &ran.stdout)?;
        self.end_output(output(Source::Stderr), label.as_ref(), &ran.stderr)
    }

    /// Prints the rest; a last line without a newline is given one, for another's may follow.
    fn end_output(
        &mut self,
        output: (u64, u32, Source),
        label: Option<&Key>,
        spool: &Spool,
    ) -> Result<(), Trouble> {
        let begun = self.running.remove(&output);
        if spool.is_empty() {
            return Ok(());
        }
        let stream = self.printer.stream(output.2);
        let passage = begun.unwrap_or_else(|| Passage::new(stream, label));
        match passage.finish(spool, stream)? {
            Last::LineEnd => Ok(()),
            Last::Text => stream.put(b"\n"),
        }
    }
}

impl Prints for Lines {
    fn printer(&mut self) -> &mut Printer {
        &mut self.printer
    }
}

impl Sink for Lines {
    fn wrote(&mut self, live: &Live) -> Result<(), Trouble> {
        if live.is_over() {
            // Its completion has come, or is on its way.
            return Ok(());
        }
        let Lines { printer, running, .. } = self;
        let label = printer.label(live.seq, &live.key);
        let printed = printer.printed();
        let stream = printer.stream(live.source);
        let output = (live.seq.get(), live.attempt, live.source);
        let passage = running.entry(output).or_insert_with(|| Passage::new(stream, label.as_ref()));
        passage.follow(live, stream, printed)
    }

    fn retried(&mut self, retried: &Retried) -> Result<(), Trouble> {
        self.printed.insert(retried.seq.get(), retried.attempt);
        self.end((retried.seq, retried.attempt), &retried.key, &retried.outcome)
    }

    fn completed(&mut self, completion: &mut Completion<Work>) -> Result<(), Trouble> {
        let attempt = (completion.seq, completion.attempt);
        // Where the next attempt never came, the one before is the job's end, and has been printed.
        let is_printed = self.printed.remove(&completion.seq.get()) == Some(completion.attempt);
        let ended =
            if is_printed { Ok(()) } else { self.end(attempt, completion.key(), &completion.outcome) };
        self.printer.is_done(completion.seq);
        ended.and_then(|()| self.printer.end_job(completion.seq.get()))
    }

    fn finish(&mut self, _: &Totals) -> Result<(), Trouble> {
        Ok(())
    }
}
