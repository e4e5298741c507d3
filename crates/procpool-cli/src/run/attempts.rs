//! The latest failed attempts of jobs that will be tried again.
//!
//! Each is held until the next attempt has ended. If the run ends before that one starts, the held attempt
//! was the job's last, and its output is the job's output.

use std::collections::HashMap;

use procpool_core::{Completion, NotStarted, Outcome, Retried};

#[derive(Default)]
pub(crate) struct Attempts {
    /// By the job's seq.
    held: HashMap<u64, Retried>,
}

impl Attempts {
    /// Holds a failed attempt, and returns the one before it, which is superseded.
    pub(crate) fn hold(&mut self, mut retried: Retried) -> Option<Retried> {
        if let Outcome::Ran(ran) = &mut retried.outcome {
            for spool in [&mut ran.stdout, &mut ran.stderr] {
                // If the disk is full it stays in memory.
                let _ = spool.spill();
            }
        }
        self.held.insert(retried.seq.get(), retried)
    }

    /// Ends a job. If its next attempt never started, the completion becomes that of the held attempt;
    /// otherwise that one is superseded and returned.
    pub(crate) fn settle<W>(&mut self, completion: &mut Completion<W>) -> Option<Retried> {
        if completion.attempt == 1 {
            return None;
        }
        let last = self.held.remove(&completion.seq.get())?;
        if !matches!(completion.outcome, Outcome::NotStarted(NotStarted::NeverReached)) {
            return Some(last);
        }
        completion.attempt = last.attempt;
        completion.slot = Some(last.slot);
        completion.outcome = last.outcome;
        completion.node = last.node;
        None
    }
}
