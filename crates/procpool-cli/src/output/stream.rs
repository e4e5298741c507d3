//! One of procpool's two standard streams, to which the outputs of jobs go.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Read, Write};
use std::sync::Arc;

use procpool_core::{CopyError, Key, Source, Spool};
use rustix::io::fcntl_dupfd_cloexec;
use rustix::pipe::fcntl_setpipe_size;
use rustix::stdio;

use crate::os::closed::StandardStream;
use crate::output::print_progress::{PIECE, PrintProgress, UnprintedRest, delivered, is_within_line};
use crate::output::reshape::{Shaping, delivered_as};
use crate::output::shape::{Shape, StreamFilter};
use crate::run::sink::Trouble;
use crate::terminal::blocking::{BlockingWriter, wait_for_room};
use crate::terminal::heartbeat::Heartbeat;
use crate::terminal::screen::{self, DisplayHold};
use procpool_journal::os::file_id::FileId;
use procpool_journal::write::print_log::{LastByte, PartialStream, PrintLog};

/// How outputs may control a terminal. Anything else gets them unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Control {
    Colour,
    All,
}

/// An output larger than this is worth a larger pipe to its reader.
const LARGE: u64 = 1024 * 1024;

/// The size of that pipe, if the system allows it. With the usual 64 KiB, writer and reader wake each other
/// 16 times per MiB, which takes a fifth of the time.
const LARGE_PIPE: usize = 1024 * 1024;

/// A stream. The one of the standard library treats a write to a closed descriptor as a success, and searches
/// every byte for newlines.
pub(crate) struct OutputStream {
    name: &'static str,
    /// An error if the descriptor was closed from the start. That matters only if something is written.
    file: io::Result<File>,
    is_terminal: bool,
    passes: StreamFilter,
    heartbeat: Heartbeat,
    /// Set while an output is being written to a terminal.
    held: Option<DisplayHold>,
    /// Set if a resume may have to continue after a kill.
    account: Option<PrintProgress>,
    /// How the bytes that were written last end.
    last: LastByte,
}

impl OutputStream {
    /// Opens the stream for this output of jobs. Each piece is a beat of `heartbeat`.
    pub(crate) fn open(source: Source, control: Control, heartbeat: Heartbeat) -> OutputStream {
        let (name, which, descriptor) = match source {
            Source::Stdout => ("standard output", StandardStream::Output, stdio::stdout()),
            Source::Stderr => ("standard error", StandardStream::Error, stdio::stderr()),
        };
        let file = which.check().and_then(|()| Ok(File::from(fcntl_dupfd_cloexec(descriptor, 3)?)));
        let is_terminal = file.as_ref().is_ok_and(File::is_terminal);
        let passes = match control {
            Control::Colour if is_terminal => StreamFilter::TextAndColour,
            _ => StreamFilter::Everything,
        };
        OutputStream {
            name,
            file,
            is_terminal,
            passes,
            heartbeat,
            held: None,
            account: None,
            last: LastByte::EndsLine,
        }
    }

    /// Notes what is written from now on. Call this before anything is written.
    pub(crate) fn keep_account(&mut self, source: Source, printed: Arc<PrintLog>) {
        self.account = Some(PrintProgress::new(printed, source, self.file.as_ref().ok()));
    }

    /// Identifies the file or pipe; `None` for a terminal, where somebody is watching.
    pub(crate) fn file_id(&self) -> Option<FileId> {
        let file = self.file.as_ref().ok().filter(|_| !self.is_terminal)?;
        file.metadata().ok().as_ref().map(FileId::from)
    }

    /// Which bytes it lets through.
    pub(crate) fn passes(&self) -> StreamFilter {
        self.passes
    }

    /// Prints a whole output.
    pub(crate) fn print(&mut self, label: Option<&Key>, spool: &Spool) -> Result<(), Trouble> {
        let name = self.name;
        if spool.is_empty() {
            return Ok(());
        }
        if spool.len() > LARGE {
            self.grow_pipe();
        }
        self.begin_here();
        self.while_held(|stream| stream.copy(label, spool)).map_err(|error| Trouble::copying(name, error))
    }

    fn grow_pipe(&self) {
        if let Ok(file) = &self.file {
            // Fails if this is not a pipe, or if the user's pipes take too much memory already. The pipe
            // works as it is.
            let _ = fcntl_setpipe_size(file, LARGE_PIPE);
        }
    }

    /// How many bytes of a recorded output are already there, counted in the current shape. `part` says how
    /// far it was printed, counted in the shape `before`. `None` if something else is in its place.
    ///
    /// # Errors
    /// If the output can't be read.
    pub(crate) fn delivered(
        &self,
        part: PartialStream,
        before: Shaping<'_>,
        open: impl Fn() -> io::Result<Box<dyn Read>>,
    ) -> io::Result<Option<u64>> {
        let length = self.account.as_ref().map_or(0, |account| account.length_before);
        let shaped = |writer: &mut dyn Write| shape(before, &mut open()?, writer);
        let Some(delivered) = delivered(self.file.as_ref().ok(), length, part, shaped)? else {
            return Ok(None);
        };
        delivered_as(Shaping { passes: self.passes, ..before }, before, delivered, open).map(Some)
    }

    /// Prints a recorded output without its first `left_out` bytes, which are counted in the current shape.
    pub(crate) fn print_recorded(
        &mut self,
        label: Option<&Key>,
        open: impl Fn() -> io::Result<Box<dyn Read>>,
        left_out: u64,
    ) -> Result<(), Trouble> {
        let name = self.name;
        let shaping = Shaping { passes: self.passes, label };
        if left_out == 0 {
            self.begin_here();
        }
        let print = |stream: &mut OutputStream| {
            shape(shaping, &mut open()?, &mut UnprintedRest { writer: stream, left_out })
        };
        self.while_held(print).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => Trouble::reading(error),
            _ => Trouble::writing(name, error),
        })
    }

    /// Notes that what is counted from now on begins here.
    pub(crate) fn begin_here(&self) {
        if let (Some(account), Ok(file)) = (&self.account, &self.file) {
            account.begin(file);
        }
    }

    /// Ends the line within which an output was cut, if its rest is lost.
    pub(crate) fn end_line(&mut self, part: PartialStream) -> Result<(), Trouble> {
        let length = self.account.as_ref().map_or(0, |account| account.length_before);
        let is_torn = is_within_line(self.file.as_ref().ok(), length, part).map_err(Trouble::reading)?;
        if is_torn { self.put(b"\n") } else { Ok(()) }
    }

    /// Gives the last line a newline if it has none.
    pub(crate) fn end_last_line(&mut self) -> Result<(), Trouble> {
        match self.last {
            LastByte::EndsLine => Ok(()),
            LastByte::IsWithinLine => self.put(b"\n"),
        }
    }

    /// Prints bytes that are already shaped.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        let name = self.name;
        if bytes.is_empty() {
            return Ok(());
        }
        self.while_held(|stream| stream.write_all(bytes)).map_err(|error| Trouble::writing(name, error))
    }

    /// If this is a terminal, keeps the progress display from being drawn until everything is printed.
    fn while_held<T>(&mut self, print: impl FnOnce(&mut OutputStream) -> T) -> T {
        self.held = self.is_terminal.then(screen::hold);
        let printed = print(self);
        self.held = None;
        printed
    }

    fn copy(&mut self, label: Option<&Key>, spool: &Spool) -> Result<(), CopyError> {
        // Most outputs are not changed, so they need no buffer.
        if self.passes == StreamFilter::Everything && label.is_none() {
            return spool.copy_to(self).map(drop);
        }
        let mut shape = Shape::new(self.passes, label, BufWriter::new(self));
        spool.copy_to(&mut shape)?;
        shape.finish().and_then(|mut buffered| buffered.flush()).map_err(CopyError::Writing)
    }
}

/// What is written at once: complete lines if a line is short enough, because a kill may come right after it.
fn piece(bytes: &[u8]) -> &[u8] {
    let piece = &bytes[..bytes.len().min(PIECE)];
    match piece.iter().rposition(|byte| *byte == b'\n') {
        Some(newline) => &piece[..=newline],
        None => piece,
    }
}

fn shape(shaping: Shaping<'_>, output: &mut dyn Read, writer: &mut dyn Write) -> io::Result<()> {
    let mut shape = Shape::new(shaping.passes, shaping.label, BufWriter::new(writer));
    io::copy(output, &mut shape)?;
    shape.finish()?.flush()
}

impl Write for OutputStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let file = match &self.file {
            Ok(file) => file,
            Err(error) => {
                return Err(error.raw_os_error().map_or(error.kind().into(), io::Error::from_raw_os_error));
            }
        };
        let bytes = match &self.account {
            Some(account) if !account.is_to_file => {
                wait_for_room(file)?;
                piece(bytes)
            }
            _ => bytes,
        };
        if let Some(account) = &self.account {
            account.announce(bytes.len())?;
        }
        let count = match (BlockingWriter::new(file, &self.heartbeat).write(bytes), &self.account) {
            (Ok(count), _) => count,
            (Err(error), account) => {
                // Nothing was written.
                account.iter().try_for_each(|account| account.announce(0))?;
                return Err(error);
            }
        };
        if let Some(account) = &self.account {
            account.count(&bytes[..count])?;
        }
        if let Some(last) = bytes[..count].last() {
            self.last = LastByte::of(*last);
        }
        if let Some(held) = &self.held {
            held.note(&bytes[..count]);
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
