//! A file to which a record of the run is written, piece by piece.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, IsTerminal, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use nix::libc;

use crate::run::sink::Trouble;
use crate::terminal::blocking::BlockingWriter;
use crate::terminal::heartbeat::Heartbeat;
use crate::terminal::shown;
use procpool_journal::os::ownership;

/// An open file, its name for errors, and a heartbeat that beats with each write.
pub(crate) struct RecordFile {
    name: String,
    is_terminal: bool,
    file: File,
    heartbeat: Heartbeat,
    reader_gone: ReaderGone,
    stage: Stage,
}

/// What the first write finds. Until then a run may still be refused, and nothing may be lost by that.
enum Stage {
    /// Contents from before, which it removes.
    Old,
    /// Nothing: the file was created here, and is deleted if nothing is ever written.
    Made(PathBuf),
    /// Contents that stay.
    Begun,
}

/// What it means if the reader closes the pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReaderGone {
    /// The same as with any output: nothing is left to do.
    Ends,
    /// The record is incomplete, which is an error.
    Fails,
}

impl RecordFile {
    /// Opens or creates a file. The first write empties it.
    ///
    /// # Errors
    /// If that fails; the error names the file and this option.
    pub(crate) fn open(path: &Path, option: &str, heartbeat: &Heartbeat) -> anyhow::Result<RecordFile> {
        let name = format!("{path:?}");
        let (file, stage) = open_or_make(path)
            .with_context(|| format!("{option} {name}: can't be written, name a file that can"))?;
        let mut record = RecordFile::new(name, file, ReaderGone::Fails, heartbeat);
        record.stage = stage;
        Ok(record)
    }

    /// Takes a file that the caller has opened, and adds to its contents.
    pub(crate) fn new(
        name: String,
        file: File,
        reader_gone: ReaderGone,
        heartbeat: &Heartbeat,
    ) -> RecordFile {
        RecordFile {
            name,
            is_terminal: file.is_terminal(),
            file,
            heartbeat: heartbeat.clone(),
            reader_gone,
            stage: Stage::Begun,
        }
    }

    /// Writes all of these bytes, which are complete lines.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        // A file gets the exact bytes. On a terminal, names are shown so that they control nothing.
        let bytes = if self.is_terminal { shown::text(bytes).into() } else { Cow::Borrowed(bytes) };
        let written =
            self.begin().and_then(|()| BlockingWriter::new(&self.file, &self.heartbeat).write_all(&bytes));
        written.map_err(|error| match self.reader_gone {
            ReaderGone::Ends => Trouble::writing(&self.name, error),
            ReaderGone::Fails => Trouble::recording(&self.name, error),
        })
    }

    fn begin(&mut self) -> io::Result<()> {
        // Pipes and devices have no contents to remove.
        if matches!(self.stage, Stage::Old) && self.file.metadata()?.is_file() {
            self.file.set_len(0)?;
        }
        self.stage = Stage::Begun;
        Ok(())
    }
}

impl AsFd for RecordFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl Drop for RecordFile {
    fn drop(&mut self) {
        if let Stage::Made(path) = &self.stage {
            // If this fails, an empty file stays.
            let _ = fs::remove_file(path);
        }
    }
}

fn open_or_make(path: &Path) -> io::Result<(File, Stage)> {
    match open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // Not the path that was typed: that may be a link, which existed before.
            let real = end_of_links(path);
            let file = File::options().write(true).create_new(true).open(&real)?;
            Ok((file, Stage::Made(fs::canonicalize(real)?)))
        }
        result => Ok((result?, Stage::Old)),
    }
}

/// Opens an existing file, unless somebody else has put it there for us.
fn open(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    let file = match options.write(true).custom_flags(libc::O_NOFOLLOW).open(path) {
        Err(error) if error.raw_os_error() == Some(libc::ELOOP) => {
            ownership::refuse_link(path)?;
            options.custom_flags(0).open(path)?
        }
        file => file?,
    };
    ownership::refuse_foreign(&file, path)?;
    Ok(file)
}

/// Where a chain of links leads that ends at a missing file.
fn end_of_links(path: &Path) -> PathBuf {
    let mut real = path.to_owned();
    // The kernel follows as many (path_resolution(7)).
    for _ in 0..40 {
        let Ok(next) = fs::read_link(&real) else { break };
        real = real.parent().unwrap_or(Path::new("")).join(next);
    }
    real
}
