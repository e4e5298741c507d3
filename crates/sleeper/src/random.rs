//! A random generator that is the same on every machine and after every `cargo update`.

use rand::{SeedableRng, rngs::Xoshiro256PlusPlus};

/// A generator for each pair of seed and name.
///
/// The algorithm is named because rand promises that the named ones never change their values; `StdRng` and
/// `SmallRng` may, with a release or a platform. rand's distributions may change too, so draw plain
/// integers.
pub(crate) fn generator(seed: u64, name: &[u8]) -> Xoshiro256PlusPlus {
    let seed = seed.to_le_bytes();
    Xoshiro256PlusPlus::seed_from_u64(fnv1a(seed.iter().chain(name)))
}

/// FNV-1a of 64 bits, because std's hashers promise no stable value.
fn fnv1a<'bytes>(bytes: impl IntoIterator<Item = &'bytes u8>) -> u64 {
    bytes
        .into_iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::fnv1a;

    #[test]
    fn the_hash_is_the_published_fnv_1a() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
