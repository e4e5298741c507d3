//! Prints outputs in the order of the input. If outputs are followed, that of the first job that is not done
//! is printed while the job writes it. Outputs of later jobs wait.

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;

use procpool_core::{Completion, Key, Live, Outcome, Source, Spool};

use crate::job::work::Work;
use crate::output::line_follower::LineFollower;
use crate::output::print::{Goes, Printer};
use crate::output::reorder::Reorder;
use crate::output::replay::{PartlyPrinted, Replay};
use crate::run::sink::{Sink, Totals, Trouble};
use procpool_journal::format::positions::Positions;
use procpool_journal::resume::resumption::Afterwards;

/// A printer that keeps the order. A waiting output takes some hundred bytes of memory, and no open file.
pub(crate) struct InOrder {
    printer: Printer,
    waiting: Reorder<PendingOutput>,
    /// Outputs that earlier runs have recorded.
    replay: Option<Replay>,
    /// A job that was finished before its turn, because an earlier run had begun to print its output.
    finished: Option<u64>,
    head: Head,
    /// Outputs of jobs that are running before their turn, by number.
    early: HashMap<(u64, Source), Live>,
}

/// How far the job whose turn it is has been printed.
#[derive(Default)]
struct Head {
    stdout: Option<LineFollower>,
    stderr: Option<LineFollower>,
}

/// The outputs of a job whose turn has not come.
struct PendingOutput {
    label: Option<Key>,
    stdout: Spool,
    stderr: Spool,
}

impl InOrder {
    /// `of`: the numbers of the jobs that are printed; `None` means all.
    pub(crate) fn new(printer: Printer, of: Option<Arc<Positions>>, replay: Option<Replay>) -> InOrder {
        InOrder {
            printer,
            waiting: of.map_or_else(Reorder::new, Reorder::of),
            replay,
            finished: None,
            head: Head::default(),
            early: HashMap::new(),
        }
    }

    fn take_outputs(&self, completion: &mut Completion<Work>) -> PendingOutput {
        let mut waiting = PendingOutput {
            label: self.printer.label(completion.seq, completion.key()),
            stdout: Spool::default(),
            stderr: Spool::default(),
        };
        if let Outcome::Ran(ran) = &mut completion.outcome {
            waiting.stdout = mem::take(&mut ran.stdout);
            waiting.stderr = mem::take(&mut ran.stderr);
        }
        for spool in [&mut waiting.stdout, &mut waiting.stderr] {
            // If the disk is full, it stays in memory, and nothing is lost.
            let _ = spool.spill();
        }
        waiting
    }

    fn print(&mut self, seq: u64, waiting: &PendingOutput) -> Result<(), Trouble> {
        self.printer.print(seq, waiting.label.as_ref(), &waiting.stdout, &waiting.stderr)
    }

    /// Prints all jobs whose turn it is.
    fn go_on(&mut self) -> Result<(), Trouble> {
        loop {
            let next = self.waiting.next();
            if let Some(waiting) = self.waiting.take() {
                self.print(next, &waiting)?;
            } else if self.finished.take_if(|finished| *finished == next).is_some() {
                self.waiting.skip();
            } else if !self.print_recorded(next)? {
                return Ok(());
            } else {
                self.waiting.skip();
            }
        }
    }

    /// Prints what an earlier run has recorded of the job with this number. Returns `false` if there is
    /// nothing.
    fn print_recorded(&mut self, seq: u64) -> Result<bool, Trouble> {
        let Some(replay) = &mut self.replay else { return Ok(false) };
        let Some(recorded) = replay.take(seq).map_err(Trouble::reading)? else { return Ok(false) };
        self.printer.print_recorded(&recorded)?;
        Ok(true)
    }

    /// Finishes the output that an earlier run has begun, even before its turn: nothing may come in between,
    /// not even a job that is earlier in the input and runs again.
    fn finish_begun(&mut self) -> Result<(), Trouble> {
        let Some(replay) = &mut self.replay else { return Ok(()) };
        match replay.take_begun().map_err(Trouble::reading)? {
            None => Ok(()),
            Some(PartlyPrinted::Torn(partial)) => self.printer.end_torn_line(partial),
            Some(PartlyPrinted::Rest(rest)) => {
                let is_done = rest.cut.whose.afterwards == Afterwards::IsDone;
                self.finished = is_done.then_some(rest.recorded.position);
                self.printer.finish_begun(&rest)
            }
        }
    }

    /// Prints the lines written by the job whose turn it is. If both streams go to one file, its standard
    /// error waits: standard output comes first, as always in this order.
    fn stream(&mut self, live: &Live) -> Result<(), Trouble> {
        if live.source == Source::Stderr && self.printer.goes() == Goes::Together {
            return Ok(());
        }
        let label = self.printer.label(live.seq, &live.key);
        let printed = self.printer.printed();
        let stream = self.printer.stream(live.source);
        let passage =
            self.head.of(live.source).get_or_insert_with(|| LineFollower::new(stream, label.as_ref(), None));
        passage.follow(live, stream, printed)
    }

    /// Prints the rest of the job whose turn it is.
    fn end_head(&mut self, completion: &Completion<Work>) -> Result<(), Trouble> {
        let seq = completion.seq.get();
        let label = self.printer.label(completion.seq, completion.key());
        self.printer.begin_job(seq, label.as_ref())?;
        let outputs = [(Source::Stdout, completion.stdout()), (Source::Stderr, completion.stderr())];
        for (source, spool) in outputs {
            let stream = self.printer.stream(source);
            match self.head.of(source).take() {
                Some(passage) => passage.finish(spool, stream)?,
                None => stream.print(label.as_ref(), spool)?,
            }
        }
        self.printer.end_job(seq)
    }

    fn forget_early(&mut self, seq: u64) -> [Option<Live>; 2] {
        // Saves two lookups if outputs are not followed.
        if self.early.is_empty() {
            [None, None]
        } else {
            [Source::Stdout, Source::Stderr].map(|source| self.early.remove(&(seq, source)))
        }
    }
}

impl Head {
    fn of(&mut self, source: Source) -> &mut Option<LineFollower> {
        match source {
            Source::Stdout => &mut self.stdout,
            Source::Stderr => &mut self.stderr,
        }
    }
}

impl Sink for InOrder {
    fn begin(&mut self) -> Result<(), Trouble> {
        self.finish_begun()?;
        self.go_on()
    }

    fn wrote(&mut self, live: &Live) -> Result<(), Trouble> {
        let seq = live.seq.get();
        // Nothing is printed now in three cases. The attempt is over: its completion has arrived or will
        // soon. Another attempt may follow: if this one fails, its output is never printed. There is a
        // journal: outputs are printed only after they have been recorded.
        if live.is_over() || live.attempts_left > 0 || self.printer.keeps_account() {
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
        self.go_on()?;
        for live in self.forget_early(self.waiting.next()).into_iter().flatten() {
            self.stream(&live)?;
        }
        Ok(())
    }

    fn finish(&mut self, totals: &Totals) -> Result<(), Trouble> {
        let recorded = self.replay.as_ref().map(Replay::positions).unwrap_or_default();
        let mut recorded = recorded.into_iter().peekable();
        for (seq, waiting) in self.waiting.take_rest() {
            while let Some(earlier) = recorded.next_if(|earlier| *earlier < seq) {
                self.print_recorded(earlier)?;
            }
            self.print(seq, &waiting)?;
        }
        for seq in recorded {
            self.print_recorded(seq)?;
        }
        self.printer.finish(totals)
    }
}
