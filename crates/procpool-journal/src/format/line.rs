//! One line of a journal's file: a JSON object that contains its own length and checksum.
//!
//! `{"check":"LLLLLLLLSSSSSSSS",…}`, and a newline: L is the line's length in bytes without the newline, S
//! the CRC-32 (that of gzip and PNG) of all that follows the first comma; both in eight hexadecimal digits.

use std::ops::Range;

use serde::de::DeserializeOwned;

use crate::format::hexadecimal::number;

/// How each line begins.
const BEGINNING: &[u8] = br#"{"check":""#;

/// The byte ranges of the length and the sum, and the offset of the body, from which the sum is computed.
const LENGTH: Range<usize> = 10..18;
const SUM: Range<usize> = 18..26;
const BODY: usize = 28;

/// How many bytes of a line precede its body.
pub const CHECK: usize = BODY;

/// What separates the sum from the body.
const SEPARATOR: &[u8] = b"\",";

/// The longest line that is read, in bytes. procpool writes none of nearly this length, so a longer one is
/// damaged, and not worth its memory.
pub(crate) const LONGEST: usize = 64 * 1024 * 1024;

/// Makes a line from a JSON object that has at least one field.
#[must_use]
pub fn seal(object: &[u8]) -> Vec<u8> {
    let fields = object.strip_prefix(b"{").expect("BUG: a record that is no object");
    let length = BODY + fields.len();
    let mut line = Vec::with_capacity(length + 1);
    line.extend_from_slice(BEGINNING);
    line.extend_from_slice(format!("{length:08x}{:08x}", crc32fast::hash(fields)).as_bytes());
    line.extend_from_slice(SEPARATOR);
    line.extend_from_slice(fields);
    line.push(b'\n');
    line
}

/// Checks a line, given without its newline, and returns its body, which follows the check. `None` if the
/// line is damaged.
#[must_use]
pub fn open(line: &[u8]) -> Option<&[u8]> {
    let is_framed = line.starts_with(BEGINNING) && line.get(SUM.end..BODY) == Some(SEPARATOR);
    if !is_framed || number(&line[LENGTH]) != Some(line.len() as u64) {
        return None;
    }
    let body = &line[BODY..];
    (number(&line[SUM]) == Some(crc32fast::hash(body).into())).then_some(body)
}

/// Parses the body of a line as the JSON object that was sealed, without the check. `None` if it is no such
/// object.
#[must_use]
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    serde_json::from_slice(&object(body)).ok()
}

/// Makes a line from a body that was taken from another line and changed.
#[must_use]
pub fn seal_body(body: &[u8]) -> Vec<u8> {
    seal(&object(body))
}

/// The JSON object to which a body belongs.
fn object(body: &[u8]) -> Vec<u8> {
    [b"{", body].concat()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn without_newline(line: &[u8]) -> &[u8] {
        line.strip_suffix(b"\n").expect("each line ends with one")
    }

    #[test]
    fn a_line_is_json_and_says_its_length_and_its_sum() {
        let line = seal(br#"{"a":1}"#);
        assert_eq!(line, b"{\"check\":\"0000002294da56a3\",\"a\":1}\n".as_slice());
        let value: serde_json::Value = serde_json::from_slice(&line).unwrap();
        assert_eq!(value["a"], 1);
        assert_eq!(open(without_newline(&line)), Some(br#""a":1}"#.as_slice()));
    }

    proptest! {
        #[test]
        fn what_was_changed_or_cut_anywhere_is_seen(text in "[a-z]{0,40}", bit in any::<prop::sample::Index>(), cut in any::<prop::sample::Index>()) {
            let line = seal(format!(r#"{{"text":"{text}"}}"#).as_bytes());
            let line = without_newline(&line);
            prop_assert!(open(line).is_some());
            prop_assert!(open(&line[..cut.index(line.len())]).is_none());
            let mut flipped = line.to_vec();
            let bit = bit.index(line.len() * 8);
            flipped[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(open(&flipped).is_none());
        }

        #[test]
        fn anything_at_all_can_be_looked_at(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            prop_assert!(open(&bytes).is_none());
        }
    }
}
