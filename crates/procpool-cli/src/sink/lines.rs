//! Prints whole lines as they come, of all jobs side by side.
//! Knows nothing of how a line is shaped.

use std::collections::HashMap;

use procpool_core::{Completion, Key, Live, Outcome, Retried, Seq, Source, Spool};

use crate::sink::passage::Passage;
use crate::sink::print::Printer;
use crate::sink::{Sink, Totals, Trouble};
use crate::work::Work;

/// A printer of lines. A line stays in the job's spool until it is whole, so that none is too long.
pub(crate) struct Lines {
    printer: Printer,
    /// The outputs of attempts that run and have written something, by number, attempt and source.
    running: HashMap<(u64, u32, Source), LinePassage>,
}

struct LinePassage {
    passage: Passage,
    /// Up to here it was searched for a line's end.
    searched: u64,
}

/// So much is searched at a time.
const PIECE: u64 = 64 * 1024;

impl Lines {
    pub(crate) fn new(printer: Printer) -> Lines {
        Lines { printer, running: HashMap::new() }
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
        let passage = begun.map_or_else(|| Passage::new(stream, label), |begun| begun.passage);
        passage.finish(spool, stream)?;
        let last = spool.tail(1).unwrap_or_default();
        if label.is_none() && last != b"\n" {
            stream.put(b"\n")?;
        }
        Ok(())
    }
}

impl LinePassage {
    /// Prints up to the end of the last line that is whole.
    fn follow(&mut self, live: &Live, printer: &mut Printer) -> Result<(), Trouble> {
        let until = live.length();
        while self.searched < until {
            let range = self.searched..until.min(self.searched + PIECE);
            let piece = live.read(range).map_err(Trouble::reading)?;
            if piece.is_empty() {
                return Ok(());
            }
            if let Some(newline) = piece.iter().rposition(|byte| *byte == b'\n') {
                let end = self.searched + newline as u64 + 1;
                self.passage.catch_up(live, end, printer.stream(live.source))?;
            }
            self.searched += piece.len() as u64;
        }
        Ok(())
    }
}

impl Sink for Lines {
    fn wrote(&mut self, live: &Live) -> Result<(), Trouble> {
        let Lines { printer, running } = self;
        if live.is_over() {
            // Its completion has come, or is on its way.
            return Ok(());
        }
        let output = (live.seq.get(), live.attempt, live.source);
        let passage = running.entry(output).or_insert_with(|| {
            let label = printer.label(live.seq, &live.key);
            let passage = Passage::new(printer.stream(live.source), label.as_ref());
            LinePassage { passage, searched: 0 }
        });
        passage.follow(live, printer)
    }

    fn retried(&mut self, retried: &Retried) -> Result<(), Trouble> {
        self.end((retried.seq, retried.attempt), &retried.key, &retried.outcome)
    }

    fn completed(&mut self, completion: &mut Completion<Work>) -> Result<(), Trouble> {
        let attempt = (completion.seq, completion.attempt);
        let ended = self.end(attempt, completion.key(), &completion.outcome);
        self.printer.is_done(completion.seq);
        ended
    }

    fn finish(&mut self, _: &Totals) -> Result<(), Trouble> {
        Ok(())
    }
}
