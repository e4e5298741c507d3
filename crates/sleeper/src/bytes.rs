//! The bytes that sleeper writes when it is told to write many: the same for a seed, so that a test can
//! compute them.

use crate::random::generator;
use rand::{Rng, rngs::Xoshiro256PlusPlus};
use std::io::{self, BufReader, Read};

/// An output stream. Each has bytes of its own, so that a swap is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// The `count` bytes that `--byte-seed SEED` writes to this stream; see [`reader`].
///
/// ```
/// use sleeper::bytes::{Stream, all};
/// assert!(all(1, Stream::Stdout, 100).starts_with(&all(1, Stream::Stdout, 10)));
/// assert_ne!(all(1, Stream::Stdout, 10), all(1, Stream::Stderr, 10));
/// ```
#[must_use]
pub fn all(seed: u64, stream: Stream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    named(seed, stream).fill_bytes(&mut bytes);
    bytes
}

/// The same bytes without end, for gigabytes. Any byte may occur, newlines and NUL included.
#[must_use]
pub fn reader(seed: u64, stream: Stream) -> impl Read {
    BufReader::new(Words(named(seed, stream)))
}

fn named(seed: u64, stream: Stream) -> Xoshiro256PlusPlus {
    match stream {
        Stream::Stdout => generator(seed, b"stdout"),
        Stream::Stderr => generator(seed, b"stderr"),
    }
}

/// Reads whole words only, so that the bytes don't depend on the sizes of reads: the rest of a word would
/// be lost. The `BufReader` around it never asks for less than a word.
struct Words(Xoshiro256PlusPlus);

impl Read for Words {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let whole = buffer.len() - buffer.len() % size_of::<u64>();
        self.0.fill_bytes(&mut buffer[..whole]);
        Ok(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::{Stream, all, reader};
    use std::io::Read;

    #[test]
    fn the_bytes_never_change() {
        assert_eq!(all(7, Stream::Stdout, 4), [33, 152, 201, 131]);
    }

    #[test]
    fn the_bytes_do_not_depend_on_the_sizes_of_the_reads() {
        let mut source = reader(7, Stream::Stderr);
        let mut read = Vec::new();
        for size in [1, 7, 8192, 3, 20_001, 64] {
            let mut part = vec![0; size];
            source.read_exact(&mut part).unwrap();
            read.extend(part);
        }
        assert_eq!(read, all(7, Stream::Stderr, read.len()));
    }
}
