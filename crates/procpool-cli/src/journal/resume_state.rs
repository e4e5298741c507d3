//! What a run sets out from, where others may have run parts of it before, or still do.

use std::path::PathBuf;
use std::sync::Arc;

use procpool_journal::format::positions::Positions;
use procpool_journal::read::history::PastRound;

/// What a run sets out from.
#[derive(Clone, Debug, Default)]
pub(crate) struct ResumeState {
    pub(crate) generation: u32,
    /// The number of its list.
    pub(crate) list: u32,
    /// What is to be run; `None` is all of it.
    pub(crate) to_run: Option<Arc<Positions>>,
    /// What of that has failed in the round that may still be on its way, each with its last attempt.
    pub(crate) failed: Vec<(u64, u32)>,
    /// The round that may still be on its way.
    pub(crate) round: Option<PastRound>,
    /// Of the files that others write, so much is known.
    pub(crate) lengths: Vec<(PathBuf, u64)>,
}
