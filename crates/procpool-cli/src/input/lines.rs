//! Values from a stream, each ended by a separator. It reads no further than needed for the next value.

use std::ffi::OsString;
use std::io::{self, BufRead};
use std::os::unix::ffi::OsStringExt;

use anyhow::{Context, bail};

use crate::terminal::screen;

/// The byte that ends a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Separator {
    Newline,
    Nul,
    /// With any other separator, newlines are part of values.
    Other(u8),
}

impl Separator {
    fn byte(self) -> u8 {
        match self {
            Separator::Newline => b'\n',
            Separator::Nul => 0,
            Separator::Other(byte) => byte,
        }
    }
}

impl From<u8> for Separator {
    fn from(byte: u8) -> Separator {
        match byte {
            b'\n' => Separator::Newline,
            0 => Separator::Nul,
            other => Separator::Other(other),
        }
    }
}

/// The values of a stream. The separator after the last value may be missing; an empty value counts.
pub(crate) struct InputLines<R> {
    reader: R,
    name: String,
    separator: Separator,
    /// The number of the last value that was read, counted from 1.
    number: u64,
    carriage_return: CarriageReturn,
}

/// Whether a value that ends in a carriage return has occurred and the user was warned.
#[derive(PartialEq)]
enum CarriageReturn {
    NotSeen,
    Warned,
}

impl<R: BufRead> InputLines<R> {
    /// Reads `reader`, which messages call `name`.
    pub(crate) fn new(reader: R, name: impl Into<String>, separator: Separator) -> InputLines<R> {
        InputLines {
            reader,
            name: name.into(),
            separator,
            number: 0,
            carriage_return: CarriageReturn::NotSeen,
        }
    }

    fn read(&mut self) -> anyhow::Result<Option<OsString>> {
        let mut value = Vec::new();
        let read = self.reader.read_until(self.separator.byte(), &mut value);
        self.number += 1;
        if read.map_err(explain).with_context(|| format!("{} can't be read", self.name))? == 0 {
            return Ok(None);
        }
        if value.last() == Some(&self.separator.byte()) {
            value.pop();
        }
        if self.separator != Separator::Nul && value.contains(&0) {
            bail!(
                "{}: a NUL byte can't be in an argument; for values that end with NUL give -0",
                self.place()
            );
        }
        let ends_like_windows = self.separator == Separator::Newline && value.last() == Some(&b'\r');
        if ends_like_windows && self.carriage_return == CarriageReturn::NotSeen {
            // If the warning can't be written, the run is the same.
            screen::say(&format!(
                "procpool: warning: {} ends in a carriage return (a file from Windows?); it is kept as part of the value\n",
                self.place()
            ));
            self.carriage_return = CarriageReturn::Warned;
        }
        Ok(Some(OsString::from_vec(value)))
    }

    /// The position of the last value that was read, for messages.
    fn place(&self) -> String {
        let unit = if self.separator == Separator::Newline { "line" } else { "value" };
        format!("{}, {unit} {}", self.name, self.number)
    }
}

impl<R: BufRead> Iterator for InputLines<R> {
    type Item = anyhow::Result<OsString>;

    fn next(&mut self) -> Option<anyhow::Result<OsString>> {
        self.read().transpose()
    }
}

/// Adds advice if a directory is read, for example as standard input. GNU parallel treats that as an empty
/// list.
pub(super) fn explain(error: io::Error) -> anyhow::Error {
    let is_directory = error.kind() == io::ErrorKind::IsADirectory;
    let error = anyhow::Error::from(error);
    if is_directory {
        error.context("a directory holds no lines: give a file, or `find DIRECTORY -print0` and -0")
    } else {
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &[u8], separator: Separator) -> anyhow::Result<Vec<Vec<u8>>> {
        InputLines::new(text, "the test", separator).map(|value| value.map(OsStringExt::into_vec)).collect()
    }

    #[test]
    fn a_line_is_a_value_and_the_last_newline_may_be_missing() {
        for text in ["a\n\nb c\n", "a\n\nb c"] {
            assert_eq!(values(text.as_bytes(), Separator::Newline).unwrap(), [&b"a"[..], b"", b"b c"]);
        }
        assert!(values(b"", Separator::Newline).unwrap().is_empty());
        assert_eq!(values(b"\n", Separator::Newline).unwrap(), [b""]);
    }

    #[test]
    fn nul_separated_values_may_hold_anything_else() {
        assert_eq!(values(b"a\nb\0\xff\0", Separator::Nul).unwrap(), [&b"a\nb"[..], b"\xff"]);
    }

    #[test]
    fn another_separator_may_be_missing_at_the_end_and_makes_newlines_plain() {
        // The same as with `xargs -d,`.
        let comma = Separator::from(b',');
        assert_eq!(values(b"a,b,,c,", comma).unwrap(), [&b"a"[..], b"b", b"", b"c"]);
        assert_eq!(values(b"a,b\n", comma).unwrap(), [&b"a"[..], b"b\n"]);
        let error = values(b"a,b\0", comma).unwrap_err().to_string();
        assert!(error.starts_with("the test, value 2: a NUL byte"), "{error}");
        assert_eq!([b'\n', 0].map(Separator::from), [Separator::Newline, Separator::Nul]);
    }

    #[test]
    fn a_carriage_return_is_kept() {
        assert_eq!(values(b"a\r\n", Separator::Newline).unwrap(), [b"a\r"]);
    }

    #[test]
    fn a_nul_byte_in_a_line_is_refused_with_its_place() {
        let error = values(b"a\nb\0c\n", Separator::Newline).unwrap_err().to_string();
        assert!(error.starts_with("the test, line 2: a NUL byte"), "{error}");
    }
}
