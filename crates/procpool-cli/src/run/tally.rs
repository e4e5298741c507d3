//! What came of all jobs together: counts, and what the closing summary says of single ones.
//! Knows nothing of how it is shown.

use std::time::Duration;

use procpool_core::{Completion, End, NotStarted, Outcome, Pending, Retried, Snapshot};

use crate::job::work::{Work, command_run};
use crate::shell::quote::{QuoteStyle, line_with_input};
use crate::terminal::shown;
use crate::terminal::text::{last_lines, shorten};
use procpool_journal::format::attempt::Attempt;

/// The state of a run as its end will judge it.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) succeeded: u64,
    pub(crate) failed: u64,
    /// Of those that failed: nobody knows what came of them.
    pub(crate) lost: u64,
    /// The run ended them.
    pub(crate) stopped: u64,
    /// Of those that succeeded or failed: it took more than one attempt.
    pub(crate) retried: u64,
    /// The largest status of one that failed or was stopped.
    pub(crate) largest_status: u8,
    /// Their turn never came.
    pub(crate) unrun: Unrun,
    pub(crate) leaked: u64,
    pub(crate) delivery: SinkDelivery,
    /// For how long slots were taken, in sum.
    pub(crate) busy: Duration,
    /// How many there were.
    pub(crate) slots: u32,
    /// The first of those that failed or leaked.
    pub(crate) remarks: Vec<Remark>,
    /// How many more of them there were.
    pub(crate) unremarked: u64,
}

/// Jobs that were left.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Unrun {
    /// So many are known.
    pub(crate) known: u64,
    pub(crate) input: UnreadInput,
}

/// What of the input nobody has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum UnreadInput {
    #[default]
    None,
    /// The run was over before the input was: it may have more jobs, or none.
    Unknown,
}

/// Whether all that there was to tell has been told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum SinkDelivery {
    #[default]
    Complete,
    /// What records or prints could not go on. Jobs that count as successes may stand in no record, and their
    /// outputs are then not printed.
    Partial,
}

/// A job that failed or leaked. Its texts are short and can't garble a terminal.
#[derive(Debug)]
pub(crate) struct Remark {
    pub(crate) key: String,
    pub(crate) outcome: String,
    /// `None` where it was not started.
    pub(crate) elapsed: Option<Duration>,
    /// Where it ran, if that was another machine.
    pub(crate) node: Option<String>,
    /// The last lines that it wrote to standard error.
    pub(crate) last_words: Vec<String>,
    /// What a shell would run the same again by.
    /// `None` where its input is gone, or it is too long to be shown: half of it would be another command.
    pub(crate) again: Option<String>,
}

/// So many are kept in detail. A million jobs that all fail must not fill the memory, or a screen.
const MOST_REMARKS: usize = 20;

const LAST_BYTES: usize = 2000;

/// A longer command, in bytes, is not repeated.
const MOST_OF_A_COMMAND: usize = 1000;

impl Tally {
    /// Takes note of a job's end.
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
            // What the run itself has ended runs again with the rest, not by itself.
            let is_stopped = matches!(outcome.ran().map(|ran| ran.end), Some(End::Stopped(_)));
            let again = || if is_stopped { None } else { again(completion) };
            let new = || Remark::new(Attempt::last(completion), again());
            self.remark(new);
        }
    }

    /// Takes note of an attempt that another one has followed: of a job it is not the end.
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

    /// Takes note of how the run stood when it was over: of jobs that it had not even accepted then, and of how
    /// busy it was.
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

    /// Whether jobs were left, or may have been.
    pub(crate) fn has_unrun(&self) -> bool {
        self.unrun != Unrun::default()
    }

    /// How many jobs there were, as far as that is known.
    pub(crate) fn jobs(&self) -> u64 {
        self.succeeded + self.failed + self.stopped + self.unrun.known
    }
}

impl Remark {
    fn new(attempt: Attempt<'_>, again: Option<String>) -> Remark {
        let ran = attempt.outcome.ran();
        // Where the spool can't be read the delivery of the output says so; this is only a reminder of it.
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
