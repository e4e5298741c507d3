//! Who records the attempts of a run, and whether somebody does already.

use crate::args::ResumeChoice;
use procpool_journal::read::history::PastRound;
use procpool_journal::resume::resumption::GoesOn;

/// Who records the attempts of a run.
#[derive(Clone, Copy)]
pub(super) enum RecordedBy<'a> {
    Here,
    /// Slices, of which this process hears later.
    Elsewhere {
        /// How many further attempts a job has that doesn't say so itself.
        retries: u32,
        /// Whether slices of this round are still at work, or may be.
        is_live: &'a dyn Fn(&PastRound) -> anyhow::Result<bool>,
    },
}

impl RecordedBy<'_> {
    /// Whether a round is still at work, and what has failed in it is not to be run again.
    ///
    /// # Errors
    /// Where the cluster's commands are not here.
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
