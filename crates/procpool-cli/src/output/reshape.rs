//! Converts a count of delivered bytes: an output that was cut off in one shape (tag and filter) is continued
//! in another one.

use std::cell::Cell;
use std::io::{self, Read, Write};
use std::rc::Rc;

use procpool_core::Key;

use crate::output::shape::{Shape, StreamFilter};

/// The shape of one output.
#[derive(Clone, Copy)]
pub(crate) struct Shaping<'a> {
    pub(crate) passes: StreamFilter,
    pub(crate) label: Option<&'a Key>,
}

/// How many bytes are shaped at once, if it doesn't matter which byte comes out when.
const PIECE: usize = 4096;

/// How many bytes in the shape `shaping` stand for the same part of the output as the first `delivered` bytes
/// in the shape `before`. `open` opens what the job has written.
///
/// # Errors
/// If that can't be read.
pub(crate) fn delivered_as(
    shaping: Shaping<'_>,
    before: Shaping<'_>,
    delivered: u64,
    open: impl Fn() -> io::Result<Box<dyn Read>>,
) -> io::Result<u64> {
    if shaping.passes == before.passes {
        return Ok(delivered);
    }
    let Own { bytes, of_whole_lines, came } = own_bytes(before, delivered, &open)?;
    let came_of = |own: u64| {
        let mut shaped = Counted::new(shaping);
        shaped.take(&mut open()?.take(own), |_| true)?;
        Ok::<_, io::Error>(shaped.came.get())
    };
    // The new shape may filter out all of an unfinished line of which the old one printed something. Then it
    // has not printed the label, which is there all the same.
    let begun = if bytes > of_whole_lines { came_of(of_whole_lines)? + length_of_label(shaping)? } else { 0 };
    // Both shapes begin a line with the same label, which may have been cut.
    Ok(came_of(bytes)?.max(begun) + (delivered - came))
}

fn length_of_label(shaping: Shaping<'_>) -> io::Result<u64> {
    let mut shaped = Counted::new(shaping);
    shaped.shape.write_all(b"x")?;
    Ok(shaped.came.get() - 1)
}

/// Which part of the job's own output has been delivered.
struct Own {
    bytes: u64,
    /// How many of these bytes belong to complete lines.
    of_whole_lines: u64,
    /// How many bytes came of these, in their shape.
    came: u64,
}

fn own_bytes(
    shaping: Shaping<'_>,
    delivered: u64,
    open: &impl Fn() -> io::Result<Box<dyn Read>>,
) -> io::Result<Own> {
    let mut shaped = Counted::new(shaping);
    let before_last = shaped.take(&mut open()?, |came| came <= delivered)?;
    let mut shaped = Counted::new(shaping);
    let mut rest = open()?;
    shaped.take(&mut rest.by_ref().take(before_last), |_| true)?;
    let mut found = Own {
        bytes: before_last,
        of_whole_lines: shaped.of_whole_lines,
        came: shaped.came.get(),
    };
    let mut byte = [0];
    while rest.read(&mut byte)? == 1 {
        shaped.shape.write_all(&byte)?;
        if shaped.came.get() > delivered {
            break;
        }
        found.bytes += 1;
        found.came = shaped.came.get();
        if byte == [b'\n'] {
            found.of_whole_lines = found.bytes;
        }
    }
    Ok(found)
}

/// A shape, and how many bytes have come out of it.
struct Counted {
    shape: Shape<Counter>,
    came: Rc<Cell<u64>>,
    /// How many bytes it has taken up to the end of the last complete line.
    of_whole_lines: u64,
}

struct Counter(Rc<Cell<u64>>);

impl Counted {
    fn new(shaping: Shaping<'_>) -> Counted {
        let came = Rc::new(Cell::new(0));
        let shape = Shape::new(shaping.passes, shaping.label, Counter(Rc::clone(&came)));
        Counted { shape, came, of_whole_lines: 0 }
    }

    /// Takes pieces while `is_wanted` accepts the number of bytes that have come out. Returns the total
    /// length of the accepted pieces.
    fn take(&mut self, reader: &mut impl Read, is_wanted: impl Fn(u64) -> bool) -> io::Result<u64> {
        let mut taken = 0;
        loop {
            let mut piece = Vec::with_capacity(PIECE);
            reader.by_ref().take(PIECE as u64).read_to_end(&mut piece)?;
            self.shape.write_all(&piece)?;
            if piece.is_empty() || !is_wanted(self.came.get()) {
                return Ok(taken);
            }
            if let Some(newline) = piece.iter().rposition(|byte| *byte == b'\n') {
                self.of_whole_lines = taken + newline as u64 + 1;
            }
            taken += piece.len() as u64;
        }
    }
}

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.set(self.0.get() + bytes.len() as u64);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shaped(shaping: Shaping<'_>, output: &[u8]) -> Vec<u8> {
        let mut shape = Shape::new(shaping.passes, shaping.label, Vec::new());
        shape.write_all(output).unwrap();
        shape.finish().unwrap()
    }

    /// Everything that a reader gets if the output is cut after `cut` bytes and continued in the other shape.
    fn in_all(before: Shaping<'_>, after: Shaping<'_>, output: &[u8], cut: usize) -> Vec<u8> {
        let first = shaped(before, output);
        let cut = cut.min(first.len());
        let open = || Ok(Box::new(io::Cursor::new(output.to_vec())) as Box<dyn Read>);
        let left_out = delivered_as(after, before, cut as u64, open).unwrap();
        let rest = shaped(after, output).split_off(usize::try_from(left_out).unwrap());
        [&first[..cut], &rest].concat()
    }

    #[test]
    fn nothing_is_lost_or_comes_twice_where_the_rest_goes_to_a_terminal() {
        let output = b"\x1b[2Jone\n\x1b[31mtwo\x1b[0m\n\rthree\n".repeat(1000);
        let label = Key::from("key");
        for label in [None, Some(&label)] {
            let before = Shaping { passes: StreamFilter::Everything, label };
            let after = Shaping { passes: StreamFilter::TextAndColour, label };
            let plain = String::from_utf8(shaped(after, &output)).unwrap();
            for cut in [0, 1, 5, 8, 4095, 4096, 4097, 20_000] {
                let all = in_all(before, after, &output, cut);
                let text = String::from_utf8(all).unwrap();
                for word in ["one", "two", "three", "key\t"] {
                    let (found, expected) = (text.matches(word).count(), plain.matches(word).count());
                    assert_eq!(found, expected, "{word} cut at {cut}, {label:?}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn text_that_controls_nothing_is_the_same_wherever_it_is_cut(
            lines in proptest::collection::vec("[a-z ]{0,9}", 0..700),
            cut in 0_usize..9_000,
            is_labelled: bool,
        ) {
            let output = lines.join("\n").into_bytes();
            let key = Key::from("k");
            let label = is_labelled.then_some(&key);
            let [before, after] =
                [StreamFilter::Everything, StreamFilter::TextAndColour].map(|passes| Shaping { passes, label });
            prop_assert_eq!(in_all(before, after, &output, cut), shaped(before, &output));
            prop_assert_eq!(in_all(after, before, &output, cut), shaped(before, &output));
            prop_assert_eq!(in_all(after, after, &output, cut), shaped(before, &output));
        }
    }
}
