//! Cuts an output into pieces of limited size, without cutting a character in two.

use std::io;
use std::ops::Range;

/// The longest piece, in bytes.
const LONGEST: usize = 64 * 1024;

/// The longest incomplete character, in bytes of UTF-8.
const LONGEST_BEGINNING: usize = 3;

/// Whether an output may still grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    Grows,
    IsComplete,
}

/// The pieces of one output, in order. The output may grow meanwhile.
#[derive(Debug, Default)]
pub(crate) struct OutputPieces {
    /// How many of its bytes have been returned.
    given: u64,
}

impl OutputPieces {
    /// The next piece; `read` reads a range of the output. `None` if there is none, or none yet: an
    /// incomplete character waits for its rest as long as the output may grow.
    pub(crate) fn next(
        &mut self,
        output: Output,
        read: impl FnOnce(Range<u64>) -> io::Result<Vec<u8>>,
    ) -> io::Result<Option<Vec<u8>>> {
        let mut piece = read(self.given..self.given + LONGEST as u64)?;
        if output == Output::Grows || piece.len() == LONGEST {
            piece.truncate(piece.len() - beginning_at_the_end(&piece));
        }
        self.given += piece.len() as u64;
        Ok((!piece.is_empty()).then_some(piece))
    }
}

/// How many of the last bytes are an incomplete character.
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

    fn next(pieces: &mut OutputPieces, output: Output, bytes: &[u8]) -> Option<Vec<u8>> {
        let within = |position: u64| usize::try_from(position).unwrap().min(bytes.len());
        pieces.next(output, |range| Ok(bytes[within(range.start)..within(range.end)].to_vec())).unwrap()
    }

    fn all(pieces: &mut OutputPieces, output: Output, bytes: &[u8]) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| next(pieces, output, bytes)).collect()
    }

    fn pieces(bytes: &[u8]) -> Vec<Vec<u8>> {
        all(&mut OutputPieces::default(), Output::IsComplete, bytes)
    }

    #[test]
    fn a_short_output_is_one_piece_and_none_is_none() {
        assert_eq!(pieces(b"a\xc3"), [b"a\xc3"]);
        assert!(pieces(b"").is_empty());
    }

    #[test]
    fn a_character_that_has_only_begun_waits_for_its_end() {
        let text = "a𝄞".as_bytes();
        let mut pieces = OutputPieces::default();
        for length in 1..5 {
            let expected = (length == 1).then(|| b"a".to_vec());
            assert_eq!(next(&mut pieces, Output::Grows, &text[..length]), expected);
        }
        assert_eq!(next(&mut pieces, Output::Grows, text).unwrap(), "𝄞".as_bytes());
        assert_eq!(next(&mut pieces, Output::Grows, b"a\xf0\x9d\x84\x9e\xff").unwrap(), b"\xff");
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

        #[test]
        fn an_output_that_grows_is_all_told_and_a_text_as_text(text in ".{0,50}", lengths: [prop::sample::Index; 5]) {
            let bytes = text.as_bytes();
            let mut lengths = lengths.map(|index| index.index(bytes.len() + 1));
            lengths.sort_unstable();
            let mut pieces = OutputPieces::default();
            let mut told: Vec<_> =
                lengths.iter().flat_map(|length| all(&mut pieces, Output::Grows, &bytes[..*length])).collect();
            told.extend(all(&mut pieces, Output::IsComplete, bytes));
            prop_assert!(told.iter().all(|piece| std::str::from_utf8(piece).is_ok()));
            prop_assert_eq!(told.concat(), bytes);
        }
    }
}
