//! Decides what a resume does about a job. Pure functions of its recorded state and the options.

use std::fmt::Write as _;

use crate::format::brief::OutcomeClass;
use crate::format::identity::Identity;
use crate::read::standing::Standing;

/// Which jobs a resume runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resume {
    /// All jobs that have not succeeded.
    NotSucceeded,
    /// Jobs that have never ended by themselves.
    Unrun,
}

/// What to do about a job whose key is recorded with another command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// Run it.
    Rerun,
    /// Leave it, whatever its outcome.
    Skip,
}

/// The state of a job before a resume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Succeeded,
    Failed,
    /// It was started, and ended by procpool or together with it.
    Interrupted,
    /// It was never started.
    NotRun,
    /// It was not on the list before.
    New,
    /// It has this outcome, but of another command.
    Changed(OutcomeClass),
}

/// What a resume does about a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Run,
    Leave,
    /// The run can't begin until the user says what to do about it.
    Ask,
}

/// How many jobs are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Jobs that succeeded.
    pub succeeded: u64,
    /// Jobs that failed.
    pub failed: u64,
    /// Jobs that were started and have no outcome, or were ended with their run.
    pub interrupted: u64,
    /// Jobs that were never started.
    pub not_run: u64,
    /// Jobs that were not on the list before.
    pub new: u64,
    /// Jobs whose outcome is that of another command than the list has now.
    pub changed: u64,
    /// Recorded jobs that are no longer on the list.
    pub gone: u64,
    /// Jobs that have not succeeded and are left as they are.
    pub left_failed: u64,
    /// The highest exit status of those.
    pub left_status: u8,
}

impl Class {
    /// The class of a job with this identity; `standing` is what is known of its key.
    #[must_use]
    pub fn of(standing: Option<&Standing>, identity: &Identity) -> Class {
        let Some(standing) = standing else { return Class::New };
        match standing.outcome {
            Some(outcome) if !standing.is_of(identity) => Class::Changed(outcome),
            _ if standing.was_running => Class::Interrupted,
            Some(OutcomeClass::Succeeded) => Class::Succeeded,
            Some(OutcomeClass::Failed) => Class::Failed,
            Some(OutcomeClass::Stopped) => Class::Interrupted,
            None if standing.is_listed => Class::NotRun,
            None => Class::New,
        }
    }

    /// Decides on a job of this class. `changed` is `None` if the user has not said what to do about changed
    /// jobs.
    #[must_use]
    pub fn decide(self, resume: Resume, changed: Option<Changed>) -> Decision {
        let outcome = match (self, changed) {
            (Class::Changed(_), None) => return Decision::Ask,
            (Class::Changed(_), Some(Changed::Skip)) => return Decision::Leave,
            (Class::Interrupted | Class::NotRun | Class::New, _)
            | (Class::Changed(_), Some(Changed::Rerun)) => return Decision::Run,
            (Class::Succeeded, _) => OutcomeClass::Succeeded,
            (Class::Failed, _) => OutcomeClass::Failed,
        };
        match (outcome, resume) {
            (OutcomeClass::Succeeded, _) | (OutcomeClass::Failed, Resume::Unrun) => Decision::Leave,
            (OutcomeClass::Failed | OutcomeClass::Stopped, _) => Decision::Run,
        }
    }
}

impl Counts {
    /// Counts a job. `status` is the exit status of its outcome, or 0 if it has none.
    pub(crate) fn note(&mut self, class: Class, decision: Decision, status: u8) {
        let count = match class {
            Class::Succeeded => &mut self.succeeded,
            Class::Failed => &mut self.failed,
            Class::Interrupted => &mut self.interrupted,
            Class::NotRun => &mut self.not_run,
            Class::New => &mut self.new,
            Class::Changed(_) => &mut self.changed,
        };
        *count += 1;
        let has_succeeded = matches!(class, Class::Succeeded | Class::Changed(OutcomeClass::Succeeded));
        if decision == Decision::Leave && !has_succeeded {
            self.left_failed += 1;
            self.left_status = self.left_status.max(status);
        }
    }

    /// The number of jobs on the list.
    #[must_use]
    pub fn jobs(&self) -> u64 {
        self.succeeded + self.failed + self.interrupted + self.not_run + self.new + self.changed
    }

    /// Text for people, such as `5 jobs: 3 succeeded, 0 failed, 1 interrupted, 1 new, 0 changed`.
    #[must_use]
    pub fn text(&self) -> String {
        let Counts {
            succeeded, failed, interrupted, not_run, new, changed, gone, ..
        } = *self;
        let jobs = self.jobs();
        let noun = if jobs == 1 { "job" } else { "jobs" };
        let mut text =
            format!("{jobs} {noun}: {succeeded} succeeded, {failed} failed, {interrupted} interrupted");
        if not_run > 0 {
            let _ = write!(text, ", {not_run} not run");
        }
        let _ = write!(text, ", {new} new, {changed} changed");
        if gone > 0 {
            let _ = write!(text, "; {gone} more no longer in the input");
        }
        text
    }
}
