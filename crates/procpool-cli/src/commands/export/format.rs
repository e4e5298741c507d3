//! What all formats have in common: a text for each row.
//! Knows none of them.

use std::io::Write;

use crate::commands::export::row::Row;
use crate::commands::stdout::Fault;
use procpool_journal::read::reading::{ListEnd, Reading};

/// Whatever has a text for each job or attempt, and may have some around them.
pub(super) trait Format {
    fn begin(&mut self, _: &mut dyn Write) -> Result<(), Fault> {
        Ok(())
    }

    fn row(&mut self, row: &Row<'_>, reading: &mut Reading, paper: &mut dyn Write) -> Result<(), Fault>;

    fn end(&mut self, _: ListEnd, _: &Reading, _: &mut dyn Write) -> Result<(), Fault> {
        Ok(())
    }
}
