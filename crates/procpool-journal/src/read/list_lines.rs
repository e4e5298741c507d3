//! Reads a list line by line, with all that stands in it.
//! Knows nothing of what is made of a line.

use std::fs::File;
use std::io;

use anyhow::{Context, bail};

use crate::files::folder::Folder;
use crate::read::scan::{Found, Scanner};

/// The lines of a list.
pub(crate) struct ListLines(Scanner<File>);

impl ListLines {
    /// `None` where there is no such list.
    ///
    /// # Errors
    /// Where it can't be opened.
    pub(crate) fn open(folder: &Folder, number: u32) -> anyhow::Result<Option<ListLines>> {
        let path = folder.list(number);
        match path.open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            file => Ok(Some(ListLines(Scanner::new(file.with_context(|| format!("can't read {path:?}"))?)))),
        }
    }

    /// What stands in the next line. A torn one was never run, and is left out.
    ///
    /// # Errors
    /// Where it can't be read, or is damaged before its end.
    pub(crate) fn next(&mut self) -> anyhow::Result<Option<&[u8]>> {
        match self.0.next_line().context("can't read the journal's list of jobs")? {
            Found::Line { body, .. } => Ok(Some(body)),
            Found::End { .. } | Found::Torn { .. } => Ok(None),
            Found::Damaged { offset } => {
                bail!("the journal's list of jobs is damaged at byte {offset}, and whole lines follow")
            }
        }
    }
}
