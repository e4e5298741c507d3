//! Who records the attempts of a run: this process, or slices on a cluster, which may already be running.

use crate::args::ResumeChoice;
use procpool_journal::read::history::PastRound;
use procpool_journal::resume::resumption::GoesOn;

/// Who records the attempts of a run.
#[derive(Clone, Copy)]
pub(super) enum RecordedBy<'a> {
    Here,
    /// Slices on a cluster; this process reads their records later.
    Elsewhere {
        /// How many retries a job has that doesn't set its own number.
        retries: u32,
        /// Whether slices of this round are running, or may be.
        is_live: &'a dyn Fn(&PastRound) -> anyhow::Result<bool>,
    },
}

impl RecordedBy<'_> {
    /// The round, if it is still running and jobs that have failed in it are not to be run again.
    ///
    /// # Errors
    /// If the cluster's commands are missing here.
    pub(super) fn goes_on(
        self,
        round: Option<&PastRound>,
        resume: Option<ResumeChoice>,
    ) -> anyhow::Result<Option<GoesOn>> {
        let (Some(last), RecordedBy::Elsewhere { retries, is_live }) = (round, self) else { return Ok(None) };
        let goes_on = resume != Some(ResumeChoice::Failed) && is_live(last)?;
        Ok(goes_on.then_some(GoesOn { generation: last.round.generation, retries }))
    }
}
