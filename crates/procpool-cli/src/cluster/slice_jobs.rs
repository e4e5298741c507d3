//! The jobs of a slice: those of one piece after another. The slice takes a piece when it has room for
//! another job.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::Context;
use procpool_core::{Job, Outcome, Retries};

use crate::cluster::bad_nodes::OwnNode;
use crate::cluster::claims::Claims;
use crate::cluster::order::Parts;
use crate::cluster::workload::Workload;
use crate::input::Jobs;
use crate::job::work::{self, Work};
use procpool_journal::files::outage::is_transient;
use procpool_journal::write::list_file::ListFile;
use procpool_journal::write::stored_jobs::{ListFailure, StoredJobs};

/// The pieces of a round, and which of them the slice may run.
pub(crate) struct SlicePieces {
    pub(crate) listing: Arc<ListFile>,
    pub(crate) all: Vec<Parts>,
    /// The pieces that it has from the beginning.
    pub(crate) own: VecDeque<usize>,
    pub(crate) node: Arc<OwnNode>,
    /// `None` if it may take no further pieces.
    pub(crate) claims: Option<Claims>,
    /// Decides the order of the jobs of each piece, if they are shuffled. A pool would shuffle the whole
    /// input at once, and the slice would have to take all pieces for that.
    pub(crate) seed: Option<u64>,
}

pub(crate) struct SliceJobs {
    of: SlicePieces,
    rest: PriorAttempts,
    workload: Arc<Workload>,
    trouble: ListFailure,
    /// What is left of the current piece.
    jobs: Option<Jobs>,
}

/// What earlier instances of the slice have done.
pub(crate) struct PriorAttempts {
    /// By position: the last attempt, and its outcome.
    pub(crate) before: HashMap<u64, (u32, Outcome)>,
    pub(crate) retries: Retries,
    pub(crate) falls_short: Arc<AtomicBool>,
}

impl PriorAttempts {
    fn has_ended(&self, job: &Job<Work>) -> bool {
        let before = job.position.and_then(|position| self.before.get(&position));
        let Some((attempt, outcome)) = before else { return false };
        let has_ended = !self.retries.follow(*attempt, job.retries, outcome);
        if has_ended && !outcome.is_success() {
            self.fall_short();
        }
        has_ended
    }

    fn fall_short(&self) {
        self.falls_short.store(true, Ordering::Release);
    }
}

/// The time between two tries to take a piece while the folder can't be used.
const AGAIN: Duration = Duration::from_secs(1);

impl SlicePieces {
    /// The jobs of its pieces, except those that have ended. An error when one is read or taken is stored in
    /// `trouble`.
    pub(crate) fn over(
        self,
        rest: PriorAttempts,
        workload: Arc<Workload>,
        trouble: ListFailure,
    ) -> SliceJobs {
        SliceJobs { of: self, rest, workload, trouble, jobs: None }
    }
}

impl SliceJobs {
    /// Takes another piece. Returns whether there was one.
    fn take_piece(&mut self) -> anyhow::Result<bool> {
        let piece = match self.of.own.pop_front() {
            Some(piece) => Some(piece),
            None if self.workload.wait_for_room() && self.of.node.may_take() => self.claim()?,
            None => {
                // It isn't known whether another slice takes the rest. Whoever depends on the whole list must
                // not take this for success.
                if self.of.claims.as_ref().is_some_and(Claims::may_have_more) {
                    self.rest.fall_short();
                }
                None
            }
        };
        let Some(parts) = piece.and_then(|piece| self.of.all.get(piece)) else { return Ok(false) };
        let jobs = StoredJobs::new(Arc::clone(&self.of.listing), Some(Arc::new(parts.positions())), None);
        let mut jobs = jobs.with_marks(parts.marks());
        jobs.trouble = Arc::clone(&self.trouble);
        self.jobs = Some(match self.of.seed {
            Some(seed) => shuffled(jobs, seed),
            None => Box::new(jobs.map(work::stored)),
        });
        Ok(true)
    }

    fn claim(&mut self) -> anyhow::Result<Option<usize>> {
        let Some(claims) = &mut self.of.claims else { return Ok(None) };
        loop {
            match claims.take() {
                Err(error) if is_transient(&error) && self.workload.wait_for_room() => thread::sleep(AGAIN),
                taken => return taken.context("can't take more of the list"),
            }
        }
    }

    fn next_of_piece(&mut self) -> Option<Job<Work>> {
        let rest = &self.rest;
        self.jobs.as_mut()?.find(|job| !rest.has_ended(job))
    }
}

impl Iterator for SliceJobs {
    type Item = Job<Work>;

    fn next(&mut self) -> Option<Job<Work>> {
        loop {
            if let Some(job) = self.next_of_piece() {
                let may_begin = self.of.node.may_go_on() && self.workload.give();
                if !may_begin {
                    self.rest.fall_short();
                }
                return may_begin.then_some(job);
            }
            if self.trouble.get().is_some() {
                // The rest of this piece can't be read, and to take further pieces would be useless.
                return None;
            }
            match self.take_piece() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => {
                    let _ = self.trouble.set(error);
                    return None;
                }
            }
        }
    }
}

/// Puts the jobs into an order that depends only on the seed and their positions.
fn shuffled(jobs: StoredJobs, seed: u64) -> Jobs {
    let mut jobs: Vec<Job<Work>> = jobs.map(work::stored).collect();
    jobs.sort_by_cached_key(|job| {
        let mut hasher = DefaultHasher::new();
        (seed, job.position).hash(&mut hasher);
        hasher.finish()
    });
    Box::new(jobs.into_iter())
}
