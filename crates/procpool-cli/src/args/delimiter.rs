//! The value of --delimiter: one byte, as a character or as an escape.

/// Parses one byte.
///
/// # Errors
/// If it is not exactly one byte.
pub(crate) fn parse(text: &str) -> Result<u8, String> {
    let byte = match text.as_bytes() {
        [byte] => Some(*byte),
        [b'\\', b'n'] => Some(b'\n'),
        [b'\\', b't'] => Some(b'\t'),
        [b'\\', b'r'] => Some(b'\r'),
        [b'\\', b'0'] => Some(0),
        [b'\\', b'\\'] => Some(b'\\'),
        [b'\\', b'x', digits @ ..] => hexadecimal(digits),
        _ => None,
    };
    byte.ok_or_else(|| {
        "give one byte: a character, or `\\n`, `\\t`, `\\r`, `\\0`, `\\\\`, `\\xNN`".to_owned()
    })
}

fn hexadecimal(digits: &[u8]) -> Option<u8> {
    // `from_str_radix` also accepts a sign.
    let digits =
        digits.iter().all(u8::is_ascii_hexdigit).then(|| std::str::from_utf8(digits).ok()).flatten()?;
    u8::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_is_typed_or_written_as_an_escape() {
        for (text, byte) in [
            (",", b','),
            (" ", b' '),
            ("\t", b'\t'),
            ("\\t", b'\t'),
            ("\\n", b'\n'),
            ("\\r", b'\r'),
            ("\\0", 0),
            ("\\", b'\\'),
            ("\\\\", b'\\'),
            ("\\x2c", b','),
            ("\\xFF", 255),
            ("\\x0", 0),
        ] {
            assert_eq!(parse(text), Ok(byte), "{text}");
        }
    }

    #[test]
    fn what_is_no_byte_or_several_is_refused() {
        for text in ["", ",,", "é", "\\q", "\\x", "\\x100", "\\x+1", "\\00"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
