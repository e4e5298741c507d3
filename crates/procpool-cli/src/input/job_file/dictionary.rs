//! A table of a job file. It keeps the order of entries and also duplicates, so that a duplicate can be
//! refused by name.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

/// Names with their values. No map of a library keeps both the order and duplicate names.
#[derive(Clone, Debug)]
pub(crate) struct Dictionary<V>(pub(crate) Vec<(String, V)>);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Dictionary<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Dictionary<V>, D::Error> {
        struct Entries<V>(PhantomData<V>);

        impl<'de, V: Deserialize<'de>> Visitor<'de> for Entries<V> {
            type Value = Dictionary<V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Dictionary<V>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Dictionary(entries))
            }
        }

        deserializer.deserialize_map(Entries(PhantomData))
    }
}

impl<V> Default for Dictionary<V> {
    fn default() -> Dictionary<V> {
        Dictionary(Vec::new())
    }
}
