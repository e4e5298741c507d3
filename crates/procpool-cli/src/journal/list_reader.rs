//! Reads a list line by line, as it lies there.
//! Knows nothing of what is made of a line.

use std::fs::File;
use std::io;

use anyhow::{Context, bail};

use crate::journal::folder::Folder;
use crate::journal::line::CHECK;
use crate::journal::scan::{Found, Scanner};

/// The lines of a list.
pub(crate) struct ListReader {
    scanner: Scanner<File>,
    /// How much of it is whole so far.
    pub(crate) length: u64,
    /// Its end has been seen.
    pub(crate) is_whole: bool,
}

impl ListReader {
    /// `None` where there is no such list.
    pub(crate) fn open(folder: &Folder, number: u32) -> anyhow::Result<Option<ListReader>> {
        let path = folder.list(number);
        match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            file => {
                let file = file.with_context(|| format!("can't read {path:?}"))?;
                Ok(Some(ListReader { scanner: Scanner::new(file), length: 0, is_whole: false }))
            }
        }
    }

    /// What stands in the next line. A torn one was never run, and is left out.
    ///
    /// # Errors
    /// Where the list is damaged before its end.
    pub(crate) fn next(&mut self) -> anyhow::Result<Option<&[u8]>> {
        match self.scanner.next().context("can't read the journal's list of jobs")? {
            Found::Line { offset, body } => {
                // With the check before and the newline after it.
                self.length = offset + (body.len() + CHECK + 1) as u64;
                Ok(Some(body))
            }
            Found::End { .. } | Found::Torn { .. } => Ok(None),
            Found::Damaged { offset } => {
                bail!(
                    "the journal's list of jobs is damaged at byte {offset}, and whole lines follow; nothing was changed"
                )
            }
        }
    }
}
