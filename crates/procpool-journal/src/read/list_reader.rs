//! Reads the list of jobs from its file, in one of two ways. [`ListReader::read`] tells which jobs there are,
//! and parses the lines on a second thread, because a list may have millions of them. `ListReader::lines`
//! returns the bodies of the lines one by one. A list that is still being written is read by
//! [`StoredJobs`](crate::write::stored_jobs::StoredJobs).

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use anyhow::{Context, bail};

use crate::files::file::JournalFile;
use crate::files::folder::Folder;
use crate::format::brief::identity_of;
use crate::format::identity::Identity;
use crate::format::line::CHECK;
use crate::format::list::{JobLine, job_of_line};
use crate::read::ahead::{self, Rest};
use crate::read::scan::{Found, Scanner};

/// A list that is open.
pub struct ListReader(File);

/// A job of the list.
pub struct ListLine<'a> {
    pub(crate) identity: Identity,
    list: &'a File,
    pub offset: u64,
    length: usize,
}

/// How a list ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListExtent {
    /// The length of its whole lines, in bytes.
    pub length: u64,
    /// Whether the last line says that there are no more jobs.
    pub(crate) is_whole: bool,
}

/// The lines of a list, in order.
pub(crate) struct ListLines(Scanner<File>);

impl ListReader {
    /// `None` if there is no such list.
    ///
    /// # Errors
    /// If it can't be opened.
    pub fn open_if_there(folder: &Folder, number: u32) -> anyhow::Result<Option<ListReader>> {
        let path = folder.list(number);
        match path.open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            file => Ok(Some(ListReader(file.with_context(|| format!("can't read {path:?}"))?))),
        }
    }

    /// # Errors
    /// If there is no such list, or it can't be opened.
    pub fn open(folder: &Folder, number: u32) -> anyhow::Result<ListReader> {
        let reader = ListReader::open_if_there(folder, number)?;
        reader.with_context(|| missing(&folder.list(number)))
    }

    /// Gives all jobs to `take`, in order. A torn line is ignored: its job was never run.
    ///
    /// # Errors
    /// If the list can't be read, or is damaged before its end.
    pub fn read(&self, mut take: impl FnMut(ListLine<'_>)) -> anyhow::Result<ListExtent> {
        let mut is_whole = false;
        let parse = |offset, body: &[u8]| (identity_of(body), offset, body.len() + CHECK);
        let take = |(identity, offset, length)| {
            match identity {
                Some(identity) => take(ListLine { identity, list: &self.0, offset, length }),
                None => is_whole = true,
            }
            Ok(())
        };
        match ahead::read(&self.0, parse, take).context(UNREADABLE)? {
            Rest::Nothing { offset } | Rest::Torn { offset } => Ok(ListExtent { length: offset, is_whole }),
            Rest::Damaged { offset } => bail!(damaged(offset)),
        }
    }

    /// The lines of the list, one by one.
    pub(crate) fn lines(self) -> ListLines {
        ListLines(Scanner::new(self.0))
    }
}

impl ListLines {
    /// The body of the next line. A torn one is ignored, as by [`ListReader::read`].
    ///
    /// # Errors
    /// If the list can't be read, or is damaged before its end.
    pub(crate) fn next(&mut self) -> anyhow::Result<Option<&[u8]>> {
        match self.0.next_line().context(UNREADABLE)? {
            Found::Line { body, .. } => Ok(Some(body)),
            Found::End { .. } | Found::Torn { .. } => Ok(None),
            Found::Damaged { offset } => bail!(damaged(offset)),
        }
    }
}

impl ListLine<'_> {
    /// The offset of the next line.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.offset + self.length as u64 + 1
    }

    /// Reads its whole line again. `None` if that fails.
    pub(crate) fn read(&self) -> Option<JobLine> {
        let mut line = vec![0; self.length];
        self.list.read_exact_at(&mut line, self.offset).ok()?;
        job_of_line(&line)
    }
}

const UNREADABLE: &str = "can't read the journal's list of jobs";

/// Without its list, a run can't continue and its jobs can't be shown.
pub(crate) fn missing(list: &JournalFile) -> String {
    format!("the journal's list of jobs, {list:?}, is gone")
}

fn damaged(offset: u64) -> String {
    format!(
        "the journal's list of jobs is damaged at byte {offset}, and whole lines follow; nothing was changed"
    )
}
