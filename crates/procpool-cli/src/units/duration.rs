//! Lengths of time: parses what people type, and prints them short.

use std::time::Duration;

use fundu::{DurationParser, TimeUnit};

/// Numbers are seconds; `ms`, `s`, `m`, `h` and `d` may follow, also several: `1h30m`.
const PARSER: DurationParser<'static> = DurationParser::builder()
    .time_units(&[TimeUnit::MilliSecond, TimeUnit::Second, TimeUnit::Minute, TimeUnit::Hour, TimeUnit::Day])
    .parse_multiple(None)
    .disable_exponent()
    .disable_infinity()
    .build();

/// Parses a length of time above 0.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let parsed = PARSER.parse(text).ok().and_then(|parsed| Duration::try_from(parsed).ok());
    parsed.filter(|duration| !duration.is_zero()).ok_or_else(|| {
        "give a time above 0: seconds like 30 or 0.5, or with a unit like 200ms, 30s, 5m, 1h30m, 2d"
            .to_owned()
    })
}

/// Parses a length of time from 0 up.
pub(crate) fn parse_pause(text: &str) -> Result<Duration, String> {
    match PARSER.parse(text).ok().and_then(|parsed| Duration::try_from(parsed).ok()) {
        Some(duration) if duration.is_zero() => Ok(duration),
        _ => parse(text).map_err(|advice| advice.replacen("a time above 0", "a time from 0 up", 1)),
    }
}

/// A length of time in prose: `354ms`, `1.23s`, `12.3s`, `2m31s`, `1h02m`.
pub(crate) fn prose(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{}ms", duration.as_millis()),
        1..10 => format!("{:.2}s", duration.as_secs_f64()),
        10..60 => format!("{:.1}s", duration.as_secs_f64()),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_is_seconds_and_units_may_follow() {
        for (text, milliseconds) in [
            ("30", 30_000),
            ("0.5", 500),
            (".25", 250),
            ("200ms", 200),
            ("30s", 30_000),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("2d", 172_800_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
    }

    #[test]
    fn nothing_less_than_nothing_and_nonsense_are_refused() {
        for text in ["", "0", "0s", "-1", "-1s", "abc", "5x", "inf", "nan", "1e9", "5 s", "--5", "٣"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn prose_is_short() {
        let prose = |milliseconds| prose(Duration::from_millis(milliseconds));
        assert_eq!(prose(354), "354ms");
        assert_eq!(prose(1_234), "1.23s");
        assert_eq!(prose(12_340), "12.3s");
        assert_eq!(prose(151_000), "2m31s");
        assert_eq!(prose(3_725_000), "1h02m");
    }

    proptest! {
        #[test]
        fn any_text_is_a_time_or_an_error(text in ".*") {
            if let Ok(duration) = parse(&text) {
                prop_assert!(!duration.is_zero());
            }
        }
    }
}
