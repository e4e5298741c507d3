//! Where in a list each of its jobs stands, so that one is read without all before it.

use procpool_journal::files::folder::Folder;
use procpool_journal::read::list_reader::ListReader;

/// Eight bytes a job: of a million, 8 MB.
#[derive(Debug)]
pub(crate) struct ListIndex {
    /// Where the line of each begins.
    offsets: Vec<u64>,
    /// Where the last one ends.
    end: u64,
    /// How many bytes of the list are whole.
    pub(crate) length: u64,
}

impl ListIndex {
    /// # Errors
    /// Where there is no such list, or it can't be read.
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

    /// How many jobs there are.
    pub(crate) fn jobs(&self) -> u64 {
        self.offsets.len() as u64
    }

    /// Where the job at this position begins, from 1 on; the end of the last one, where there is none.
    pub(crate) fn offset(&self, position: u64) -> u64 {
        let place = usize::try_from(position.saturating_sub(1)).unwrap_or(usize::MAX);
        self.offsets.get(place).copied().unwrap_or(self.end)
    }
}
