//! A job's key: the caller's own name for it.
//! Knows nothing of uniqueness; whoever needs unique keys checks for it.

use std::borrow::Borrow;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::sync::Arc;

use crate::data::shown::Shown;

/// The caller's own name for a job: any bytes. Cloning is cheap, the bytes are shared.
///
/// Shown ([`Display`](fmt::Display)) as [`Shown`] has it, with control characters escaped and what is no UTF-8 replaced, so
/// that a key can't garble a terminal; [`as_bytes`](Key::as_bytes) has it exactly.
///
/// ```
/// use procpool_core::Key;
///
/// let key = Key::from("a\tb");
/// assert_eq!(key.as_bytes(), b"a\tb");
/// assert_eq!(key.to_string(), "a\\tb");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Arc<[u8]>);

impl Key {
    /// The key's bytes as they were given.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The key as an OS string, as environment variables and file names want it.
    #[must_use]
    pub fn as_os_str(&self) -> &OsStr {
        OsStr::from_bytes(&self.0)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Shown(&self.0).fmt(f)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:?})", self.as_os_str())
    }
}

impl Borrow<[u8]> for Key {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Key {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<&str> for Key {
    fn from(key: &str) -> Key {
        Key(key.as_bytes().into())
    }
}

impl From<String> for Key {
    fn from(key: String) -> Key {
        Key(key.into_bytes().into())
    }
}

impl From<&[u8]> for Key {
    fn from(key: &[u8]) -> Key {
        Key(key.into())
    }
}

impl From<Vec<u8>> for Key {
    fn from(key: Vec<u8>) -> Key {
        Key(key.into())
    }
}

impl From<&OsStr> for Key {
    fn from(key: &OsStr) -> Key {
        Key(key.as_bytes().into())
    }
}

impl From<OsString> for Key {
    fn from(key: OsString) -> Key {
        Key(key.into_vec().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_no_utf8_is_kept_exactly_and_shown_harmlessly() {
        let key = Key::from(&b"a\xff\x1b[31m\n"[..]);
        assert_eq!(key.as_bytes(), b"a\xff\x1b[31m\n");
        assert_eq!(key.to_string(), "a\u{fffd}\\u{1b}[31m\\n");
    }
}
