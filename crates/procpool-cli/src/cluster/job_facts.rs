//! What the head of a run knows about its jobs: their records, and which slice has taken them.

use procpool_cluster::{Holder, Outcomes, Unreadable};

use crate::cluster::claims;
use crate::cluster::order::Sharing;
use crate::cluster::outcome_forwarder::OutcomeForwarder;
use crate::cluster::slice_files::SliceFiles;
use procpool_journal::files::folder::Folder;

pub(super) struct JobFacts<'a> {
    pub(super) forwarder: &'a OutcomeForwarder,
    pub(super) slice_files: &'a SliceFiles,
    pub(super) folder: &'a Folder,
    /// The tag of the current round, as in the names of its files; `None` if there is none.
    pub(super) tag: Option<&'a String>,
    pub(super) sharing: Sharing,
}

impl Outcomes for JobFacts<'_> {
    fn is_finished(&self, position: u64) -> bool {
        self.forwarder.is_settled(position)
    }

    fn holder(&self, piece: usize) -> Result<Holder, Unreadable> {
        match (self.tag, self.sharing) {
            (None, _) => Ok(Holder::Nobody),
            (Some(_), Sharing::Fixed) => Ok(u32::try_from(piece).map_or(Holder::Nobody, Holder::Element)),
            (Some(tag), Sharing::Claimed) => claims::holder(self.folder, tag, piece).map_err(|_| Unreadable),
        }
    }
    /// A slice that has recorded its own end has also recorded every job that it had begun.
    fn was_begun(&self, position: u64, element: u32) -> bool {
        let has_ended = self.tag.is_some_and(|tag| self.slice_files.has_ended(tag, element));
        !has_ended || self.forwarder.was_begun(position)
    }
}
