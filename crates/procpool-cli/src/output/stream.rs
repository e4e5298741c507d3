//! One of procpool's own two streams for the outputs of jobs.

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

/// What of the outputs may control a terminal. To anything else they go as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Control {
    Colour,
    All,
}

/// From this size on an output is worth a larger pipe to whoever reads it.
const LARGE: u64 = 1024 * 1024;

/// What that holds then, where it may. With the usual 64 KiB the two sides wake each other 16 times for each MiB, which
/// takes a fifth of the time.
const LARGE_PIPE: usize = 1024 * 1024;

/// A stream. Not the standard library's: that one takes a write to a closed descriptor for a success, and looks
/// for lines in every byte.
pub(crate) struct OutputStream {
    name: &'static str,
    /// The error where it was closed from the start: that matters only to who has something to write.
    file: io::Result<File>,
    is_terminal: bool,
    passes: StreamFilter,
    heartbeat: Heartbeat,
    /// While an output is on its way to a terminal.
    held: Option<DisplayHold>,
    /// Where somebody may have to go on after a kill.
    account: Option<PrintProgress>,
    /// How what was written last ends.
    last: LastByte,
}

impl OutputStream {
    /// Where this output of jobs goes, with a beat of `heartbeat` for each piece.
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

    /// Takes account of what is written from now on, when nothing has been yet.
    pub(crate) fn keep_account(&mut self, source: Source, printed: Arc<PrintLog>) {
        self.account = Some(PrintProgress::new(printed, source, self.file.as_ref().ok()));
    }

    /// Which file or pipe this is; `None` for a terminal, where one looks on.
    pub(crate) fn file_id(&self) -> Option<FileId> {
        let file = self.file.as_ref().ok().filter(|_| !self.is_terminal)?;
        file.metadata().ok().as_ref().map(FileId::from)
    }

    /// What it lets through.
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
            // Refused where it is no pipe, or its user has too much in pipes already: it works as it is.
            let _ = fcntl_setpipe_size(file, LARGE_PIPE);
        }
    }

    /// How much is there already of an output that was recorded, counted as it is shaped from now on. `part` says how far it
    /// was, shaped as it was `before`.
    ///
    /// # Errors
    /// Where it can't be read.
    pub(crate) fn delivered(
        &self,
        part: PartialStream,
        before: Shaping<'_>,
        open: impl Fn() -> io::Result<Box<dyn Read>>,
    ) -> io::Result<u64> {
        let length = self.account.as_ref().map_or(0, |account| account.length_before);
        let shaped = |writer: &mut dyn Write| shape(before, &mut open()?, writer);
        let delivered = delivered(self.file.as_ref().ok(), length, part, shaped)?;
        delivered_as(Shaping { passes: self.passes, ..before }, before, delivered, open)
    }

    /// Prints an output that was recorded, but for its first bytes, as it is shaped.
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

    /// What is counted from now on begins here.
    pub(crate) fn begin_here(&self) {
        if let (Some(account), Ok(file)) = (&self.account, &self.file) {
            account.begin(file);
        }
    }

    /// Ends a line of an output whose rest nobody has.
    pub(crate) fn end_line(&mut self, part: PartialStream) -> Result<(), Trouble> {
        let length = self.account.as_ref().map_or(0, |account| account.length_before);
        let is_torn = is_within_line(self.file.as_ref().ok(), length, part).map_err(Trouble::reading)?;
        if is_torn { self.put(b"\n") } else { Ok(()) }
    }

    /// Gives the last line a newline where it has none.
    pub(crate) fn end_last_line(&mut self) -> Result<(), Trouble> {
        match self.last {
            LastByte::EndsLine => Ok(()),
            LastByte::IsWithinLine => self.put(b"\n"),
        }
    }

    /// Prints bytes that are ready for it.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        let name = self.name;
        if bytes.is_empty() {
            return Ok(());
        }
        self.while_held(|stream| stream.write_all(bytes)).map_err(|error| Trouble::writing(name, error))
    }

    /// Nothing is drawn on the terminal that this may go to before all of it is there.
    fn while_held<T>(&mut self, print: impl FnOnce(&mut OutputStream) -> T) -> T {
        self.held = self.is_terminal.then(screen::hold);
        let printed = print(self);
        self.held = None;
        printed
    }

    fn copy(&mut self, label: Option<&Key>, spool: &Spool) -> Result<(), CopyError> {
        // Most outputs: nothing is changed, so nothing is collected.
        if self.passes == StreamFilter::Everything && label.is_none() {
            return spool.copy_to(self).map(drop);
        }
        let mut shape = Shape::new(self.passes, label, BufWriter::new(self));
        spool.copy_to(&mut shape)?;
        shape.finish().and_then(|mut buffered| buffered.flush()).map_err(CopyError::Writing)
    }
}

/// What is written at once: whole lines, where one is short enough, for a kill may come behind it.
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
                // Nothing of it went.
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
