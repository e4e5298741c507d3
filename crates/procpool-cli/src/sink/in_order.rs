//! Prints outputs in the order of the input: that of the first job that is not done as it comes, where it is
//! followed; those of later jobs wait. Knows nothing of how they are printed.

use std::collections::HashMap;
use std::mem;

use procpool_core::{Completion, Key, Live, Outcome, Source, Spool};

use crate::reorder::Reorder;
use crate::sink::passage::Passage;
use crate::sink::print::{Goes, Printer};
use crate::sink::{Sink, Totals, Trouble};
use crate::work::Work;

/// A printer that keeps the order. A waiting output costs no open file, and some hundred bytes of memory.
pub(crate) struct InOrder {
    printer: Printer,
    waiting: Reorder<Waiting>,
    head: Head,
    /// What jobs have written that run before their turn, by number.
    early: HashMap<(u64, Source), Live>,
}

/// What of the job whose turn it is has been printed, if anything.
#[derive(Default)]
struct Head {
    stdout: Option<Passage>,
    stderr: Option<Passage>,
}

/// The outputs of a job whose turn has not come.
struct Waiting {
    label: Option<Key>,
    stdout: Spool,
    stderr: Spool,
}

impl InOrder {
    pub(crate) fn new(printer: Printer) -> InOrder {
        InOrder {
            printer,
            waiting: Reorder::new(),
            head: Head::default(),
            early: HashMap::new(),
        }
    }

    fn take_outputs(&self, completion: &mut Completion<Work>) -> Waiting {
        let mut waiting = Waiting {
            label: self.printer.label(completion.seq, completion.key()),
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
        self.printer.print(waiting.label.as_ref(), &waiting.stdout, &waiting.stderr)
    }

    /// Prints the lines that the job has written whose turn it is. Where both streams go to one file its standard
    /// output comes first, as always in order; so what it writes to standard error waits.
    fn stream(&mut self, live: &Live) -> Result<(), Trouble> {
        if live.source == Source::Stderr && self.printer.goes() == Goes::Together {
            return Ok(());
        }
        let label = self.printer.label(live.seq, &live.key);
        let printed = self.printer.printed();
        let stream = self.printer.stream(live.source);
        let passage = self.head.of(live.source).get_or_insert_with(|| Passage::new(stream, label.as_ref()));
        passage.follow(live, stream, printed)
    }

    /// Prints what is left of the job whose turn it is.
    fn end_head(&mut self, completion: &Completion<Work>) -> Result<(), Trouble> {
        let label = self.printer.label(completion.seq, completion.key());
        let outputs = [(Source::Stdout, completion.stdout()), (Source::Stderr, completion.stderr())];
        for (source, spool) in outputs {
            let stream = self.printer.stream(source);
            match self.head.of(source).take() {
                Some(passage) => drop(passage.finish(spool, stream)?),
                None => stream.print(label.as_ref(), spool)?,
            }
        }
        Ok(())
    }

    fn forget_early(&mut self, seq: u64) -> [Option<Live>; 2] {
        // Nothing to look up where nobody follows.
        if self.early.is_empty() {
            [None, None]
        } else {
            [Source::Stdout, Source::Stderr].map(|source| self.early.remove(&(seq, source)))
        }
    }
}

impl Head {
    fn of(&mut self, source: Source) -> &mut Option<Passage> {
        match source {
            Source::Stdout => &mut self.stdout,
            Source::Stderr => &mut self.stderr,
        }
    }
}

impl Sink for InOrder {
    fn wrote(&mut self, live: &Live) -> Result<(), Trouble> {
        let seq = live.seq.get();
        // Its completion has come, or is on its way. And what a failed attempt has written is not printed where
        // another one follows.
        if live.is_over() || live.attempts_left > 0 {
            return Ok(());
        }
        if self.waiting.is_next(seq) {
            return self.stream(live);
        }
        self.early.insert((seq, live.source), live.clone());
        Ok(())
    }

    fn completed(&mut self, completion: &mut Completion<Work>) -> Result<(), Trouble> {
        let seq = completion.seq.get();
        if !self.waiting.is_next(seq) {
            self.forget_early(seq);
            let outputs = self.take_outputs(completion);
            self.printer.is_done(completion.seq);
            self.waiting.hold(seq, outputs);
            return Ok(());
        }
        self.end_head(completion)?;
        self.printer.is_done(completion.seq);
        self.waiting.skip();
        while let Some(waiting) = self.waiting.take() {
            self.print(&waiting)?;
        }
        for live in self.forget_early(self.waiting.next()).into_iter().flatten() {
            self.stream(&live)?;
        }
        Ok(())
    }

    fn finish(&mut self, totals: &Totals) -> Result<(), Trouble> {
        for waiting in self.waiting.take_rest() {
            self.print(&waiting)?;
        }
        self.printer.finish(totals)
    }
}
