//! Cuts an output into pieces of bounded size, and no character in two.
//! Knows nothing of what becomes of them.

use std::io::{self, Read};

/// The longest piece, in bytes.
const LONGEST: usize = 64 * 1024;

/// The longest beginning of a character that is not all of it, in UTF-8.
const LONGEST_BEGINNING: usize = 3;

/// The pieces of what comes from `reader`.
pub(crate) struct Pieces<R> {
    reader: R,
    buffer: Vec<u8>,
    /// So many bytes at the buffer's start were given out.
    given: usize,
}

impl<R: Read> Pieces<R> {
    pub(crate) fn new(reader: R) -> Pieces<R> {
        Pieces { reader, buffer: Vec::new(), given: 0 }
    }

    /// The next piece; `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<&[u8]>> {
        self.buffer.drain(..self.given);
        let missing = LONGEST - self.buffer.len();
        self.reader.by_ref().take(missing as u64).read_to_end(&mut self.buffer)?;
        self.given = match self.buffer.len() {
            LONGEST => LONGEST - beginning_at_the_end(&self.buffer),
            // All that was left.
            shorter => shorter,
        };
        Ok((self.given > 0).then(|| &self.buffer[..self.given]))
    }
}

/// How many of the last bytes are a character whose rest may follow.
fn beginning_at_the_end(bytes: &[u8]) -> usize {
    (1..=LONGEST_BEGINNING.min(bytes.len()))
        .find(|count| match std::str::from_utf8(&bytes[bytes.len() - count..]) {
            Err(error) => error.valid_up_to() == 0 && error.error_len().is_none(),
            Ok(_) => false,
        })
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pieces(bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut pieces = Pieces::new(bytes);
        std::iter::from_fn(|| pieces.next().unwrap().map(<[u8]>::to_vec)).collect()
    }

    #[test]
    fn a_short_output_is_one_piece_and_none_is_none() {
        assert_eq!(pieces(b"a\xc3"), [b"a\xc3"]);
        assert!(pieces(b"").is_empty());
    }

    #[test]
    fn no_character_is_in_two_pieces() {
        for text in ["ä", "→", "𝄞", "a"] {
            for before in 0..4 {
                let text = "x".repeat(before) + &text.repeat(100_000);
                let pieces = pieces(text.as_bytes());
                assert!(pieces.iter().all(|piece| std::str::from_utf8(piece).is_ok()));
                assert!(pieces.concat() == text.as_bytes());
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn all_bytes_come_in_pieces_of_bounded_size(
            bytes in proptest::collection::vec(any::<u8>(), 0..10), times in 0_usize..40_000,
        ) {
            let bytes = bytes.repeat(times);
            let pieces = pieces(&bytes);
            prop_assert!(pieces.iter().all(|piece| (1..=LONGEST).contains(&piece.len())));
            prop_assert!(pieces.concat() == bytes);
        }
    }
}
