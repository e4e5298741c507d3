//! The name of the folder with a job's results: readable, safe as a file name, and different for each key.

use std::fmt::Write as _;
use std::hash::Hasher;

use procpool_core::{Key, Shown};
use siphasher::sip128::{Hasher128, SipHasher24};

/// The longest name that a file system of Linux accepts, in bytes.
const LONGEST: usize = 255;

/// The length of the end of a name that was cut: `%~` and a hash in hexadecimal digits.
const LONGEST_END: usize = 2 + 32;

/// The folder's name for a key. `%empty` and `%~` come from no escape, which is `%` and two hexadecimal
/// digits.
pub(crate) fn encode(key: &Key) -> String {
    let name = encode_whole(key.as_bytes());
    match name.len() {
        0 => "%empty".to_owned(),
        1..=LONGEST => name,
        _ => cut(&name, key.as_bytes()),
    }
}

fn encode_whole(bytes: &[u8]) -> String {
    let mut name = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            let is_hidden = character == '.' && name.is_empty();
            if character == '/' || character == '%' || Shown::controls(character) || is_hidden {
                escape(&mut name, character.encode_utf8(&mut [0; 4]).as_bytes());
            } else {
                name.push(character);
            }
        }
        escape(&mut name, chunk.invalid());
    }
    name
}

fn escape(name: &mut String, bytes: &[u8]) {
    for byte in bytes {
        write!(name, "%{byte:02X}").expect("BUG: a string takes all");
    }
}

/// As much of the beginning as fits, and a hash of the key.
fn cut(name: &str, key: &[u8]) -> String {
    let mut end = LONGEST - LONGEST_END;
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    let mut hasher = SipHasher24::new();
    hasher.write(key);
    format!("{}%~{:032x}", &name[..end], hasher.finish128().as_u128())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encoded(key: &[u8]) -> String {
        encode(&Key::from(key))
    }

    #[test]
    fn a_plain_key_is_its_own_name() {
        for key in ["a", "a b.txt", "ä→", "x:y@2", "a#2", "~", "-rf", "*"] {
            assert_eq!(encoded(key.as_bytes()), key);
        }
    }

    #[test]
    fn what_is_no_safe_name_is_written_as_its_bytes() {
        assert_eq!(encoded(b""), "%empty");
        assert_eq!(encoded(b"."), "%2E");
        assert_eq!(encoded(b".."), "%2E.");
        assert_eq!(encoded(b".a.b"), "%2Ea.b");
        assert_eq!(encoded(b"../etc/passwd"), "%2E.%2Fetc%2Fpasswd");
        assert_eq!(encoded(b"50%"), "50%25");
        assert_eq!(encoded(b"a\nb\x7f\xff"), "a%0Ab%7F%FF");
        assert_eq!(encoded("\u{85}".as_bytes()), "%C2%85");
    }

    #[test]
    fn a_long_key_is_cut_and_hashed() {
        assert_eq!(encoded(&[b'a'; 255]), "a".repeat(255));
        let name = encoded(&[b'a'; 256]);
        assert_eq!(name.len(), 255);
        assert!(name.starts_with(&("a".repeat(221) + "%~")), "{name}");
        // The hash must never change: names of earlier runs have to be found again.
        assert!(name.ends_with("%~1f7c0fc11ffc267486e661262163a2cd"), "{name}");
        assert_ne!(name, encoded(&[b'a'; 257]));
        assert!(encoded("ä".repeat(300).as_bytes()).len() <= 255);
    }

    proptest! {
        #[test]
        fn a_name_is_safe(key in proptest::collection::vec(any::<u8>(), 0..400)) {
            let name = encoded(&key);
            prop_assert!((1..=255).contains(&name.len()));
            prop_assert!(!name.starts_with('.') && !name.contains('/') && !name.contains(Shown::controls));
        }

        #[test]
        fn two_keys_have_two_names(one in "[a%/.~2F\\n]{0,6}", other in "[a%/.~2F\\n]{0,6}") {
            prop_assert_eq!(one == other, encoded(one.as_bytes()) == encoded(other.as_bytes()));
        }

        #[test]
        fn a_name_that_was_not_cut_says_the_key(key in proptest::collection::vec(any::<u8>(), 1..80)) {
            prop_assert_eq!(decoded(&encoded(&key)), key);
        }
    }

    fn decoded(name: &str) -> Vec<u8> {
        let mut parts = name.split('%');
        let mut key = parts.next().unwrap().as_bytes().to_vec();
        for part in parts {
            key.push(u8::from_str_radix(&part[..2], 16).unwrap());
            key.extend(part[2..].bytes());
        }
        key
    }
}
