//! The state from which a run starts, if others may have run parts of it before, or are still running them.

use std::path::PathBuf;
use std::sync::Arc;

use procpool_journal::format::positions::Positions;
use procpool_journal::read::history::PastRound;

#[derive(Clone, Debug, Default)]
pub(crate) struct ResumeState {
    pub(crate) generation: u32,
    /// The number of the run's list.
    pub(crate) list: u32,
    /// The positions to run; `None` means all.
    pub(crate) to_run: Option<Arc<Positions>>,
    /// Those of them that have failed in `round`, each with its last attempt.
    pub(crate) failed: Vec<(u64, u32)>,
    /// The round of slices that may still be running.
    pub(crate) round: Option<PastRound>,
    /// How much of each other writer's file is already known.
    pub(crate) lengths: Vec<(PathBuf, u64)>,
}
