//! The offset of each job in a list, so that a job can be read without those before it.

use procpool_journal::files::folder::Folder;
use procpool_journal::read::list_reader::ListReader;

/// Takes eight bytes a job: 8 MB for a million jobs.
#[derive(Debug)]
pub(crate) struct ListIndex {
    /// Where the line of each job begins.
    offsets: Vec<u64>,
    /// Where the last line ends.
    end: u64,
    /// The length in bytes of the intact part of the list.
    pub(crate) length: u64,
}

impl ListIndex {
    /// # Errors
    /// There is no such list, or it can't be read.
    pub(crate) fn read(folder: &Folder, list: u32) -> anyhow::Result<ListIndex> {
        let reader = ListReader::open(folder, list)?;
        let mut offsets = Vec::new();
        let mut end = 0;
        let found = reader.read(|listed| {
            offsets.push(listed.offset);
            end = listed.end();
        })?;
        Ok(ListIndex { offsets, end, length: found.length })
    }

    pub(crate) fn jobs(&self) -> u64 {
        self.offsets.len() as u64
    }

    /// Where the job at this position, counted from 1, begins; for a position behind the last job, where that
    /// job ends.
    pub(crate) fn offset(&self, position: u64) -> u64 {
        let place = usize::try_from(position.saturating_sub(1)).unwrap_or(usize::MAX);
        self.offsets.get(place).copied().unwrap_or(self.end)
    }
}
