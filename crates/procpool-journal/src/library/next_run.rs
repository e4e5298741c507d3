//! What a resume would do, by the journal alone and without a lock: nothing is run, signalled or written.

use anyhow::Context;

use crate::files::folder::Folder;
use crate::files::run_lock;
use crate::format::positions::Positions;
use crate::read::history::Past;
use crate::resume::decision::{Changed, Counts, Resume};
use crate::resume::last_list::LastList;
use crate::resume::resumption::{ResumePlan, ResumePlanner, Wish, reckon_stored};

/// What a resume would do. Made by [`Journal::next_run`](crate::Journal::next_run).
#[derive(Debug)]
pub struct NextRun {
    counts: Counts,
    to_run: Positions,
}

impl NextRun {
    pub(super) fn of(folder: &Folder, resume: Resume, changed: Option<Changed>) -> anyhow::Result<NextRun> {
        let mut past = Past::read(folder)?;
        let run = past.run.take().context("no run is recorded there")?;
        let started = folder.running().open().ok().and_then(|file| run_lock::read(&file));
        let mut last = LastList::new(&run, folder, started.as_ref())?;
        let noted = last.begin_noting();
        let reckoning = ResumePlanner::new(&past, Wish { resume, changed, goes_on: None }, noted);
        let ResumePlan { counts, to_run, .. } = reckon_stored(folder, &mut last, reckoning)?;
        Ok(NextRun { counts, to_run })
    }

    /// How many jobs it would run.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.to_run.count()
    }

    /// Whether nothing is left to run.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it would run the job at this position of the list, from 1.
    #[must_use]
    pub fn runs(&self, position: u64) -> bool {
        self.to_run.has(position)
    }

    /// The positions of the jobs that it would run, in order.
    pub fn positions(&self) -> impl Iterator<Item = u64> + '_ {
        self.to_run.iter()
    }

    /// How many jobs are in each state, as `procpool resume` prints it before it begins.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }
}
