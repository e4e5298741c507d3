//! One output of one job on its way to a stream, in pieces, while the job writes it.
//! Knows nothing of which job's turn it is.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::mem;
use std::rc::Rc;

use procpool_core::{Key, Live, Spool};

use crate::sink::Trouble;
use crate::sink::shape::Shape;
use crate::sink::stream::Stream;

/// How far an output has been printed, and in which state its shape is.
pub(crate) struct Passage {
    shape: Shape<Buffer>,
    ready: Buffer,
    printed: u64,
}

/// What came out of the shape.
#[derive(Clone, Default)]
struct Buffer(Rc<RefCell<Vec<u8>>>);

/// So much is held in memory.
const PIECE: u64 = 64 * 1024;

impl Passage {
    /// An output of which nothing has been printed to `stream`. `label` is what each line begins with.
    pub(crate) fn new(stream: &Stream, label: Option<&Key>) -> Passage {
        let ready = Buffer::default();
        Passage {
            shape: Shape::new(stream.passes(), label, ready.clone()),
            ready,
            printed: 0,
        }
    }

    /// Prints what a job that runs has written, up to a position. Less, where it has just ended.
    pub(crate) fn catch_up(&mut self, live: &Live, until: u64, stream: &mut Stream) -> Result<(), Trouble> {
        while self.printed < until {
            let end = until.min(self.printed + PIECE);
            let piece = live.read(self.printed..end).map_err(Trouble::reading)?;
            if piece.is_empty() {
                return Ok(());
            }
            self.pass(&piece, stream)?;
        }
        Ok(())
    }

    /// Prints what is left of an output that is complete.
    pub(crate) fn finish(mut self, output: &Spool, stream: &mut Stream) -> Result<(), Trouble> {
        let mut rest = output.reader_from(self.printed);
        loop {
            let mut piece = Vec::new();
            rest.by_ref().take(PIECE).read_to_end(&mut piece).map_err(Trouble::reading)?;
            if piece.is_empty() {
                break;
            }
            self.pass(&piece, stream)?;
        }
        self.shape.finish().map_err(Trouble::reading)?;
        stream.put(&self.ready.take())
    }

    fn pass(&mut self, piece: &[u8], stream: &mut Stream) -> Result<(), Trouble> {
        self.printed += piece.len() as u64;
        // Into memory, which takes all.
        self.shape.write_all(piece).map_err(Trouble::reading)?;
        stream.put(&self.ready.take())
    }
}

impl Buffer {
    fn take(&self) -> Vec<u8> {
        mem::take(&mut self.0.borrow_mut())
    }
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
