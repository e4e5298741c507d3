//! One output of one job on its way to a stream, in pieces, while the job writes it.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::mem;
use std::rc::Rc;

use procpool_core::{Key, Live, Spool};

use crate::output::line_progress::LineProgress;
use crate::output::shape::Shape;
use crate::output::stream::OutputStream;
use crate::run::sink::Trouble;

/// How far an output has been printed, and in which state its shape is.
pub(crate) struct LineFollower {
    shape: Shape<Buffer>,
    ready: Buffer,
    printed: u64,
    /// Up to here it was searched for a line's end.
    searched: u64,
    note: Option<LineProgress>,
}

/// What came out of the shape.
#[derive(Clone, Default)]
struct Buffer(Rc<RefCell<Vec<u8>>>);

/// What becomes of an output that has been printed while its job goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeepOutput {
    /// Somebody else wants all of it when the job ends.
    Kept,
    /// Its disk space is given back, but for the end, of which a summary may tell.
    Forgotten,
}

/// So much is held in memory.
const PIECE: u64 = 64 * 1024;

/// So much of the end is never forgotten.
const END: u64 = 64 * 1024;

impl KeepOutput {
    /// Forgets what lies before this position, unless somebody wants it.
    pub(crate) fn forget(self, live: &Live, before: u64) {
        if self == KeepOutput::Forgotten {
            live.forget(before.saturating_sub(END));
        }
    }
}

impl LineFollower {
    /// An output of which nothing has been printed to `stream`. `label` is what each line begins with, `note` takes account.
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

    /// Prints what a job that runs has written, up to the end of the last line that is whole. A line stays in the
    /// job's spool until it is, so that none is too long.
    pub(crate) fn follow(
        &mut self,
        live: &Live,
        stream: &mut OutputStream,
        printed: KeepOutput,
    ) -> Result<(), Trouble> {
        // A line that is printed in several pieces must not be cut by the job's end: others would stand within it.
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

    /// Prints what is left of an output that is complete.
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
        // Into memory, which takes all.
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
