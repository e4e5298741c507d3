//! A job's key as a text with placeholders (`--key`), and how a key that is too long is cut.
//! The slot and the key itself can't be part of it: neither is known yet.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use anyhow::bail;

use crate::template::names::{Names, Placeholder};
use crate::template::word::{JobContext, Word};

/// The length to which keys of many values are cut, including the `…`.
pub(crate) const LONGEST_KEY: usize = 1000;

/// Cuts a key to [`LONGEST_KEY`]. A key of thousands of values would be as long as their command, and is
/// printed in every message about its job.
pub(crate) fn shorten(mut key: Vec<u8>) -> Vec<u8> {
    let rest = "…".as_bytes();
    if key.len() > LONGEST_KEY {
        let mut end = LONGEST_KEY - rest.len();
        // Not within a character of UTF-8.
        while end > 0 && key[end] & 0b1100_0000 == 0b1000_0000 {
            end -= 1;
        }
        key.truncate(end);
        key.extend_from_slice(rest);
    }
    key
}

/// The text that makes the keys of jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyTemplate(Word);

impl KeyTemplate {
    /// # Errors
    /// If all jobs would have the same key, or it has a placeholder for something that isn't known yet.
    pub(crate) fn parse(text: &OsStr, names: &Names) -> anyhow::Result<KeyTemplate> {
        let word = Word::parse(text.as_bytes(), names)?;
        let mut placeholders = word.placeholders().peekable();
        if placeholders.peek().is_none() {
            bail!(
                "{text:?} has no placeholder, so all jobs would have the same key: write for example `{{}}-{{#}}`"
            );
        }
        for placeholder in placeholders {
            match placeholder {
                Placeholder::Key => bail!("`{{key}}` in a key would stand for itself: name the values"),
                Placeholder::Slot => {
                    bail!("`{{%}}`: the slot isn't known before the job runs; `{{#}}` is its number")
                }
                Placeholder::Values(_) | Placeholder::Position(..) | Placeholder::Seq => {}
            }
        }
        Ok(KeyTemplate(word))
    }

    /// The key of the job with these values and this number.
    pub(crate) fn render(&self, values: &[OsString], seq: u64) -> Vec<u8> {
        // Its key and slot are never used: `parse` refuses their placeholders.
        self.0.render(values, values, JobContext { key: OsStr::new(""), seq, slot: 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> anyhow::Result<KeyTemplate> {
        KeyTemplate::parse(text.as_ref(), &Names::Lists(2))
    }

    #[test]
    fn a_key_is_made_of_values_and_the_number() {
        let values = ["a/b.c".into(), "d".into()];
        for (text, expected) in
            [("{2}/{1/.}", "d/b"), ("{}", "a/b.c d"), ("{#}:{/}", "7:b.c d"), ("{1}{x}", "a/b.c{x}")]
        {
            assert_eq!(parse(text).unwrap().render(&values, 7), expected.as_bytes(), "{text}");
        }
    }

    #[test]
    fn a_key_of_many_values_is_cut_between_characters() {
        assert_eq!(shorten(vec![b'a'; 1000]), vec![b'a'; 1000]);
        assert_eq!(shorten(vec![b'a'; 1001]), [&[b'a'; 997][..], "…".as_bytes()].concat());
        let cut = shorten("ä".repeat(501).into_bytes());
        assert_eq!(String::from_utf8(cut).unwrap(), "ä".repeat(498) + "…");
    }

    #[test]
    fn what_makes_no_key_is_refused() {
        for text in ["", "name", "{key}", "{1}{%}", "{3}"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
