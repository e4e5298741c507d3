//! What all formats have in common: a text for each row.
//! Knows none of them.

use std::io::Write;

use crate::commands::export::row::ExportRow;
use crate::commands::stdout::PrintError;
use procpool_journal::read::reading::{ListEnd, Reading};

/// Whatever has a text for each job or attempt, and may have some around them.
pub(super) trait ExportWriter {
    fn begin(&mut self, _: &mut dyn Write) -> Result<(), PrintError> {
        Ok(())
    }

    fn row(
        &mut self,
        row: &ExportRow<'_>,
        reading: &mut Reading,
        out: &mut dyn Write,
    ) -> Result<(), PrintError>;

    fn end(&mut self, _: ListEnd, _: &Reading, _: &mut dyn Write) -> Result<(), PrintError> {
        Ok(())
    }
}
