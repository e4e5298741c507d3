//! The text of shells: split into words where no shell is needed (`split`), read far enough to put values into it
//! safely (`grammar`), and written so that a shell reads it back (`quote`). One lexer serves all three.

pub(crate) mod grammar;
mod lexer;
pub(crate) mod quote;
pub(crate) mod split;

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

pub(crate) use crate::shell::lexer::Quotes;

/// A text as the argument behind `-c`. A shell would take one that begins with `-` for options all the same.
pub(crate) fn script(text: &[u8]) -> OsString {
    let space: &[u8] = if matches!(text, [b'-' | b'+', ..]) { b" " } else { b"" };
    OsString::from_vec([space, text].concat())
}
