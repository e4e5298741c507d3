//! Two hashes by which a later run recognizes a job: one says which job it is, the other what it does.

use std::ffi::OsStr;
use std::fmt;
use std::hash::{self, Hasher};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use procpool_core::{Command, EnvironmentBase, Key, Stdin};
use sha2::{Digest, Sha256};

use crate::format::hexadecimal::number;

/// The first 128 bits of a SHA-256. It is stored in two halves, so that it needs no padding among other
/// fields: there may be millions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Hash {
    high: u64,
    low: u64,
}

/// What identifies a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The hash of its key.
    pub job: Hash,
    /// The hash of program, arguments, directory, changes to the environment, and input.
    pub fingerprint: Hash,
}

impl Identity {
    /// Computes both hashes. `here` is the working directory of a command that has none, and the base of a
    /// relative one.
    #[must_use]
    pub fn of(key: &Key, command: &Command, here: &Path) -> Identity {
        Identity {
            job: Hash::of_key(key),
            fingerprint: fingerprint(command, here),
        }
    }
}

impl Hash {
    /// Stands for an unknown hash.
    pub(crate) const NONE: Hash = Hash { high: 0, low: 0 };

    pub(crate) fn of_key(key: &Key) -> Hash {
        Hash::from(Sha256::new_with_prefix(key.as_bytes()))
    }

    /// The hash as two numbers.
    pub(crate) fn halves(self) -> [u64; 2] {
        [self.high, self.low]
    }

    /// The hash of which these are the halves.
    pub(crate) fn of_halves([high, low]: [u64; 2]) -> Hash {
        Hash { high, low }
    }

    /// Parses 32 hexadecimal digits in lower case.
    #[must_use]
    pub fn parse(digits: &[u8]) -> Option<Hash> {
        let (high, low) = digits.split_at_checked(16).filter(|(_, low)| low.len() == 16)?;
        Some(Hash { high: number(high)?, low: number(low)? })
    }
}

impl hash::Hash for Hash {
    /// Half of the bits are enough for a lookup, because all bits are evenly distributed. What is found is
    /// compared in full.
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.low);
    }
}

impl From<Sha256> for Hash {
    fn from(hasher: Sha256) -> Hash {
        let bytes: [u8; 32] = hasher.finalize().into();
        let (high, rest) = bytes.split_first_chunk().expect("BUG: a hash of less than 8 bytes");
        let (low, _) = rest.split_first_chunk().expect("BUG: a hash of less than 16 bytes");
        Hash {
            high: u64::from_be_bytes(*high),
            low: u64::from_be_bytes(*low),
        }
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:016x}", self.high, self.low)
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn fingerprint(command: &Command, here: &Path) -> Hash {
    let mut parts = Parts(Sha256::new());
    parts.add(command.program());
    parts.count(command.arguments().len());
    command.arguments().iter().for_each(|argument| parts.add(argument));
    match command.working_directory() {
        Some(directory) => parts.add(here.join(directory).as_os_str()),
        None => parts.add(here.as_os_str()),
    }
    parts.count(usize::from(command.environment_base() == EnvironmentBase::Inherited));
    parts.count(command.environment_changes().count());
    for (name, value) in command.environment_changes() {
        parts.add(name);
        parts.count(usize::from(value.is_some()));
        parts.add(value.unwrap_or_default());
    }
    match command.standard_input() {
        Stdin::Nothing => parts.count(0),
        Stdin::Bytes(bytes) => {
            parts.count(1);
            parts.add(OsStr::from_bytes(bytes));
        }
        Stdin::File(path) => {
            parts.count(2);
            parts.add(path.as_os_str());
        }
    }
    parts.0.into()
}

/// Hashes the length of each part before the part: otherwise the parts `a`, `b` and the part `ab` would have
/// the same hash.
struct Parts(Sha256);

impl Parts {
    fn add(&mut self, part: &OsStr) {
        self.count(part.len());
        self.0.update(part.as_bytes());
    }

    fn count(&mut self, number: usize) {
        self.0.update((number as u64).to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_makes_a_job_what_it_is_is_in_its_fingerprint_and_its_limits_are_not() {
        let base = || Command::new("sort").args(["-n", "x"]);
        let others = [
            base(),
            Command::new("sort").args(["-nx"]),
            Command::new("sort").args(["-n", "x", ""]),
            base().directory("/"),
            base().env("A", "1"),
            base().env_remove("A"),
            base().env("A", ""),
            base().env_clear(),
            base().stdin_bytes(""),
            base().stdin_bytes("x"),
            base().stdin(Stdin::File("x".into())),
        ];
        let here = Path::new("/tmp");
        let prints: Vec<Hash> = others.iter().map(|command| fingerprint(command, here)).collect();
        for (index, print) in prints.iter().enumerate() {
            assert!(!prints[..index].contains(print), "{:?}", others[index]);
        }
        assert_ne!(fingerprint(&base(), Path::new("/var")), prints[0]);
        assert_eq!(fingerprint(&base().directory("/tmp"), Path::new("/var")), prints[0]);
        assert_eq!(fingerprint(&base().capture(procpool_core::Capture::Discard), here), prints[0]);
    }

    #[test]
    fn a_hash_is_read_back_as_it_is_written_and_in_no_other_spelling() {
        let hash = Hash::of_key(&Key::from("a"));
        // sha256sum prints the same digits.
        assert_eq!(hash.to_string(), "ca978112ca1bbdcafac231b39a23dc4d");
        assert_eq!(Hash::parse(hash.to_string().as_bytes()), Some(hash));
        for text in ["", "ca97", "CA978112CA1BBDCAFAC231B39A23DC4D", "ca978112ca1bbdcafac231b39a23dc4dd"] {
            assert_eq!(Hash::parse(text.as_bytes()), None);
        }
    }
}
