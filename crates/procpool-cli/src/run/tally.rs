//! Counts the results of a run, and keeps what the summary says of single jobs.

use std::time::Duration;

use procpool_core::{Completion, End, NotStarted, Outcome, Pending, Retried, Snapshot};
use procpool_journal::format::attempt::Attempt;

use crate::job::work::{Work, command_run};
use crate::shell::quote::{QuoteStyle, line_with_input};
use crate::terminal::shown;
use crate::terminal::text::{last_lines, shorten};

/// What the exit status and the summary follow from.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) succeeded: u64,
    pub(crate) failed: u64,
    /// Of those that failed: their outcome is not known.
    pub(crate) lost: u64,
    /// Ended with the run.
    pub(crate) stopped: u64,
    /// Of those that succeeded or failed: more than one attempt was made.
    pub(crate) retried: u64,
    /// Of those that failed or were stopped.
    pub(crate) largest_status: u8,
    /// Never started.
    pub(crate) unrun: Unrun,
    pub(crate) leaked: u64,
    pub(crate) delivery: SinkDelivery,
    /// How long slots were taken, summed over all slots.
    pub(crate) busy: Duration,
    /// The number of slots.
    pub(crate) slots: u32,
    /// The first of those that failed or leaked.
    pub(crate) remarks: Vec<Remark>,
    /// How many more failed or leaked.
    pub(crate) unremarked: u64,
}

/// Jobs that were never started.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Unrun {
    /// Jobs that had been read from the input.
    pub(crate) known: u64,
    pub(crate) input: UnreadInput,
}

/// Whether a part of the input was never read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum UnreadInput {
    #[default]
    None,
    /// The run ended first. There may be more jobs, or none.
    Unknown,
}

/// Whether all sinks were told everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum SinkDelivery {
    #[default]
    Complete,
    /// A sink failed. Jobs that count as successes may be missing in records, and their outputs may not have
    /// been printed.
    Partial,
}

/// A job that failed or leaked. Its texts are short, and harmless to a terminal.
#[derive(Debug)]
pub(crate) struct Remark {
    pub(crate) key: String,
    pub(crate) outcome: String,
    /// `None` if it was not started.
    pub(crate) elapsed: Option<Duration>,
    /// The other machine that it ran on.
    pub(crate) node: Option<String>,
    /// The last lines that it wrote to standard error.
    pub(crate) last_words: Vec<String>,
    /// A shell command that runs the same again. `None` if its input is gone, or if it is too long to be
    /// shown: a part of it would be another command.
    pub(crate) again: Option<String>,
}

/// This many are kept. A million jobs that all fail must not fill the memory, or a screen.
const MOST_REMARKS: usize = 20;

const LAST_BYTES: usize = 2000;

/// A longer command, in bytes, is not shown.
const MOST_OF_A_COMMAND: usize = 1000;

impl Tally {
    /// Counts a job.
    pub(crate) fn note(&mut self, completion: &Completion<Work>) {
        let outcome = &completion.outcome;
        if let Outcome::NotStarted(NotStarted::NeverReached) = outcome {
            self.unrun.known += 1;
            return;
        }
        let leaked = outcome.ran().is_some_and(|ran| ran.leaked);
        self.leaked += u64::from(leaked);
        self.lost += u64::from(outcome.lost().is_some());
        self.retried += u64::from(completion.attempt > 1);
        self.largest_status = self.largest_status.max(outcome.status().unwrap_or_default());
        match outcome.ran().map(|ran| ran.end) {
            _ if outcome.is_success() => self.succeeded += 1,
            Some(End::Stopped(_)) => self.stopped += 1,
            _ => self.failed += 1,
        }
        if leaked || !outcome.is_success() {
            // A job that was stopped with the run is run again by a resume, not by hand.
            let is_stopped = matches!(outcome.ran().map(|ran| ran.end), Some(End::Stopped(_)));
            let again = || if is_stopped { None } else { again(completion) };
            let new = || Remark::new(Attempt::last(completion), again());
            self.remark(new);
        }
    }

    /// Counts a leak of an attempt that was not the job's last.
    pub(crate) fn note_superseded(&mut self, retried: Option<&Retried>) {
        if let Some(retried) = retried.filter(|retried| retried.outcome.ran().is_some_and(|ran| ran.leaked)) {
            self.leaked += 1;
            self.remark(|| Remark::new(retried.into(), None));
        }
    }

    fn remark(&mut self, remark: impl FnOnce() -> Remark) {
        if self.remarks.len() < MOST_REMARKS {
            self.remarks.push(remark());
        } else {
            self.unremarked += 1;
        }
    }

    /// Notes the state at the end of the run: jobs that were not even accepted, and how busy it was.
    pub(crate) fn note_end(&mut self, last: &Snapshot) {
        self.busy = last.busy;
        self.slots = u32::try_from(last.limit.get()).unwrap_or(u32::MAX);
        self.note_rest(last.pending);
    }

    pub(crate) fn note_rest(&mut self, pending: Pending) {
        match pending {
            Pending::Exactly(jobs) => self.unrun.known += jobs,
            Pending::AtLeast(jobs) => {
                self.unrun.known += jobs;
                self.unrun.input = UnreadInput::Unknown;
            }
        }
    }

    /// Whether jobs were left, or may have been left.
    pub(crate) fn has_unrun(&self) -> bool {
        self.unrun != Unrun::default()
    }

    /// All jobs that are known.
    pub(crate) fn jobs(&self) -> u64 {
        self.succeeded + self.failed + self.stopped + self.unrun.known
    }
}

impl Remark {
    fn new(attempt: Attempt<'_>, again: Option<String>) -> Remark {
        let ran = attempt.outcome.ran();
        // If the spool can't be read, delivering the output reports it.
        let words = ran.and_then(|ran| ran.stderr.tail(LAST_BYTES).ok()).unwrap_or_default();
        Remark {
            key: shorten(&attempt.key.to_string()),
            outcome: shown::name(attempt.outcome.to_string()),
            elapsed: ran.map(|ran| ran.elapsed),
            node: attempt.node.map(shown::name),
            last_words: last_lines(&words),
            again,
        }
    }
}

fn again(completion: &Completion<Work>) -> Option<String> {
    if !completion.job.work.is_in_command() {
        return None;
    }
    let line = line_with_input(&command_run(completion), QuoteStyle::Line);
    (line.len() <= MOST_OF_A_COMMAND).then(|| line.to_string_lossy().into_owned())
}
