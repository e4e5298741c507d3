//! Makes untrusted names safe to print: on one line, without control over the terminal. The only place that decides
//! which characters are control characters.

use std::fmt::{self, Write as _};

/// Formats bytes as a name for a message: escapes control characters, replaces invalid UTF-8, keeps the rest.
///
/// Also escaped are characters that change the direction of the text around them, so that a name can't look like
/// another one, and line and paragraph separators, which some programs treat as the end of a line.
///
/// ```
/// use procpool_core::Shown;
///
/// assert_eq!(Shown(b"a\x1b[2J\n\xffb").to_string(), "a\\u{1b}[2J\\n\u{fffd}b");
/// assert_eq!(Shown("\u{202e}gpj.exe".as_bytes()).to_string(), "\\u{202e}gpj.exe");
/// assert_eq!(Shown("für C:\\new".as_bytes()).to_string(), "für C:\\new");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown<'a>(pub &'a [u8]);

impl Shown<'_> {
    /// Whether this character controls a terminal or the layout of a text, instead of being printed.
    #[must_use]
    pub fn controls(character: char) -> bool {
        match character {
            // Direction marks, overrides and isolates, including the deprecated ones after them. The range in the
            // middle also contains the line and paragraph separators.
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{206f}' => true,
            // C0, DEL and C1.
            other => other.is_control(),
        }
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for character in chunk.valid().chars() {
                if Shown::controls(character) {
                    write!(f, "{}", character.escape_default())?;
                } else {
                    f.write_char(character)?;
                }
            }
            if !chunk.invalid().is_empty() {
                f.write_char(char::REPLACEMENT_CHARACTER)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_turns_or_ends_a_line_or_controls_a_terminal_is_escaped_and_nothing_else() {
        for control in
            [0..=0x1f, 0x7f..=0x9f, 0x200e..=0x200f, 0x2028..=0x202e, 0x2066..=0x2069, 0x61c..=0x61c]
        {
            for character in control.filter_map(char::from_u32) {
                let shown = Shown(character.to_string().as_bytes()).to_string();
                assert!(shown.starts_with('\\') && shown.is_ascii(), "{shown:?}");
            }
        }
        let plain = "a b\\n'\"é中🏳\u{fe0f}\u{200d}🌈 שלום";
        assert_eq!(Shown(plain.as_bytes()).to_string(), plain);
    }

    proptest! {
        #[test]
        fn whatever_the_bytes_nothing_is_left_that_controls(bytes: Vec<u8>, text in "\\PC{0,9}[\u{1b}\n\u{9b}\u{202e}]{0,3}") {
            for bytes in [&bytes[..], text.as_bytes()] {
                prop_assert!(!Shown(bytes).to_string().contains(Shown::controls));
            }
        }
    }
}
