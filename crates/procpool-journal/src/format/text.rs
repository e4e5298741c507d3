//! Bytes in JSON: a string if they are UTF-8, else `{"base64":"…"}`.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::de::{Error, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Any bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text<'a>(pub Cow<'a, [u8]>);

impl Text<'_> {
    #[must_use]
    pub fn into_owned(self) -> Text<'static> {
        Text(self.0.into_owned().into())
    }

    #[must_use]
    pub fn into_os_string(self) -> OsString {
        OsString::from_vec(self.0.into_owned())
    }
}

impl<'a> From<&'a OsStr> for Text<'a> {
    fn from(text: &'a OsStr) -> Text<'a> {
        Text(Cow::Borrowed(text.as_bytes()))
    }
}

impl<'a> From<&'a OsString> for Text<'a> {
    fn from(text: &'a OsString) -> Text<'a> {
        Text::from(text.as_os_str())
    }
}

impl<'a> From<&'a [u8]> for Text<'a> {
    fn from(bytes: &'a [u8]) -> Text<'a> {
        Text(Cow::Borrowed(bytes))
    }
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("base64", &BASE64_STANDARD.encode(&self.0))?;
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Text<'static> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Text<'static>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, or an object with base64")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Text(Cow::Owned(text.as_bytes().to_vec())))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let entry = map.next_entry::<String, String>()?;
        let Some((_, encoded)) = entry.filter(|(name, _)| name == "base64") else {
            return Err(A::Error::custom("it has no base64"));
        };
        let bytes = BASE64_STANDARD.decode(encoded).map_err(A::Error::custom)?;
        match map.next_key::<String>()? {
            None => Ok(Text(Cow::Owned(bytes))),
            Some(_) => Err(A::Error::custom("it has more than base64")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_a_text_is_written_as_one() {
        let json = |bytes: &[u8]| serde_json::to_string(&Text::from(bytes)).unwrap();
        assert_eq!(json("ä\n".as_bytes()), r#""ä\n""#);
        assert_eq!(json(b"\xff"), r#"{"base64":"/w=="}"#);
    }

    #[test]
    fn what_is_neither_is_refused() {
        for json in ["1", "{}", r#"{"base64":"*"}"#, r#"{"base64":"","x":1}"#, r#"{"text":"a"}"#] {
            assert!(serde_json::from_str::<Text>(json).is_err(), "{json}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_come_back(bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
            let json = serde_json::to_string(&Text::from(&bytes[..])).unwrap();
            prop_assert_eq!(&*serde_json::from_str::<Text>(&json).unwrap().0, &bytes[..]);
        }
    }
}
