//! Begins each line of a text with a tag.
//! Knows nothing of where the text goes.

use std::io::{self, Write};

/// Writes lines to `writer`, each with a tag and a tab before it.
pub(crate) struct Tagged<W> {
    writer: W,
    tag: Vec<u8>,
    at: At,
}

#[derive(PartialEq)]
enum At {
    LineStart,
    WithinLine,
}

impl<W: Write> Tagged<W> {
    /// A control character in `tag` is escaped: a newline or a tab in it would be taken for the end of it.
    pub(crate) fn new(writer: W, tag: &[u8]) -> Tagged<W> {
        let mut escaped = Vec::with_capacity(tag.len() + 1);
        for byte in tag {
            if byte.is_ascii_control() {
                escaped.extend(byte.escape_ascii());
            } else {
                escaped.push(*byte);
            }
        }
        escaped.push(b'\t');
        Tagged { writer, tag: escaped, at: At::LineStart }
    }

    /// Ends the last line where it has no newline: the next job's tag must not stand in it.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        if self.at == At::WithinLine {
            self.writer.write_all(b"\n")?;
        }
        Ok(self.writer)
    }
}

impl<W: Write> Write for Tagged<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.at == At::LineStart {
                self.writer.write_all(&self.tag)?;
            }
            self.writer.write_all(line)?;
            self.at = if line.ends_with(b"\n") { At::LineStart } else { At::WithinLine };
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tagged(pieces: &[&[u8]]) -> Vec<u8> {
        let mut written = Vec::new();
        let mut tagged = Tagged::new(&mut written, b"t");
        for piece in pieces {
            tagged.write_all(piece).unwrap();
        }
        tagged.finish().unwrap();
        written
    }

    #[test]
    fn each_line_gets_the_tag_and_a_last_newline_is_added() {
        assert_eq!(tagged(&[b"a\n\nb"]), b"t\ta\nt\t\nt\tb\n");
        assert_eq!(tagged(&[]), b"");
    }

    #[test]
    fn a_tag_stays_on_its_line_and_is_exact_else() {
        let mut written = Vec::new();
        Tagged::new(&mut written, b"a\nb\t\x1b\xff").write_all(b"x\n").unwrap();
        assert_eq!(written, b"a\\nb\\t\\x1b\xff\tx\n");
    }

    proptest! {
        #[test]
        fn it_makes_no_difference_how_the_text_is_cut(text in "[ab\n]{0,30}", cut in 0_usize..30) {
            let (before, after) = text.as_bytes().split_at(cut.min(text.len()));
            prop_assert_eq!(tagged(&[before, after]), tagged(&[text.as_bytes()]));
        }
    }
}
