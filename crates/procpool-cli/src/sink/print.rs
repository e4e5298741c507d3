//! Prints jobs' outputs whole: standard output to standard output, standard error to standard error.
//! Knows nothing of their order.

use std::sync::Arc;

use procpool_core::{Completion, Key, Seq, Source, Spool};

use crate::labels::Labels;
use crate::pulse::Pulse;
use crate::sink::passage::Printed;
use crate::sink::stream::{Control, Stream};
use crate::sink::{Sink, Totals, Trouble};
use crate::work::Work;

/// Where outputs go, and how their lines begin.
pub(crate) struct Printer {
    stdout: Stream,
    stderr: Stream,
    tag: Tag,
    printed: Printed,
    /// Whether both streams go to one file or pipe.
    goes: Goes,
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
        Printer { stdout, stderr, tag, printed, goes }
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

    /// Prints what a job has written.
    pub(crate) fn print(
        &mut self,
        label: Option<&Key>,
        stdout: &Spool,
        stderr: &Spool,
    ) -> Result<(), Trouble> {
        self.stdout.print(label, stdout)?;
        self.stderr.print(label, stderr)
    }
}

impl Sink for Printer {
    fn completed(&mut self, completion: &mut Completion<Work>) -> Result<(), Trouble> {
        let label = self.label(completion.seq, completion.key());
        self.is_done(completion.seq);
        self.print(label.as_ref(), completion.stdout(), completion.stderr())
    }

    fn finish(&mut self, _: &Totals) -> Result<(), Trouble> {
        Ok(())
    }
}
