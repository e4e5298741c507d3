//! The trait of export formats: text for each row, and optionally before the first and after the last.

use std::io::Write;

use crate::commands::export::row::ExportRow;
use crate::commands::stdout::PrintError;
use procpool_journal::read::reading::{ListEnd, Reading};

/// An export format.
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
