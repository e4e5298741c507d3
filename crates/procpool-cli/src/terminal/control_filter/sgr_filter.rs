//! Writes coloured text such that no colour extends past the end of a line.
//!
//! A background colour that is on at a newline fills the line that scrolls in, which may be another job's,
//! and would colour the tag of the next line. So the colour is reset before each newline and restored before
//! the text of the next line, if there is any.

use std::io::{self, Write};

use crate::terminal::control_filter::sgr_state::{SgrState, sequence};

/// See the head of this file. Expects a terminal in its default colour.
pub(crate) struct SgrFilter<W> {
    writer: W,
    /// The colour that the text has asked for.
    style: SgrState,
    /// Sequences that are held back until text follows.
    pending: Vec<u8>,
    appearance: Appearance,
}

/// Whether the terminal is in its default colour now.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Appearance {
    Plain,
    Coloured,
}

/// If more bytes of sequences are pending, they are replaced by their net effect.
const MOST_PENDING: usize = 1024;

impl<W: Write> SgrFilter<W> {
    pub(crate) fn new(writer: W) -> SgrFilter<W> {
        SgrFilter {
            writer,
            style: SgrState::default(),
            pending: Vec::new(),
            appearance: Appearance::Plain,
        }
    }

    /// Applies an SGR sequence to the text that follows.
    pub(crate) fn colour(&mut self, parameters: &[u8]) {
        self.style.apply(parameters);
        if self.appearance == Appearance::Plain && self.style.is_plain() {
            self.pending.clear();
        }
        self.pending.extend(sequence(parameters));
        if self.pending.len() > MOST_PENDING {
            self.pending = [sequence(b"0"), self.style.sequences()].concat();
        }
    }

    pub(crate) fn text(&mut self, text: &[u8]) -> io::Result<()> {
        if self.appearance == Appearance::Plain && self.pending.is_empty() {
            return self.writer.write_all(text);
        }
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let visible = line.strip_suffix(b"\n").unwrap_or(line);
            if !visible.is_empty() {
                self.show_pending()?;
                self.writer.write_all(visible)?;
            }
            if visible.len() < line.len() {
                self.stop_colour()?;
                self.pending = self.style.sequences();
                self.writer.write_all(b"\n")?;
            }
        }
        Ok(())
    }

    /// Resets the colour and returns the writer.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.stop_colour()?;
        Ok(self.writer)
    }

    fn show_pending(&mut self) -> io::Result<()> {
        if !self.pending.is_empty() {
            self.writer.write_all(&self.pending)?;
            self.pending.clear();
            self.appearance = if self.style.is_plain() { Appearance::Plain } else { Appearance::Coloured };
        }
        Ok(())
    }

    fn stop_colour(&mut self) -> io::Result<()> {
        if self.appearance == Appearance::Coloured {
            if self.style.is_plain() {
                // The text's own sequence leads back to plain.
                self.show_pending()?;
            } else {
                self.writer.write_all(&sequence(b"0"))?;
            }
        }
        self.style.note_reset();
        self.appearance = Appearance::Plain;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `m31` is the sequence with these parameters, all else is text.
    fn filtered(pieces: &[&str]) -> String {
        let mut written = Vec::new();
        let mut filter = SgrFilter::new(&mut written);
        for piece in pieces {
            match piece.strip_prefix('m') {
                Some(parameters) => filter.colour(parameters.as_bytes()),
                None => filter.text(piece.as_bytes()).unwrap(),
            }
        }
        filter.finish().unwrap();
        String::from_utf8(written).unwrap()
    }

    /// Each character but newlines, and in which style a terminal shows it; and whether each line begins
    /// plain.
    fn shown(text: &str) -> (Vec<(char, Vec<u8>)>, bool) {
        let mut style = SgrState::default();
        let (mut characters, mut lines_begin_plain) = (Vec::new(), true);
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            if let Some(sequence) = rest.strip_prefix("\x1b[") {
                let (parameters, after) = sequence.split_once('m').unwrap();
                style.apply(parameters.as_bytes());
                rest = after;
                continue;
            }
            match character {
                '\n' => lines_begin_plain &= style.is_plain(),
                _ => characters.push((character, style.sequences())),
            }
            rest = &rest[character.len_utf8()..];
        }
        (characters, lines_begin_plain && style.is_plain())
    }

    #[test]
    fn text_that_ends_its_colours_itself_stays_as_it_was() {
        assert_eq!(filtered(&["a\n", "m31", "red", "m", "\n", "m1", "b", "m22", "\n"]), {
            "a\n\x1b[31mred\x1b[m\n\x1b[1mb\x1b[22m\n"
        });
        assert_eq!(filtered(&["m1", "m38:2::1:2:3", "x", "m0", " y"]), "\x1b[1m\x1b[38:2::1:2:3mx\x1b[0m y");
    }

    #[test]
    fn colour_stops_at_the_end_of_a_line_and_is_taken_up_in_the_next() {
        assert_eq!(filtered(&["m31", "a\n\nb"]), "\x1b[31ma\x1b[0m\n\n\x1b[31mb\x1b[0m");
        assert_eq!(filtered(&["m31", "a\n"]), "\x1b[31ma\x1b[0m\n");
        assert_eq!(filtered(&["m31", "a\n", "m0"]), "\x1b[31ma\x1b[0m\n");
        assert_eq!(filtered(&["m31", "a\n", "m0", "b\n"]), "\x1b[31ma\x1b[0m\n\x1b[0mb\n");
    }

    #[test]
    fn what_only_a_reset_ends_is_over_at_the_end_of_its_line() {
        assert_eq!(
            filtered(&["m12", "a", "m10", "\n", "m31", "b", "m39", "\n"]),
            "\x1b[12ma\x1b[0m\n\x1b[31mb\x1b[39m\n"
        );
    }

    #[test]
    fn colour_without_text_is_not_shown() {
        assert_eq!(filtered(&["a\n", "m31", "\n", "m0"]), "a\n\n");
    }

    #[test]
    fn many_sequences_in_a_row_are_kept_short() {
        let mut filter = SgrFilter::new(Vec::new());
        for _ in 0..10_000 {
            filter.colour(b"1;38;5;200");
            assert!(filter.pending.len() <= MOST_PENDING);
        }
        filter.text(b"x").unwrap();
        assert_eq!(
            shown(&String::from_utf8(filter.finish().unwrap()).unwrap()).0,
            shown("\x1b[1;38;5;200mx").0
        );
    }

    proptest! {
        #[test]
        fn each_character_has_its_colour_and_each_line_begins_without(
            pieces in proptest::collection::vec("[ab\n]{1,3}|m([0-9]|3[0-9]|4[0-9]|;|38;5;1|1;2|2[2-9]|4:3){1}", 0..30),
        ) {
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
            let given: String = pieces.iter().map(|piece| match piece.strip_prefix('m') {
                Some(parameters) => format!("\x1b[{parameters}m"),
                None => (*piece).to_owned(),
            }).collect();
            let filtered = filtered(&pieces);
            let (characters, lines_begin_plain) = shown(&filtered);
            prop_assert!(lines_begin_plain, "{:?}", filtered);
            prop_assert_eq!(characters, shown(&given).0);
        }
    }
}
