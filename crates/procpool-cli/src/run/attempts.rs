//! The last failed attempts of jobs that are to be tried again.
//! Knows nothing of why or when.

use std::collections::HashMap;

use procpool_core::{Completion, NotStarted, Outcome, Retried};

/// Held until the next attempt has ended: where the run is over before that begins, the one before was the last, and
/// what it has written is the job's output.
#[derive(Default)]
pub(crate) struct Attempts {
    /// By the job's number.
    held: HashMap<u64, Retried>,
}

impl Attempts {
    /// An attempt failed, and another one follows. Gives back the one before, which is of no use any more.
    pub(crate) fn hold(&mut self, mut retried: Retried) -> Option<Retried> {
        if let Outcome::Ran(ran) = &mut retried.outcome {
            for spool in [&mut ran.stdout, &mut ran.stderr] {
                // Where there is no room for it on disk it stays in memory; nothing is lost by that.
                let _ = spool.spill();
            }
        }
        self.held.insert(retried.seq.get(), retried)
    }

    /// A job is done. One whose next attempt never came has ended by the last that did; else that one is given back.
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
