//! Prints complete lines as they come, those of all jobs side by side.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use procpool_core::{Completion, Key, Live, Outcome, Retried, Seq, Source, Spool};

use crate::job::work::Work;
use crate::output::catch_up::Prints;
use crate::output::line_follower::LineFollower;
use crate::output::line_progress::LineProgress;
use crate::output::print::Printer;
use crate::run::sink::{Sink, Totals, Trouble};
use procpool_journal::write::print_log::PrintLog;
use procpool_journal::write::row_file::RowIndex;

pub(crate) struct LinePrinter {
    printer: Printer,
    /// Outputs of running attempts that have written something, by number, attempt and source.
    running: HashMap<(u64, u32, Source), LineFollower>,
    /// The last attempt that was completely printed, by number, of jobs that are tried again.
    printed: HashMap<u64, u32>,
    rows: LineRows,
}

/// The rows for attempts that have written something, by number, each with its attempt.
#[derive(Default)]
struct LineRows(HashMap<u64, (u32, RowIndex)>);

impl LineRows {
    /// The row of an attempt, which is taken now if it has none; `None` if there is none to take.
    fn of(&mut self, seq: u64, attempt: u32, account: &PrintLog) -> io::Result<Option<RowIndex>> {
        if let Some((of, row)) = self.0.get(&seq) {
            if *of == attempt {
                return Ok(Some(*row));
            }
        }
        self.free(seq, account)?;
        let Some(rows) = account.rows() else { return Ok(None) };
        let row = rows.take(seq, attempt)?;
        self.0.extend(row.map(|row| (seq, (attempt, row))));
        Ok(row)
    }

    fn free(&mut self, seq: u64, account: &PrintLog) -> io::Result<()> {
        match (self.0.remove(&seq), account.rows()) {
            (Some((_, row)), Some(rows)) => rows.free(row),
            _ => Ok(()),
        }
    }
}

impl LinePrinter {
    pub(crate) fn new(printer: Printer) -> LinePrinter {
        LinePrinter {
            printer: printer.that_ends_lines(),
            running: HashMap::new(),
            printed: HashMap::new(),
            rows: LineRows::default(),
        }
    }

    /// Follows an output of which nothing has been printed.
    fn passage(
        &mut self,
        (seq, attempt, source): (u64, u32, Source),
        label: Option<&Key>,
    ) -> Result<LineFollower, Trouble> {
        let note = match self.printer.account() {
            None => None,
            Some(account) => {
                self.rows.of(seq, attempt, account).map_err(Trouble::noting)?.map(|row| LineProgress {
                    printed: Arc::clone(account),
                    position: seq,
                    source,
                    row,
                    shape: self.printer.shaped(label),
                })
            }
        };
        Ok(LineFollower::new(self.printer.stream(source), label, note))
    }

    fn end(&mut self, attempt: (Seq, u32), key: &Key, outcome: &Outcome) -> Result<(), Trouble> {
        let Some(ran) = outcome.ran() else { return Ok(()) };
        let label = self.printer.label(attempt.0, key);
        let output = |source| (attempt.0.get(), attempt.1, source);
        self.end_output(output(Source::Stdout), label.as_ref(), &ran.stdout)?;
        self.end_output(output(Source::Stderr), label.as_ref(), &ran.stderr)
    }

    /// Prints the rest. A last line without a newline gets one, because another job's line may follow.
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
        let passage = begun.map_or_else(|| self.passage(output, label), Ok)?;
        let stream = self.printer.stream(output.2);
        passage.finish(spool, stream)?;
        stream.end_last_line()
    }
}

impl Prints for LinePrinter {
    fn printer(&mut self) -> &mut Printer {
        &mut self.printer
    }
}

impl Sink for LinePrinter {
    fn wrote(&mut self, live: &Live) -> Result<(), Trouble> {
        if live.is_over() {
            // Its completion has arrived or will soon.
            return Ok(());
        }
        let output = (live.seq.get(), live.attempt, live.source);
        if !self.running.contains_key(&output) {
            let label = self.printer.label(live.seq, &live.key);
            let passage = self.passage(output, label.as_ref())?;
            self.running.insert(output, passage);
        }
        let printed = self.printer.printed();
        let passage = self.running.get_mut(&output).expect("BUG: it was begun");
        passage.follow(live, self.printer.stream(live.source), printed)
    }

    fn retried(&mut self, retried: &Retried) -> Result<(), Trouble> {
        self.printed.insert(retried.seq.get(), retried.attempt);
        self.end((retried.seq, retried.attempt), &retried.key, &retried.outcome)
    }

    fn completed(&mut self, completion: &mut Completion<Work>) -> Result<(), Trouble> {
        let attempt = (completion.seq, completion.attempt);
        // If the next attempt never started, the previous one is the job's last, and has been printed.
        let is_printed = self.printed.remove(&completion.seq.get()) == Some(completion.attempt);
        let ended =
            if is_printed { Ok(()) } else { self.end(attempt, completion.key(), &completion.outcome) };
        self.printer.is_done(completion.seq);
        let seq = completion.seq.get();
        ended.and_then(|()| self.printer.end_job(seq))?;
        if let Some(account) = self.printer.account() {
            self.rows.free(seq, account).map_err(Trouble::noting)?;
        }
        Ok(())
    }

    fn finish(&mut self, _: &Totals) -> Result<(), Trouble> {
        Ok(())
    }
}
