//! Makes keys distinct if they have to be: the second `a` becomes `a#2`.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hasher;

use procpool_core::Key;
use siphasher::sip::SipHasher13;

/// The keys so far: the hash of each, and how often it has occurred. If two keys ever have the same hash,
/// they still get different names.
#[derive(Default)]
pub(crate) struct Distinct(HashMap<u64, u32>);

impl Distinct {
    /// Returns the key, with a number if it has occurred before.
    pub(crate) fn name(&mut self, key: &Key) -> Key {
        let hash = hash_of(key);
        let Some(&(mut count)) = self.0.get(&hash) else {
            self.0.insert(hash, 1);
            return key.clone();
        };
        loop {
            count = count.saturating_add(1);
            let name = Key::from([key.as_bytes(), format!("#{count}").as_bytes()].concat());
            // A job may have had exactly this key.
            if let Entry::Vacant(vacant) = self.0.entry(hash_of(&name)) {
                vacant.insert(1);
                self.0.insert(hash, count);
                return name;
            }
        }
    }
}

fn hash_of(key: &Key) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write(key.as_bytes());
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn names(keys: &[&str]) -> Vec<String> {
        let mut distinct = Distinct::default();
        keys.iter().map(|key| distinct.name(&Key::from(*key)).to_string()).collect()
    }

    #[test]
    fn keys_that_repeat_are_counted() {
        assert_eq!(names(&["a", "b", "a", "", "a", ""]), ["a", "b", "a#2", "", "a#3", "#2"]);
    }

    #[test]
    fn a_key_that_looks_like_a_counted_one_keeps_its_name_or_is_counted_itself() {
        assert_eq!(names(&["a", "a#2", "a"]), ["a", "a#2", "a#3"]);
        assert_eq!(names(&["a", "a", "a#2"]), ["a", "a#2", "a#2#2"]);
    }

    proptest! {
        #[test]
        fn no_two_names_are_the_same(keys in proptest::collection::vec("a?(#2)?(#3)?", 0..40)) {
            let mut distinct = Distinct::default();
            let names: HashSet<Key> = keys.iter().map(|key| distinct.name(&Key::from(key.as_str()))).collect();
            prop_assert_eq!(names.len(), keys.len());
        }
    }
}
