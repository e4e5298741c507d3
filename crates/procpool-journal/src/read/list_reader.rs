//! Reads which jobs stand on a list, as it lies there.
//! Knows nothing of what is to become of them.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use anyhow::{Context, bail};

use crate::files::folder::Folder;
use crate::format::identity::Identity;
use crate::format::line::{self, CHECK};
use crate::format::list::{JobLine, Line, identity_of, parse};
use crate::read::ahead::{self, Rest};

/// A list.
pub struct ListReader(File);

/// A job of it.
pub struct Listed<'a> {
    pub(crate) identity: Identity,
    list: &'a File,
    pub offset: u64,
    length: usize,
}

/// How a list ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListEnd {
    /// How much of it is whole.
    pub length: u64,
    /// Whether that is all of it.
    pub(crate) is_whole: bool,
}

impl ListReader {
    /// `None` where there is no such list.
    ///
    /// # Errors
    /// Where it can't be opened.
    pub fn open(folder: &Folder, number: u32) -> anyhow::Result<Option<ListReader>> {
        let path = folder.list(number);
        match path.open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            file => Ok(Some(ListReader(file.with_context(|| format!("can't read {path:?}"))?))),
        }
    }

    /// Gives out all its jobs, in order. A torn line was never run, and is left out.
    ///
    /// # Errors
    /// Where it can't be read, or is damaged before its end.
    pub fn read(&self, mut take: impl FnMut(Listed<'_>)) -> anyhow::Result<ListEnd> {
        let mut is_whole = false;
        let parse = |offset, body: &[u8]| (identity_of(body), offset, body.len() + CHECK);
        let take = |(identity, offset, length)| {
            match identity {
                Some(identity) => take(Listed { identity, list: &self.0, offset, length }),
                None => is_whole = true,
            }
            Ok(())
        };
        let rest = ahead::read(&self.0, parse, take).context("can't read the journal's list of jobs")?;
        match rest {
            Rest::Nothing { offset } | Rest::Torn { offset } => Ok(ListEnd { length: offset, is_whole }),
            Rest::Damaged { offset } => bail!(
                "the journal's list of jobs is damaged at byte {offset}, and whole lines follow; nothing was changed"
            ),
        }
    }
}

impl Listed<'_> {
    /// Where the next one begins.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.offset + self.length as u64 + 1
    }

    /// All of it, read once more; `None` where it can't be.
    pub(crate) fn read(&self) -> Option<JobLine> {
        let mut bytes = vec![0; self.length];
        self.list.read_exact_at(&mut bytes, self.offset).ok()?;
        match line::open(&bytes).and_then(parse)? {
            Line::Job(job) => Some(*job),
            Line::End { .. } => None,
        }
    }
}
