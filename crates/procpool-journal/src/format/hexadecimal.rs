//! Parses hexadecimal digits as procpool writes them. This is fast, because a million lines have a hundred
//! million digits.

/// The value of each byte that is a digit. All other bytes have the high bit set.
const VALUES: [u8; 256] = {
    let mut values = [NONE; 256];
    let mut value = 0;
    while value < 16 {
        values[b"0123456789abcdef"[value as usize] as usize] = value;
        value += 1;
    }
    values
};

const NONE: u8 = 0x80;

/// Parses up to sixteen lower-case digits. Any other spelling is rejected, so that no changed line passes.
pub(crate) fn number(digits: &[u8]) -> Option<u64> {
    let mut number = 0;
    let mut all = 0;
    for digit in digits {
        let value = VALUES[usize::from(*digit)];
        all |= value;
        number = number << 4 | u64::from(value & 0xf);
    }
    (all & NONE == 0 && !digits.is_empty() && digits.len() <= 16).then_some(number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_not_written_like_this_is_no_number() {
        for text in ["", "g", "A", " 1", "+1", "0x1", "00000000000000000", "1\u{0}"] {
            assert_eq!(number(text.as_bytes()), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_number_is_read_back(value in any::<u64>()) {
            prop_assert_eq!(number(format!("{value:x}").as_bytes()), Some(value));
            prop_assert_eq!(number(format!("{value:016x}").as_bytes()), Some(value));
        }
    }
}
