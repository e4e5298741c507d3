//! Takes account of one output that is printed line by line while others are, for whoever goes on after a kill.

use std::io;
use std::sync::Arc;

use procpool_core::Source;

use crate::output::stream::OutputStream;
use procpool_journal::write::output_shape::OutputShape;
use procpool_journal::write::print_log::PrintLog;
use procpool_journal::write::row_file::RowIndex;

/// The account of an output of one attempt.
pub(crate) struct LineProgress {
    pub(crate) printed: Arc<PrintLog>,
    pub(crate) position: u64,
    pub(crate) source: Source,
    pub(crate) row: RowIndex,
    pub(crate) shape: OutputShape,
}

impl LineProgress {
    /// More of it is going to be printed, from where it was left.
    ///
    /// # Errors
    /// Where the disk has no room for the note.
    pub(crate) fn begin(&self, stream: &OutputStream) -> io::Result<()> {
        let Some(rows) = self.printed.rows() else { return Ok(()) };
        let own = rows.own(self.row);
        self.printed.begin_from(self.position, &self.shape, own)?;
        stream.begin_here();
        Ok(())
    }

    /// So many of the job's own bytes have been printed.
    ///
    /// # Errors
    /// Where the disk has no room for the note.
    pub(crate) fn end(&self, own: u64) -> io::Result<()> {
        if let Some(rows) = self.printed.rows() {
            rows.set(self.row, self.source, own)?;
        }
        self.printed.pause()
    }
}
