//! Notes how far one output has been printed, if lines of several jobs are printed side by side. A resume
//! after a kill continues there.

use std::io;
use std::sync::Arc;

use procpool_core::Source;

use crate::output::stream::OutputStream;
use procpool_journal::write::output_shape::OutputShape;
use procpool_journal::write::print_log::PrintLog;
use procpool_journal::write::row_file::RowIndex;

/// The progress of one output of an attempt.
pub(crate) struct LineProgress {
    pub(crate) printed: Arc<PrintLog>,
    pub(crate) position: u64,
    pub(crate) source: Source,
    pub(crate) row: RowIndex,
    pub(crate) shape: OutputShape,
}

impl LineProgress {
    /// Notes that more of the output will be printed, from where it stopped.
    ///
    /// # Errors
    /// If the disk has no space for the note.
    pub(crate) fn begin(&self, stream: &OutputStream) -> io::Result<()> {
        let Some(rows) = self.printed.rows() else { return Ok(()) };
        let own = rows.own(self.row);
        self.printed.begin_from(self.position, &self.shape, own)?;
        stream.begin_here();
        Ok(())
    }

    /// Notes that this many of the job's own bytes have been printed.
    ///
    /// # Errors
    /// If the disk has no space for the note.
    pub(crate) fn end(&self, own: u64) -> io::Result<()> {
        if let Some(rows) = self.printed.rows() {
            rows.set(self.row, self.source, own)?;
        }
        self.printed.pause()
    }
}
