//! The state of a job, from the attempts that were recorded. This is the only place that decides which of
//! them counts: for `ls`, for a resume, and for outputs that are printed again. docs/journal.md has the rule
//! in words.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault};

use crate::format::brief::{Brief, OutcomeClass};
use crate::format::identity::{Hash, Identity};
use crate::read::hashed::AsItIs;

/// The state of a job. Kept small: there may be millions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The fingerprint of the command that has this outcome.
    fingerprint: Hash,
    pub(super) ended: u64,
    generation: u32,
    /// The last attempt of that generation, by any writer.
    attempt: u32,
    pub(crate) status: u8,
    pub(crate) outcome: Option<OutcomeClass>,
    pub(crate) is_listed: bool,
    /// It was started, and its outcome is unknown.
    pub(crate) was_running: bool,
    /// It has an outcome whose output was not printed.
    pub(crate) is_unprinted: bool,
}

impl Standing {
    /// A job that is on a list, with no attempt.
    pub(crate) fn listed() -> Standing {
        Standing {
            fingerprint: Hash::NONE,
            ended: 0,
            generation: 0,
            attempt: 0,
            status: 0,
            outcome: None,
            is_listed: true,
            was_running: false,
            is_unprinted: false,
        }
    }

    /// A job that has not been found on a list yet, with no attempt.
    pub(super) fn unlisted() -> Standing {
        Standing { is_listed: false, ..Standing::listed() }
    }

    /// Whether its outcome is of this very command.
    pub(crate) fn is_of(&self, identity: &Identity) -> bool {
        self.fingerprint == identity.fingerprint
    }

    /// Whether it has failed in this generation or later.
    pub(crate) fn has_failed_since(&self, generation: u32) -> bool {
        self.generation >= generation && self.outcome == Some(OutcomeClass::Failed)
    }

    /// Whether its outcome is of this generation.
    pub(crate) fn is_of_generation(&self, generation: u32) -> bool {
        self.generation == generation
    }

    /// The last attempt of its generation.
    pub(crate) fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Whether this attempt has no record and that matters. It doesn't if another attempt of this generation,
    /// or of a later one, has succeeded.
    pub(crate) fn lacks(&self, generation: u32, attempt: u32) -> bool {
        let has_succeeded = self.generation >= generation && self.outcome == Some(OutcomeClass::Succeeded);
        (self.generation, self.attempt) < (generation, attempt) && !has_succeeded
    }

    /// Notes an attempt that is recorded in the same file as all before it. Returns whether it counts from
    /// now on: it does unless an attempt with a higher number is known.
    pub(super) fn note(&mut self, brief: &Brief) -> bool {
        let counts = (brief.generation, brief.attempt) >= (self.generation, self.attempt);
        if counts {
            self.attempt = brief.attempt;
            self.take_outcome(brief);
        }
        counts
    }

    /// Compares the attempt that counts with the last one of another file. Returns whether the latter counts
    /// from now on: it does if its generation is later. In the same generation a success counts before any
    /// other outcome; if both or neither succeeded, the attempt that ended first counts.
    fn merge(&mut self, brief: &Brief) -> bool {
        let order = brief.generation.cmp(&self.generation);
        let rank = |outcome, ended| (outcome != Some(OutcomeClass::Succeeded), ended);
        let is_better = rank(Some(brief.came_of_it), brief.ended) < rank(self.outcome, self.ended);
        self.attempt = match order {
            Ordering::Greater => brief.attempt,
            Ordering::Equal => self.attempt.max(brief.attempt),
            Ordering::Less => self.attempt,
        };
        let counts = self.outcome.is_none() || order.is_gt() || order.is_eq() && is_better;
        if counts {
            self.take_outcome(brief);
        }
        counts
    }

    fn take_outcome(&mut self, brief: &Brief) {
        self.fingerprint = brief.identity.fingerprint;
        self.ended = brief.ended;
        self.generation = brief.generation;
        self.outcome = Some(brief.came_of_it);
        self.status = brief.status;
    }
}

/// Merges the attempts of one file into the states of their jobs. It first finds the last attempt of each job
/// in the file, and compares only that with other files' attempts, so the order in which files are read
/// doesn't matter. `T` is the place of an attempt.
pub(super) struct FileAttempts<T> {
    /// The last attempt of each job. `None` for the first file, which has nothing to be compared with: most
    /// journals have no other.
    last: Option<HashMap<Hash, (Brief, T), BuildHasherDefault<AsItIs>>>,
}

impl<T: Copy> FileAttempts<T> {
    /// For the file with this index.
    pub(super) fn of(index: usize) -> FileAttempts<T> {
        FileAttempts { last: (index > 0).then(HashMap::default) }
    }

    /// Notes the next attempt of the file.
    pub(super) fn note(&mut self, brief: &Brief, place: T, job: &mut impl TrackedJob<T>) {
        let Some(last) = &mut self.last else {
            if job.state().note(brief) {
                job.counts_at(place);
            }
            return;
        };
        let (known, place_of_known) = last.entry(brief.identity.job).or_insert((*brief, place));
        if (brief.generation, brief.attempt) >= (known.generation, known.attempt) {
            (*known, *place_of_known) = (*brief, place);
        }
    }

    /// Ends the file: compares the last attempt of each job with those of other files.
    pub(super) fn finish<S: TrackedJob<T>>(self, jobs: &mut HashMap<Hash, S, impl BuildHasher>) {
        for (job, (brief, place)) in self.last.into_iter().flatten() {
            let known = jobs.get_mut(&job).expect("BUG: an attempt whose job was not noted");
            if known.state().merge(&brief) {
                known.counts_at(place);
            }
        }
    }
}

/// What a reader keeps of a job: its state and, if the reader needs it, the place of the attempt that counts.
pub(super) trait TrackedJob<T> {
    fn state(&mut self) -> &mut Standing;

    fn counts_at(&mut self, place: T);
}

impl TrackedJob<()> for Standing {
    fn state(&mut self) -> &mut Standing {
        self
    }

    fn counts_at(&mut self, (): ()) {}
}
