//! A file that a record of the run goes to, piece by piece.
//! Knows nothing of what a record says.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;

use crate::patient::Patient;
use crate::pulse::Pulse;
use crate::sink::Trouble;

/// An open file, what it is called, and a pulse that beats with each write.
pub(crate) struct RecordFile {
    name: String,
    file: File,
    pulse: Pulse,
    reader_gone: ReaderGone,
}

/// What it means that nobody reads on the other side any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReaderGone {
    /// As with any output: nothing is left to do.
    Ends,
    /// What was to be recorded is not.
    Fails,
}

impl RecordFile {
    /// Opens a file, and makes or empties it.
    ///
    /// # Errors
    /// Where that can't be done; names the file and this option.
    pub(crate) fn create(path: &Path, option: &str, pulse: &Pulse) -> anyhow::Result<RecordFile> {
        let name = format!("{path:?}");
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path)
            .with_context(|| format!("{option} {name}: can't be written, name a file that can"))?;
        Ok(RecordFile::new(name, file, ReaderGone::Fails, pulse))
    }

    /// Takes a file that is open already.
    pub(crate) fn new(name: String, file: File, reader_gone: ReaderGone, pulse: &Pulse) -> RecordFile {
        RecordFile { name, file, pulse: pulse.clone(), reader_gone }
    }

    /// Writes all of these bytes.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        Patient::new(&self.file, &self.pulse).write_all(bytes).map_err(|error| match self.reader_gone {
            ReaderGone::Ends => Trouble::writing(&self.name, error),
            ReaderGone::Fails => Trouble::recording(&self.name, error),
        })
    }
}
