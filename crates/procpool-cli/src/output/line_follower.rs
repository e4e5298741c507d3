//! Prints one output of one job in pieces, while the job writes it.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::mem;
use std::rc::Rc;

use procpool_core::{Key, Live, Spool};

use crate::output::line_progress::LineProgress;
use crate::output::shape::Shape;
use crate::output::stream::OutputStream;
use crate::run::sink::Trouble;

/// How far an output has been printed, and the state of its tag and filter.
pub(crate) struct LineFollower {
    shape: Shape<Buffer>,
    ready: Buffer,
    printed: u64,
    /// Up to here the output was searched for line ends.
    searched: u64,
    note: Option<LineProgress>,
}

/// Bytes that have come out of the shape.
#[derive(Clone, Default)]
struct Buffer(Rc<RefCell<Vec<u8>>>);

/// Whether an output that has been printed is kept while its job is running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeepOutput {
    /// Another sink needs all of it when the job ends.
    Kept,
    /// Its disk space is freed, except for the end, which a summary may show.
    Forgotten,
}

/// The most bytes that are held in memory.
const PIECE: u64 = 64 * 1024;

/// How many of the last bytes are never freed.
const END: u64 = 64 * 1024;

impl KeepOutput {
    /// Frees the disk space before this position, unless the output is kept.
    pub(crate) fn forget(self, live: &Live, before: u64) {
        if self == KeepOutput::Forgotten {
            live.forget(before.saturating_sub(END));
        }
    }
}

impl LineFollower {
    /// Starts with an output of which nothing has been printed to `stream`. Each line begins with `label`;
    /// `note` records the progress.
    pub(crate) fn new(
        stream: &OutputStream,
        label: Option<&Key>,
        note: Option<LineProgress>,
    ) -> LineFollower {
        let ready = Buffer::default();
        LineFollower {
            shape: Shape::new(stream.passes(), label, ready.clone()),
            ready,
            printed: 0,
            searched: 0,
            note,
        }
    }

    /// Prints what a running job has written, up to the end of the last complete line. An incomplete line
    /// stays in the job's spool, so no line is too long.
    pub(crate) fn follow(
        &mut self,
        live: &Live,
        stream: &mut OutputStream,
        printed: KeepOutput,
    ) -> Result<(), Trouble> {
        // The attempt must not end while a line is printed in several pieces: other lines would be printed
        // within it.
        let Some(_held) = live.hold() else { return Ok(()) };
        let until = live.length();
        while self.searched < until {
            let end = until.min(self.searched + PIECE);
            let piece = live.read(self.searched..end).map_err(Trouble::reading)?;
            if let Some(newline) = piece.iter().rposition(|byte| *byte == b'\n') {
                self.catch_up(live, self.searched + newline as u64 + 1, stream)?;
            }
            self.searched = end;
        }
        printed.forget(live, self.printed);
        Ok(())
    }

    fn catch_up(&mut self, live: &Live, until: u64, stream: &mut OutputStream) -> Result<(), Trouble> {
        self.begin(stream)?;
        while self.printed < until {
            let end = until.min(self.printed + PIECE);
            let piece = live.read(self.printed..end).map_err(Trouble::reading)?;
            self.pass(&piece, stream)?;
        }
        self.end()
    }

    fn begin(&self, stream: &OutputStream) -> Result<(), Trouble> {
        self.note.as_ref().map_or(Ok(()), |note| note.begin(stream)).map_err(Trouble::noting)
    }

    fn end(&self) -> Result<(), Trouble> {
        self.note.as_ref().map_or(Ok(()), |note| note.end(self.printed)).map_err(Trouble::noting)
    }

    /// Prints the rest of a complete output.
    pub(crate) fn finish(mut self, output: &Spool, stream: &mut OutputStream) -> Result<(), Trouble> {
        self.begin(stream)?;
        let mut rest = output.reader_from(self.printed);
        loop {
            let mut piece = Vec::new();
            rest.by_ref().take(PIECE).read_to_end(&mut piece).map_err(Trouble::reading)?;
            if piece.is_empty() {
                break;
            }
            self.pass(&piece, stream)?;
        }
        let LineFollower { shape, ready, printed, note, .. } = self;
        shape.finish().map_err(Trouble::reading)?;
        put(&ready, stream)?;
        let ended = note.map_or(Ok(()), |note| note.end(printed));
        ended.map_err(Trouble::noting)
    }

    fn pass(&mut self, piece: &[u8], stream: &mut OutputStream) -> Result<(), Trouble> {
        self.printed += piece.len() as u64;
        // The shape writes to memory, which takes everything.
        self.shape.write_all(piece).map_err(Trouble::reading)?;
        put(&self.ready, stream)
    }
}

fn put(ready: &Buffer, stream: &mut OutputStream) -> Result<(), Trouble> {
    let bytes = mem::take(&mut *ready.0.borrow_mut());
    stream.put(&bytes)
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
