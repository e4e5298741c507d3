//! Prints outputs whole: jobs' standard output to standard output, their standard error to standard error.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::sync::Arc;

use procpool_core::{Completion, Key, Seq, Source, Spool};

use crate::job::labels::Labels;
use crate::job::work::{JobContext, Work};
use crate::output::line_follower::KeepOutput;
use crate::output::replay::{Cut, RecordedOutput, RecordedRest};
use crate::output::reshape::Shaping;
use crate::output::stream::{Control, OutputStream};
use crate::run::sink::{Sink, Totals, Trouble};
use crate::terminal::heartbeat::Heartbeat;
use procpool_journal::resume::resumption::Afterwards;
use procpool_journal::write::output_shape::OutputShape;
use procpool_journal::write::print_log::{PartialOutput, PrintLog as Account};

/// Where outputs go, and what their lines begin with.
pub(crate) struct Printer {
    stdout: OutputStream,
    stderr: OutputStream,
    tag: Tag,
    printed: KeepOutput,
    goes: Goes,
    account: Option<Arc<Account>>,
    last_lines: LastLines,
}

/// What happens to the last line of an output if it has no newline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LastLines {
    AreAsTheyAre,
    AreEnded,
}

/// Whether the two streams go to the same file or pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goes {
    Apart,
    Together,
}

/// What each line of output begins with.
#[derive(Clone, Debug)]
pub(crate) enum Tag {
    Nothing,
    Key,
    Label(Arc<Labels>),
}

impl Printer {
    /// Prints to procpool's own standard output and standard error. Each piece is a beat of `heartbeat`.
    pub(crate) fn new(tag: Tag, control: Control, printed: KeepOutput, heartbeat: &Heartbeat) -> Printer {
        let [stdout, stderr] = [Source::Stdout, Source::Stderr]
            .map(|source| OutputStream::open(source, control, heartbeat.clone()));
        let goes = match (stdout.file_id(), stderr.file_id()) {
            (Some(one), Some(other)) if one == other => Goes::Together,
            _ => Goes::Apart,
        };
        Printer {
            stdout,
            stderr,
            tag,
            printed,
            goes,
            account: None,
            last_lines: LastLines::AreAsTheyAre,
        }
    }

    /// Notes in this log what has been printed.
    pub(crate) fn keep_account(mut self, account: Arc<Account>) -> Printer {
        self.stdout.keep_account(Source::Stdout, Arc::clone(&account));
        self.stderr.keep_account(Source::Stderr, Arc::clone(&account));
        self.account = Some(account);
        self
    }

    /// Ends the last line of each output, because lines of other jobs follow it.
    pub(crate) fn that_ends_lines(mut self) -> Printer {
        self.last_lines = LastLines::AreEnded;
        self
    }

    /// The log of what has been printed, if there is a journal.
    pub(crate) fn account(&self) -> Option<&Arc<Account>> {
        self.account.as_ref()
    }

    /// Whether there is a journal.
    pub(crate) fn keeps_account(&self) -> bool {
        self.account.is_some()
    }

    /// Whether outputs that have been printed are kept while their job is running.
    pub(crate) fn printed(&self) -> KeepOutput {
        self.printed
    }

    pub(crate) fn goes(&self) -> Goes {
        self.goes
    }

    /// What each line of a job begins with, if anything.
    pub(crate) fn label(&self, seq: Seq, key: &Key) -> Option<Key> {
        match &self.tag {
            Tag::Nothing => None,
            Tag::Key => Some(key.clone()),
            Tag::Label(labels) => Some(labels.of(seq.get()).unwrap_or_else(|| key.clone())),
        }
    }

    /// The job's output is complete: forgets its label.
    pub(crate) fn is_done(&self, seq: Seq) {
        if let Tag::Label(labels) = &self.tag {
            labels.forget(seq.get());
        }
    }

    /// The stream for this output of jobs.
    pub(crate) fn stream(&mut self, source: Source) -> &mut OutputStream {
        match source {
            Source::Stdout => &mut self.stdout,
            Source::Stderr => &mut self.stderr,
        }
    }

    /// Prints the outputs of the job with this number.
    pub(crate) fn print(
        &mut self,
        seq: u64,
        label: Option<&Key>,
        stdout: &Spool,
        stderr: &Spool,
    ) -> Result<(), Trouble> {
        // Most jobs print nothing, and then there is no progress to note.
        if stdout.is_empty() && stderr.is_empty() {
            return self.end_job(seq);
        }
        self.begin_job(seq, label)?;
        self.stdout.print(label, stdout)?;
        self.stderr.print(label, stderr)?;
        self.end_job(seq)
    }

    /// Notes that what is printed from now on belongs to the job with this number, and that its lines have
    /// this label.
    pub(crate) fn begin_job(&self, seq: u64, label: Option<&Key>) -> Result<(), Trouble> {
        let Some(account) = &self.account else { return Ok(()) };
        account.begin(seq, &self.shaped(label)).map_err(Trouble::noting)
    }

    /// The shape of outputs whose lines have this label.
    pub(crate) fn shaped(&self, label: Option<&Key>) -> OutputShape {
        OutputShape {
            label: label.map(|label| label.as_bytes().to_vec()),
            stdout: self.stdout.passes(),
            stderr: self.stderr.passes(),
        }
    }

    /// Notes that all of the job with this number has been printed.
    pub(crate) fn end_job(&self, seq: u64) -> Result<(), Trouble> {
        self.account.as_ref().map_or(Ok(()), |account| account.done(seq)).map_err(Trouble::noting)
    }

    /// Prints the outputs of a job that an earlier run has recorded.
    pub(crate) fn print_recorded(&mut self, recorded: &RecordedOutput) -> Result<(), Trouble> {
        let label = self.label_of(recorded);
        if let Some(account) = &self.account {
            let begun = account.begin_from(recorded.position, &self.shaped(label.as_ref()), recorded.from);
            begun.map_err(Trouble::noting)?;
        }
        self.print_rest(recorded, label.as_ref(), [0; 2])?;
        self.end_job(recorded.position)
    }

    /// Prints the rest of an output that an earlier run has begun. Each line gets the label that it had then.
    pub(crate) fn finish_begun(&mut self, rest: &RecordedRest) -> Result<(), Trouble> {
        let RecordedRest { recorded, cut: Cut { whose, partial, shape } } = rest;
        let label = match shape {
            Some(shape) => shape.label.as_ref().map(|label| OsString::from_vec(label.clone()).into()),
            None => self.label_of(recorded),
        };
        let mut there = [0; 2];
        for ((source, part), there) in
            [(Source::Stdout, partial.stdout), (Source::Stderr, partial.stderr)].into_iter().zip(&mut there)
        {
            let stream = self.stream(source);
            let passes = shape.as_ref().map_or(stream.passes(), |shape| shape.passes(source));
            let before = Shaping { passes, label: label.as_ref() };
            if !recorded.is_empty(source) {
                let found = stream.delivered(part, before, || recorded.open(source));
                match found.map_err(|error| recorded.name(Trouble::reading(error)))? {
                    Some(bytes) => *there = bytes,
                    // What is there instead may end within a line.
                    None => self.stream(source).end_line(part)?,
                }
            }
        }
        if let Some(account) = &self.account {
            account.go_on(&self.shaped(label.as_ref()), there).map_err(Trouble::noting)?;
        }
        self.print_rest(recorded, label.as_ref(), there)?;
        match (whose.afterwards, &self.account) {
            // A job that runs again counts as printed until its next outcome is recorded.
            (Afterwards::IsDone | Afterwards::RunsAgain, _) => self.end_job(recorded.position),
            (Afterwards::IsNothing, Some(account)) => account.forget().map_err(Trouble::noting),
            (Afterwards::IsNothing, None) => Ok(()),
        }
    }

    /// Prints both outputs, each without the first `there` bytes.
    fn print_rest(
        &mut self,
        recorded: &RecordedOutput,
        label: Option<&Key>,
        there: [u64; 2],
    ) -> Result<(), Trouble> {
        for (source, left_out) in [Source::Stdout, Source::Stderr].into_iter().zip(there) {
            if !recorded.is_empty(source) {
                let printed = self.stream(source).print_recorded(label, || recorded.open(source), left_out);
                printed.map_err(|trouble| recorded.name(trouble))?;
                if self.last_lines == LastLines::AreEnded {
                    self.stream(source).end_last_line()?;
                }
            }
        }
        Ok(())
    }

    /// Ends a line that an earlier run has begun and whose rest is lost.
    pub(crate) fn end_torn_line(&mut self, partial: PartialOutput) -> Result<(), Trouble> {
        self.stdout.end_line(partial.stdout)?;
        self.stderr.end_line(partial.stderr)?;
        self.account.as_ref().map_or(Ok(()), |account| account.forget()).map_err(Trouble::noting)
    }

    fn label_of(&self, recorded: &RecordedOutput) -> Option<Key> {
        match &self.tag {
            Tag::Nothing => None,
            Tag::Key => Some(recorded.key.clone()),
            Tag::Label(labels) => {
                let RecordedOutput { position, key, values, slot, .. } = recorded;
                let job = JobContext { key: key.as_os_str(), seq: *position, slot: *slot };
                Some(labels.make(values, job))
            }
        }
    }
}

impl Sink for Printer {
    fn completed(&mut self, completion: &mut Completion<Work>) -> Result<(), Trouble> {
        let label = self.label(completion.seq, completion.key());
        self.is_done(completion.seq);
        let seq = completion.seq.get();
        self.print(seq, label.as_ref(), completion.stdout(), completion.stderr())
    }

    fn finish(&mut self, _: &Totals) -> Result<(), Trouble> {
        Ok(())
    }
}
