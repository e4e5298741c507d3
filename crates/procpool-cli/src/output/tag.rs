//! Begins each line of a text with a tag.

use std::io::{self, Write};

use crate::terminal::shown;

/// Writes lines to `writer`, each after a tag and a tab.
pub(crate) struct Tagged<W> {
    writer: W,
    tag: Vec<u8>,
    at: At,
    returns: Returns,
    /// How many characters a line may go back before it reaches its tag.
    room: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum At {
    LineStart,
    WithinLine,
    /// After a carriage return that is not written yet, because the line may end with it.
    Returned,
}

/// How far a carriage return or a backspace may go back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Returns {
    /// They are written like all other bytes.
    Anywhere,
    /// To the end of the tag, no further: on a terminal a job could write another job's tag over its own.
    BehindTag,
}

impl<W: Write> Tagged<W> {
    /// Escapes what controls a terminal in `tag`. A newline or a tab in it would be taken for its end.
    pub(crate) fn new(writer: W, tag: &[u8], returns: Returns) -> Tagged<W> {
        let tag = [&shown::tag(tag)[..], b"\t"].concat();
        Tagged { writer, tag, at: At::LineStart, returns, room: 0 }
    }

    /// Ends the last line if it has no newline: the next job's tag must not be within it.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        if self.at != At::LineStart {
            self.writer.write_all(b"\n")?;
        }
        Ok(self.writer)
    }

    /// Writes the tag, if it is missing, before anything else of the line.
    fn begin_line(&mut self) -> io::Result<()> {
        match self.at {
            At::LineStart => self.writer.write_all(&self.tag)?,
            At::Returned => self.writer.write_all(&[b"\r", &self.tag[..]].concat())?,
            At::WithinLine => {}
        }
        self.at = At::WithinLine;
        Ok(())
    }

    fn write_exactly(&mut self, bytes: &[u8]) -> io::Result<()> {
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.begin_line()?;
            self.writer.write_all(line)?;
            if line.ends_with(b"\n") {
                self.at = At::LineStart;
            }
        }
        Ok(())
    }

    fn write_behind_tag(&mut self, bytes: &[u8]) -> io::Result<()> {
        let is_return = |byte: &u8| matches!(*byte, b'\n' | b'\r' | BACKSPACE);
        for piece in bytes.split_inclusive(is_return) {
            let end = piece.len() - usize::from(piece.last().is_some_and(is_return));
            if end > 0 {
                self.begin_line()?;
                self.writer.write_all(&piece[..end])?;
                self.room += room(&piece[..end]);
            }
            if let Some(control) = piece.get(end) {
                self.go_back(*control)?;
            }
        }
        Ok(())
    }

    fn go_back(&mut self, control: u8) -> io::Result<()> {
        match (control, self.at) {
            (BACKSPACE, _) if self.room > 0 => {
                self.room -= 1;
                return self.writer.write_all(&[BACKSPACE]);
            }
            (b'\n', at) => {
                if at == At::LineStart {
                    self.writer.write_all(&self.tag)?;
                }
                self.writer.write_all(b"\n")?;
                self.at = At::LineStart;
            }
            (b'\r', At::WithinLine) => self.at = At::Returned,
            _ => return Ok(()),
        }
        self.room = 0;
        Ok(())
    }
}

const BACKSPACE: u8 = 8;

/// How many columns a text takes at least: the width of characters other than ASCII need not be known here. A
/// colour sequence is always a piece of its own.
fn room(text: &[u8]) -> usize {
    if text.starts_with(b"\x1b") { 0 } else { text.iter().filter(|byte| matches!(byte, b' '..=b'~')).count() }
}

impl<W: Write> Write for Tagged<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.returns {
            Returns::Anywhere => self.write_exactly(bytes)?,
            Returns::BehindTag => self.write_behind_tag(bytes)?,
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
        written(pieces, Returns::Anywhere)
    }

    fn written(pieces: &[&[u8]], returns: Returns) -> Vec<u8> {
        let mut written = Vec::new();
        let mut tagged = Tagged::new(&mut written, b"t", returns);
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
        Tagged::new(&mut written, b"a\nb\t\x1b\xff", Returns::Anywhere).write_all(b"x\n").unwrap();
        assert_eq!(written, b"a\\nb\\t\\u{1b}\xff\tx\n");
    }

    #[test]
    fn on_a_terminal_nothing_is_written_over_a_tag() {
        let shown = |pieces: &[&[u8]]| String::from_utf8(written(pieces, Returns::BehindTag)).unwrap();
        assert_eq!(shown(&[b"10%\r", b"20%\rdone\r\n"]), "t\t10%\rt\t20%\rt\tdone\n");
        assert_eq!(shown(&[b"ab\x08\x08\x08\x08u\tforged\n"]), "t\tab\x08\x08u\tforged\n");
        assert_eq!(shown(&[b"\ru\tforged\n\x08\n"]), "t\tu\tforged\nt\t\n");
        assert_eq!(shown(&[b"\x1b[31m", b"\x08\x08", "\u{4e00}\x08".as_bytes(), b"x\ry"]), {
            "t\t\x1b[31m\u{4e00}x\rt\ty\n"
        });
        assert_eq!(shown(&[b"a\r\x08", b"\r", b"\r\n\r"]), "t\ta\n");
        assert_eq!(written(&[b"a\rb\x08\x08"], Returns::Anywhere), b"t\ta\rb\x08\x08\n");
    }

    proptest! {
        #[test]
        fn it_makes_no_difference_how_the_text_is_cut(text in "[ab\r\u{8}\n]{0,30}", cut in 0_usize..30) {
            let (before, after) = text.as_bytes().split_at(cut.min(text.len()));
            for returns in [Returns::Anywhere, Returns::BehindTag] {
                prop_assert_eq!(written(&[before, after], returns), written(&[text.as_bytes()], returns));
            }
        }
    }
}
