//! Prints jobs' outputs whole: standard output to standard output, standard error to standard error.
//! Knows nothing of their order.

use std::sync::Arc;

use procpool_core::{Completion, Key, Seq, Source, Spool};

use crate::journal::printed::{Partial, Printed as Account};
use crate::labels::Labels;
use crate::pulse::Pulse;
use crate::sink::passage::Printed;
use crate::sink::replay::Recorded;
use crate::sink::stream::{Control, Stream};
use crate::sink::{Sink, Totals, Trouble};
use crate::work::{Place, Work};

/// Where outputs go, and how their lines begin.
pub(crate) struct Printer {
    stdout: Stream,
    stderr: Stream,
    tag: Tag,
    printed: Printed,
    /// Whether both streams go to one file or pipe.
    goes: Goes,
    account: Option<Arc<Account>>,
}

/// Where the two streams go.
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
    /// Prints to procpool's own standard output and standard error, with a beat of `pulse` for each piece.
    pub(crate) fn new(tag: Tag, control: Control, printed: Printed, pulse: &Pulse) -> Printer {
        let [stdout, stderr] =
            [Source::Stdout, Source::Stderr].map(|source| Stream::open(source, control, pulse.clone()));
        let goes = match (stdout.file_number(), stderr.file_number()) {
            (Some(one), Some(other)) if one == other => Goes::Together,
            _ => Goes::Apart,
        };
        Printer { stdout, stderr, tag, printed, goes, account: None }
    }

    /// Takes account of what has been printed.
    pub(crate) fn keep_account(mut self, account: Arc<Account>) -> Printer {
        self.stdout.keep_account(Source::Stdout, Arc::clone(&account));
        self.stderr.keep_account(Source::Stderr, Arc::clone(&account));
        self.account = Some(account);
        self
    }

    /// Whether there is a journal.
    pub(crate) fn keeps_account(&self) -> bool {
        self.account.is_some()
    }

    /// What becomes of outputs that have been printed while their job goes on.
    pub(crate) fn printed(&self) -> Printed {
        self.printed
    }

    /// Where its streams go.
    pub(crate) fn goes(&self) -> Goes {
        self.goes
    }

    /// What each line of a job begins with, if with anything.
    pub(crate) fn label(&self, seq: Seq, key: &Key) -> Option<Key> {
        match &self.tag {
            Tag::Nothing => None,
            Tag::Key => Some(key.clone()),
            Tag::Label(labels) => Some(labels.of(seq.get()).unwrap_or_else(|| key.clone())),
        }
    }

    /// All that the job has written has its label.
    pub(crate) fn is_done(&self, seq: Seq) {
        if let Tag::Label(labels) = &self.tag {
            labels.forget(seq.get());
        }
    }

    /// Where this output of jobs goes.
    pub(crate) fn stream(&mut self, source: Source) -> &mut Stream {
        match source {
            Source::Stdout => &mut self.stdout,
            Source::Stderr => &mut self.stderr,
        }
    }

    /// Prints what a job has written: the one with this number.
    pub(crate) fn print(
        &mut self,
        seq: u64,
        label: Option<&Key>,
        stdout: &Spool,
        stderr: &Spool,
    ) -> Result<(), Trouble> {
        self.begin_job(seq)?;
        self.stdout.print(label, stdout)?;
        self.stderr.print(label, stderr)?;
        self.end_job(seq)
    }

    /// What is printed from now on is of the job with this number.
    pub(crate) fn begin_job(&self, seq: u64) -> Result<(), Trouble> {
        self.account.as_ref().map_or(Ok(()), |account| account.begin(seq)).map_err(unaccounted)
    }

    /// All of the job with this number has been printed.
    pub(crate) fn end_job(&self, seq: u64) -> Result<(), Trouble> {
        self.account.as_ref().map_or(Ok(()), |account| account.done(seq)).map_err(unaccounted)
    }

    /// Prints what was recorded of a job by an earlier run, but for what of it is there already.
    pub(crate) fn print_recorded(&mut self, recorded: &Recorded, partial: Partial) -> Result<(), Trouble> {
        let seq = recorded.position;
        let is_half_printed = partial.position == seq;
        let Partial { stdout, stderr, .. } = if is_half_printed { partial } else { Partial::default() };
        if !is_half_printed {
            self.begin_job(seq)?;
        }
        let label = self.label_of(recorded);
        for (source, part) in [(Source::Stdout, stdout), (Source::Stderr, stderr)] {
            if !recorded.is_empty(source) {
                let printed =
                    self.stream(source).print_recorded(label.as_ref(), || recorded.open(source), part);
                printed.map_err(|trouble| recorded.name(trouble))?;
            }
        }
        self.end_job(seq)
    }

    fn label_of(&self, recorded: &Recorded) -> Option<Key> {
        match &self.tag {
            Tag::Nothing => None,
            Tag::Key => Some(recorded.key.clone()),
            Tag::Label(labels) => {
                let Recorded { position, key, values, slot, .. } = recorded;
                let place = Place { key: key.as_os_str(), seq: *position, slot: *slot };
                Some(labels.make(values, place))
            }
        }
    }
}

fn unaccounted(error: std::io::Error) -> Trouble {
    Trouble::recording("the journal", error)
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
