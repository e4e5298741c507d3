//! Numbers of bytes: parses what people type, and prints them short.

use procpool_core::PeakMemory;

/// Parses a number of bytes above 0: digits and perhaps a unit. `K`, `M`, `G` and `T` are powers of 1024, the
/// small letters powers of 1000, as in GNU parallel.
pub(crate) fn parse(text: &str) -> Result<u64, String> {
    read(text).filter(|bytes| *bytes > 0).ok_or_else(|| {
        "give a number of bytes above 0, or with a unit: K, M, G (powers of 1024) or k, m, g (of 1000), such as 512K or 2G"
            .to_owned()
    })
}

fn read(text: &str) -> Option<u64> {
    let unit = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(unit);
    let (base, power) = match unit {
        "" | "B" => (1, 0),
        "k" => (1000, 1),
        "m" => (1000, 2),
        "g" => (1000, 3),
        "t" => (1000, 4),
        "K" | "KiB" => (1024, 1),
        "M" | "MiB" => (1024, 2),
        "G" | "GiB" => (1024, 3),
        "T" | "TiB" => (1024, 4),
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(u64::pow(base, power))
}

/// Prints a number of bytes in at most five characters: `0`, `512K`, `4.1M`, `1023G`.
pub(crate) fn prose(bytes: u64) -> String {
    let power = (1..UNITS.len()).rev().find(|power| bytes >> (10 * power) > 0).unwrap_or(0);
    let tenths = (u128::from(bytes) * 10) >> (10 * power);
    match (power, tenths) {
        (1.., 0..100) => format!("{}.{}{}", tenths / 10, tenths % 10, UNITS[power]),
        _ => format!("{}{}", tenths / 10, UNITS[power]),
    }
}

/// Prints peak memory as short; `-` if it is not known.
pub(crate) fn peak(peak: PeakMemory) -> String {
    match peak {
        PeakMemory::Unknown => "-".to_owned(),
        PeakMemory::Known(bytes) => prose(bytes),
        // Three digits: 1,000 of a unit are less than one of the next.
        PeakMemory::Below(bytes) => {
            let (mut least, mut power) = (bytes, 0);
            while least > 999 {
                least = least.div_ceil(1024);
                power += 1;
            }
            format!("<{least}{}", UNITS[power])
        }
    }
}

/// Each 1024 times the one before.
const UNITS: [&str; 7] = ["", "K", "M", "G", "T", "P", "E"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peak_that_is_not_known_is_as_short_and_never_below_its_bound() {
        for (bytes, text) in [
            (999, "<999"),
            (1000, "<1K"),
            (6 << 20, "<6M"),
            ((6 << 20) + 1, "<7M"),
            (106 << 20, "<106M"),
            (1023 << 20, "<1G"),
            (u64::MAX, "<16E"),
        ] {
            assert_eq!(peak(PeakMemory::Below(bytes)), text);
        }
        assert_eq!(peak(PeakMemory::Known(6 << 20)), "6.0M");
        assert_eq!(peak(PeakMemory::Unknown), "-");
    }

    #[test]
    fn a_size_in_prose_is_short() {
        for (bytes, text) in [
            (0, "0"),
            (1023, "1023"),
            (1024, "1.0K"),
            (10_239, "9.9K"),
            (10_240, "10K"),
            ((1 << 20) - 1, "1023K"),
            (4_300_800, "4.1M"),
            (3 << 30, "3.0G"),
            (u64::MAX, "15E"),
        ] {
            assert_eq!(prose(bytes), text);
        }
    }

    #[test]
    fn capital_units_are_powers_of_1024_and_small_ones_of_1000() {
        for (text, bytes) in [
            ("1", 1),
            ("100", 100),
            ("1k", 1000),
            ("1K", 1024),
            ("5m", 5_000_000),
            ("3M", 3 << 20),
            ("2G", 2 << 30),
            ("1TiB", 1 << 40),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "0", "0M", "-1", "1.5G", "M", "1 M", "1kB", "99999999999999999999", "99999999999T"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
