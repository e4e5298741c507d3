//! Escapes control characters in text for messages and terminals. The only place that does.
//!
//! | what | where it goes | by |
//! |---|---|---|
//! | a name: a key, a path, an argument | into a line of a message | [`name`], and [`Key`](procpool_core::Key)'s `Display` |
//! | a tag | before each line of an output | [`tag`] |
//! | a command that can be typed again | into a message or a record | `quote`, with `Reader::Line` |
//! | an error with its causes | standard error | [`error`] |
//! | a whole message with procpool's own colours | standard error | [`message`], which `screen` applies to all |
//! | output for other programs | standard output, if that is a terminal | [`text`], [`EscapingWriter`] |
//!
//! [`Shown::controls`] defines what a control character is. Outputs of jobs keep their colours: see
//! `control_filter`.

use std::error::Error;
use std::ffi::OsStr;
use std::fmt;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::str;

use procpool_core::Shown;

/// A name for a message.
pub(crate) fn name(name: impl AsRef<OsStr>) -> String {
    Shown(name.as_ref().as_bytes()).to_string()
}

/// A tag for the start of a line: escaped like a name, but bytes that are no UTF-8 stay.
pub(crate) fn tag(tag: &[u8]) -> Vec<u8> {
    let parts = tag.utf8_chunks().map(|chunk| [name(chunk.valid()).as_bytes(), chunk.invalid()].concat());
    parts.collect::<Vec<_>>().concat()
}

/// An error with its causes, in one line, unless a cause is [`ErrorLines`].
pub(crate) fn error(error: &anyhow::Error) -> String {
    let words = error.chain().map(|cause| match cause.downcast_ref() {
        Some(lines @ ErrorLines(_)) => lines.to_string(),
        None => name(cause.to_string().trim_end()),
    });
    words.collect::<Vec<_>>().join(": ")
}

/// An error of several lines, each escaped.
#[derive(Debug)]
pub(crate) struct ErrorLines(Vec<String>);

impl ErrorLines {
    pub(crate) fn new<const COUNT: usize>(lines: [String; COUNT]) -> ErrorLines {
        ErrorLines(lines.map(name).into())
    }
}

impl fmt::Display for ErrorLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl Error for ErrorLines {}

/// Escapes a whole message, except newlines and colours. A second line of defence: only the code that inserts
/// a name can escape newlines in it.
pub(crate) fn message(message: &str) -> String {
    let mut harmless = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(at) = rest.find(|character| character != '\n' && Shown::controls(character)) {
        let (before, control) = rest.split_at(at);
        let length = colour_length(control).unwrap_or_default();
        harmless.push_str(before);
        harmless.push_str(&control[..length]);
        rest = &control[length..];
        if length == 0 {
            let end = control.chars().next().map_or(0, char::len_utf8);
            harmless.push_str(&name(&control[..end]));
            rest = &control[end..];
        }
    }
    harmless + rest
}

/// The length of the SGR sequence at the start, if there is one.
fn colour_length(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\x1b[")?;
    let end =
        parameters.find(|character: char| !character.is_ascii_digit() && !matches!(character, ';' | ':'))?;
    parameters[end..].starts_with('m').then_some("\x1b[".len() + end + "m".len())
}

/// Escapes a text, except newlines and tabs.
pub(crate) fn text(bytes: &[u8]) -> Vec<u8> {
    let parts = bytes.split_inclusive(|byte| matches!(byte, b'\n' | b'\t')).map(|part| {
        let end = part.len() - usize::from(part.ends_with(b"\n") || part.ends_with(b"\t"));
        [Shown(&part[..end]).to_string().as_bytes(), &part[end..]].concat()
    });
    parts.collect::<Vec<_>>().concat()
}

/// Applies [`text`] to what is written, in pieces of any size.
pub(crate) struct EscapingWriter<W> {
    writer: W,
    /// The first bytes of a character that is not complete yet.
    begun: Vec<u8>,
}

impl<W: Write> EscapingWriter<W> {
    pub(crate) fn new(writer: W) -> EscapingWriter<W> {
        EscapingWriter { writer, begun: Vec::new() }
    }
}

impl<W: Write> Write for EscapingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut whole = std::mem::take(&mut self.begun);
        whole.extend(bytes);
        self.begun = whole.split_off(whole.len() - begun_length(&whole));
        self.writer.write_all(&text(&whole))?;
        Ok(bytes.len())
    }

    /// Also ends the text: an incomplete character is replaced.
    fn flush(&mut self) -> io::Result<()> {
        let begun = std::mem::take(&mut self.begun);
        self.writer.write_all(&text(&begun))?;
        self.writer.flush()
    }
}

/// How many bytes at the end are an incomplete character.
pub(crate) fn begun_length(text: &[u8]) -> usize {
    let is_begun = |length: &usize| {
        let end = str::from_utf8(&text[text.len() - length..]);
        end.is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
    };
    (1..=text.len().min(3)).find(is_begun).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;
    use proptest::prelude::*;

    use super::*;

    const HOSTILE: &str = "[a1;m\n\t\r\u{1b}\u{7}\u{8}\u{9b}\u{85}\u{202e}\u{2066}\u{200f}\u{2028}]";

    fn written(pieces: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut harmless = EscapingWriter::new(&mut bytes);
        for piece in pieces {
            harmless.write_all(piece).unwrap();
        }
        harmless.flush().unwrap();
        bytes
    }

    #[test]
    fn an_error_is_one_line_without_what_controls_a_terminal() {
        let told = error(&anyhow!("line 1\r\n\tü\x1b[31m\x08\u{9b}\n").context("a\0"));
        assert_eq!(told, "a\\u{0}: line 1\\r\\n\\tü\\u{1b}[31m\\u{8}\\u{9b}");
        let forged = error(&anyhow!("no such file").context("--cwd x\nprocpool: 1 job: 1 succeeded"));
        assert_eq!(forged, "--cwd x\\nprocpool: 1 job: 1 succeeded: no such file");
    }

    #[test]
    fn an_error_that_is_made_of_lines_keeps_them_and_no_others() {
        let lines = ErrorLines::new(["1 | a\nb".to_owned(), "  | ^\u{2028}".to_owned()]);
        let told = error(&anyhow::Error::new(lines).context("job file"));
        assert_eq!(told, "job file: 1 | a\\nb\n  | ^\\u{2028}");
    }

    #[test]
    fn a_message_keeps_its_lines_and_colours() {
        let plain = "procpool: \x1b[1m\x1b[31m1 failed\x1b[0m\n  ä: exit 1\n";
        assert_eq!(message(plain), plain);
        assert_eq!(message("a\x1b[2Jb\x1b]0;t\x07\t\u{9b}31m\x1b[3"), {
            "a\\u{1b}[2Jb\\u{1b}]0;t\\u{7}\\t\\u{9b}31m\\u{1b}[3"
        });
    }

    #[test]
    fn a_tag_keeps_bytes_that_are_no_text() {
        assert_eq!(tag(b"a\nb\t\x1b\xff\xc3\xa4"), b"a\\nb\\t\\u{1b}\xff\xc3\xa4");
    }

    #[test]
    fn a_text_for_a_terminal_has_lines_and_tabs() {
        assert_eq!(written(&[b"a\tb\n\x1b[2Jc\r\n\xc2", b"\x9b\xff\xc3"]), {
            "a\tb\n\\u{1b}[2Jc\\r\n\\u{9b}\u{fffd}\u{fffd}".as_bytes()
        });
    }

    proptest! {
        #[test]
        fn nothing_passes_that_controls(hostile in proptest::collection::vec(HOSTILE, 0..20)) {
            let hostile = hostile.concat();
            let controls = |character: char| Shown::controls(character);
            prop_assert!(!name(&hostile).contains(controls));
            prop_assert!(!error(&anyhow!(hostile.clone()).context(hostile.clone())).contains(controls));
            prop_assert!(!String::from_utf8(tag(hostile.as_bytes())).unwrap().contains(controls));
            let text = String::from_utf8(text(hostile.as_bytes())).unwrap().replace(['\n', '\t'], "");
            prop_assert!(!text.contains(controls));
            let message = message(&hostile).replace('\n', "");
            let without_colour = anstream::adapter::strip_str(&message).to_string();
            prop_assert!(!without_colour.contains(controls), "{:?}", message);
        }

        #[test]
        fn it_makes_no_difference_how_a_text_is_cut(bytes: Vec<u8>, text in "[ä\u{9b}€\n]{0,9}", cut in 0_usize..30) {
            let bytes = [&bytes[..], text.as_bytes()].concat();
            let (before, after) = bytes.split_at(cut.min(bytes.len()));
            prop_assert_eq!(written(&[before, after]), written(&[&bytes]));
        }
    }
}
