//! Removes control sequences from a job's output, except colours (SGR).
//!
//! Whatever comes in, only UTF-8 text, four control characters (newline, tab, carriage return, backspace) and
//! complete SGR sequences come out. So it does not matter whether a terminal parses the input as this filter
//! does.
//!
//! Only the state table of the parser crate is used: its parser buffers strings such as titles without a
//! bound.

mod sgr_filter;
mod sgr_state;

use std::io::{self, Write};
use std::{mem, str};

use anstyle_parse::state::{Action, State, state_change};

use crate::terminal::control_filter::sgr_filter::SgrFilter;
use crate::terminal::shown::begun_length;

/// Writes filtered text to a writer.
pub(crate) struct ControlFilter<W> {
    sgr: SgrFilter<W>,
    state: State,
    /// Parameter bytes of the current sequence; `None` if it can't be SGR.
    parameters: Option<Vec<u8>>,
    /// The first bytes of a character that is not complete yet.
    begun: Vec<u8>,
}

const ESCAPE: u8 = 0x1b;

/// Sequences with more parameter bytes are removed, so that memory is bounded.
const MOST_PARAMETER_BYTES: usize = 256;

/// How many bytes are tested at once for control characters.
const BLOCK: usize = 64;

impl<W: Write> ControlFilter<W> {
    pub(crate) fn new(writer: W) -> ControlFilter<W> {
        ControlFilter {
            sgr: SgrFilter::new(writer),
            state: State::Ground,
            parameters: None,
            begun: Vec::new(),
        }
    }

    /// Resets the colour, replaces an incomplete character, drops an incomplete sequence, and returns the
    /// writer.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        if !self.begun.is_empty() {
            self.replacement()?;
        }
        self.sgr.finish()
    }

    /// Filters plain text up to the next escape. Returns the rest.
    fn read_text<'a>(&mut self, bytes: &'a [u8]) -> io::Result<&'a [u8]> {
        if !self.begun.is_empty() {
            return self.read_begun_character(bytes);
        }
        let (text, rest) = bytes.split_at(text_length(bytes));
        let Some((control, rest)) = rest.split_first() else {
            let (text, begun) = text.split_at(text.len() - begun_length(text));
            self.begun.extend(begun);
            self.text(text)?;
            return Ok(rest);
        };
        self.text(text)?;
        if *control == ESCAPE {
            self.enter(State::Escape);
        }
        Ok(rest)
    }

    fn read_begun_character<'a>(&mut self, bytes: &'a [u8]) -> io::Result<&'a [u8]> {
        self.begun.push(bytes[0]);
        match str::from_utf8(&self.begun) {
            Ok(_) => {
                let character = mem::take(&mut self.begun);
                self.text(&character)?;
            }
            Err(error) if error.error_len().is_none() => {}
            Err(_) => {
                // The last byte does not belong to it, and may begin something else.
                self.begun.clear();
                self.replacement()?;
                return Ok(bytes);
            }
        }
        Ok(&bytes[1..])
    }

    /// Takes one byte of a sequence. Returns the rest.
    fn read_sequence<'a>(&mut self, bytes: &'a [u8]) -> io::Result<&'a [u8]> {
        let (byte, rest) = (bytes[0], &bytes[1..]);
        if !byte.is_ascii() {
            // Strings for the terminal, such as titles, may contain it. It aborts any other sequence.
            if !is_string(self.state) {
                self.enter(State::Ground);
                return Ok(bytes);
            }
            return Ok(rest);
        }
        let (state, action) = state_change(self.state, byte);
        match action {
            Action::Param => self.add_parameter(byte),
            Action::Collect => self.parameters = None,
            // Terminals execute control characters inside of a sequence.
            Action::Execute if !is_taken_out(byte) => self.sgr.text(&[byte])?,
            Action::CsiDispatch if byte == b'm' => {
                if let Some(parameters) = &self.parameters {
                    self.sgr.colour(parameters);
                }
            }
            _ => {}
        }
        if state != State::Anywhere {
            self.enter(state);
        }
        Ok(rest)
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        if state == State::Escape {
            self.parameters.get_or_insert_default().clear();
        }
    }

    fn add_parameter(&mut self, byte: u8) {
        if let Some(parameters) = &mut self.parameters {
            parameters.push(byte);
        }
        self.parameters.take_if(|parameters| parameters.len() > MOST_PARAMETER_BYTES);
    }

    /// Writes text without single-byte controls. Removes C1 controls; invalid UTF-8 becomes U+FFFD.
    fn text(&mut self, text: &[u8]) -> io::Result<()> {
        if text.is_ascii() {
            return self.sgr.text(text);
        }
        for chunk in text.utf8_chunks() {
            for part in chunk.valid().split(|character| ('\u{80}'..='\u{9f}').contains(&character)) {
                self.sgr.text(part.as_bytes())?;
            }
            if !chunk.invalid().is_empty() {
                self.replacement()?;
            }
        }
        Ok(())
    }

    fn replacement(&mut self) -> io::Result<()> {
        self.sgr.text("\u{fffd}".as_bytes())
    }
}

impl<W: Write> Write for ControlFilter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = match self.state {
                State::Ground => self.read_text(rest)?,
                _ => self.read_sequence(rest)?,
            };
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether a byte is a control that is taken out, or begins a sequence.
fn is_taken_out(byte: u8) -> bool {
    (byte < b' ' && !matches!(byte, b'\n' | b'\t' | b'\r' | 8)) || byte == 0x7f
}

/// How many bytes there are before the first that is taken out.
fn text_length(bytes: &[u8]) -> usize {
    // Whole blocks first, without a way out of the middle, which the compiler turns into vector instructions.
    let is_text = |block: &&[u8]| !block.iter().fold(false, |found, byte| found | is_taken_out(*byte));
    let whole = bytes.chunks_exact(BLOCK).take_while(is_text).count() * BLOCK;
    let after = bytes[whole..].iter().position(|byte| is_taken_out(*byte));
    after.map_or(bytes.len(), |after| whole + after)
}

/// Whether what is being read has a text of its own, up to a terminator.
fn is_string(state: State) -> bool {
    matches!(
        state,
        State::OscString
            | State::SosPmApcString
            | State::DcsEntry
            | State::DcsParam
            | State::DcsIntermediate
            | State::DcsIgnore
            | State::DcsPassthrough
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tamed(pieces: &[&[u8]]) -> Vec<u8> {
        let mut filter = ControlFilter::new(Vec::new());
        for piece in pieces {
            filter.write_all(piece).unwrap();
        }
        filter.finish().unwrap()
    }

    #[track_caller]
    fn becomes(given: impl AsRef<[u8]>, expected: &str) {
        assert_eq!(String::from_utf8(tamed(&[given.as_ref()])).unwrap(), expected, "{:?}", given.as_ref());
    }

    /// Whether there is nothing in it but text, the four controls and whole sequences for colour.
    fn is_harmless(written: &[u8]) -> bool {
        let mut pieces = str::from_utf8(written).unwrap().split('\x1b');
        let is_text = |text: &str| {
            text.chars()
                .all(|character| matches!(character, '\n' | '\t' | '\r' | '\x08') || !character.is_control())
        };
        pieces.next().is_none_or(is_text)
            && pieces.all(|piece| {
                let sequence = piece.strip_prefix('[').and_then(|sequence| sequence.split_once('m'));
                sequence.is_some_and(|(parameters, text)| {
                    parameters.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b';' | b':')) && is_text(text)
                })
            })
    }

    /// Bytes in which sequences are likely.
    fn nasty_bytes() -> impl Strategy<Value = Vec<u8>> {
        let pieces = prop_oneof![
            proptest::collection::vec(any::<u8>(), 1..6),
            "\x1b[\\[\\]PX^_(]?[?>]?[0-9;:]{0,3}[mHJcn\x07\x1b\\\\ ]?".prop_map(String::into_bytes),
            "[aä€😀\u{80}\u{9b}\u{9f}\n\t]{1,4}".prop_map(String::into_bytes),
        ];
        proptest::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat())
    }

    #[test]
    fn colours_stay_as_they_are() {
        let text = "\x1b[31mred\x1b[m \x1b[38:2::1:2:3;1mx\x1b[0m \x1b[4:3my\x1b[;m\n";
        becomes(text, text);
    }

    #[test]
    fn other_sequences_are_taken_out_whole() {
        let sequences = [
            "\x1b[2J",
            "\x1b[H",
            "\x1b[?1049h",
            "\x1b[c",
            "\x1b[6n",
            "\x1b[?4m",
            "\x1b[>4;2m",
            "\x1b[1 m",
            "\x1b[3;?m",
            "\x1b]0;title\x07",
            "\x1b]52;c;cm0gLXJm\x1b\\",
            "\x1b]8;;http://ä\x1b\\",
            "\x1bP+q544e\x1b\\",
            "\x1b_Ga=d\x1b\\",
            "\x1b^pm\x1b\\",
            "\x1bXsos\n\x1b\\",
            "\x1bc",
            "\x1b(0",
            "\x1b#8",
            "\x1b7",
            "\x1b[31\x18",
        ];
        for sequence in sequences {
            becomes(format!("a{sequence}b"), "ab");
        }
    }

    #[test]
    fn four_controls_stay_and_the_others_go() {
        becomes("a\tb\rc\x08d\n", "a\tb\rc\x08d\n");
        becomes("a\0\x05\x07\x0b\x0c\x0e\x0f\x11\x18\x1a\x1f\x7fb", "ab");
        becomes("a\u{80}\u{85}\u{9b}31m\u{9f}b", "a31mb");
        becomes("a\x1b[3\n1mb\x1b[m", "a\n\x1b[31mb\x1b[m");
    }

    #[test]
    fn bytes_that_are_no_utf8_are_shown_as_a_terminal_shows_them() {
        becomes(b"caf\xe9 \x9b31m \xe2\x82", "caf\u{fffd} \u{fffd}31m \u{fffd}");
    }

    #[test]
    fn a_sequence_that_is_broken_off_takes_no_text_with_it() {
        becomes("\x1b[31ä", "ä");
        becomes("\x1b[31\x1b[32mx", "\x1b[32mx\x1b[0m");
    }

    #[test]
    fn a_sequence_without_an_end_is_nothing() {
        for begun in ["\x1b", "\x1b[", "\x1b[31", "\x1b]0;title", "\x1bPq"] {
            becomes(format!("a{begun}"), "a");
        }
    }

    #[test]
    fn a_sequence_without_an_end_takes_no_memory() {
        let mut filter = ControlFilter::new(Vec::new());
        for begin in ["\x1b[", "\x1b]52;c;", "\x1bP"] {
            filter.write_all(begin.as_bytes()).unwrap();
            filter.write_all(&vec![b'1'; 100_000]).unwrap();
            assert!(filter.parameters.as_ref().is_none_or(|held| held.len() <= MOST_PARAMETER_BYTES));
        }
        assert_eq!(filter.finish().unwrap(), b"");
    }

    proptest! {
        #[test]
        fn whatever_goes_in_only_harmless_things_come_out(bytes in nasty_bytes()) {
            let written = tamed(&[&bytes]);
            prop_assert!(is_harmless(&written), "{:?}", written.escape_ascii().to_string());
            prop_assert_eq!(tamed(&[&written]), written);
        }

        #[test]
        fn it_makes_no_difference_how_the_bytes_are_cut(bytes in nasty_bytes(), size in 1_usize..9) {
            let pieces: Vec<&[u8]> = bytes.chunks(size).collect();
            prop_assert_eq!(tamed(&pieces), tamed(&[&bytes]));
        }

        #[test]
        fn text_stays_as_it_is(text in "([^\\p{Cc}]|[\n\t\r\x08]|[a-z]{100}){0,50}", size in 1_usize..9) {
            let pieces: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
            prop_assert_eq!(tamed(&pieces), text.as_bytes());
            prop_assert_eq!(tamed(&[text.as_bytes()]), text.as_bytes());
        }

        #[test]
        fn bytes_without_controls_are_shown_as_everybody_shows_them(bytes in proptest::collection::vec(b' '..=255, 0..40)) {
            let text = String::from_utf8_lossy(&bytes).replace(|character: char| character.is_control(), "");
            prop_assert_eq!(String::from_utf8(tamed(&[&bytes])).unwrap(), text);
        }
    }
}
