//! How a job stands by the attempts that have been recorded of it, of one writer or of several.
//! Knows nothing of where attempts are read.

use std::cmp::Ordering;

use crate::format::brief::{Brief, CameOfIt};
use crate::format::identity::{Hash, Identity};

/// How a job stands. Packed: there may be millions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What its outcome is of.
    fingerprint: Hash,
    pub(super) ended: u64,
    generation: u32,
    /// The last of that generation, of whichever writer.
    attempt: u32,
    pub(crate) status: u8,
    pub(crate) outcome: Option<CameOfIt>,
    pub(crate) is_listed: bool,
    /// It was started, and nobody knows what came of it.
    pub(crate) was_running: bool,
    /// It has an outcome whose output was not printed.
    pub(crate) is_unprinted: bool,
}

impl Standing {
    /// A job that stands on a list.
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

    /// A job of which nobody has said yet that it stands on a list.
    pub(super) fn unlisted() -> Standing {
        Standing { is_listed: false, ..Standing::listed() }
    }

    /// Whether its outcome is of this very command.
    pub(crate) fn is_of(&self, identity: &Identity) -> bool {
        self.fingerprint == identity.fingerprint
    }

    /// Whether it has failed in this generation or later.
    pub(crate) fn has_failed_since(&self, generation: u32) -> bool {
        self.generation >= generation && self.outcome == Some(CameOfIt::Failed)
    }

    /// Whether its outcome is of this generation.
    pub(crate) fn is_of_generation(&self, generation: u32) -> bool {
        self.generation == generation
    }

    /// The last one of its generation.
    pub(crate) fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Whether nothing is known of an attempt of this generation, and it matters: somebody else may have succeeded.
    pub(crate) fn lacks(&self, generation: u32, attempt: u32) -> bool {
        let has_succeeded = self.generation >= generation && self.outcome == Some(CameOfIt::Succeeded);
        (self.generation, self.attempt) < (generation, attempt) && !has_succeeded
    }

    /// Takes note of an attempt. What a later generation says replaces what an earlier one did. Within one, the last
    /// attempt counts; of several writers whoever succeeded, and of those the first.
    /// Says whether it counts from now on.
    pub(super) fn note(&mut self, brief: &Brief, writer: Writer) -> bool {
        let order = self.generation.cmp(&brief.generation);
        let counts = match (order, writer) {
            // Attempts of a generation stand in a file in their order.
            (Ordering::Less, _) | (Ordering::Equal, Writer::Same) => true,
            (Ordering::Greater, _) => false,
            (Ordering::Equal, Writer::Another) => {
                let rank = |outcome, ended| (outcome != Some(CameOfIt::Succeeded), ended);
                rank(Some(brief.came_of_it), brief.ended) < rank(self.outcome, self.ended)
            }
        };
        self.attempt = match order {
            Ordering::Less => brief.attempt,
            Ordering::Equal => self.attempt.max(brief.attempt),
            Ordering::Greater => self.attempt,
        };
        if counts {
            self.fingerprint = brief.identity.fingerprint;
            self.ended = brief.ended;
            self.generation = brief.generation;
            self.outcome = Some(brief.came_of_it);
            self.status = brief.status;
        }
        counts
    }
}

/// Whether an attempt stands in the file in which that one does which has counted so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writer {
    Same,
    Another,
}
