//! Values of --limit and --load, which may be relative to the number of processors.

use procpool_core::Limit;

/// The value of --load: a number of tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Load(pub(crate) u64);

const FORM: &str = "give a number from 1 up, auto, or by the number of processors 50%, +1 or -1";

/// # Errors
/// Describes the syntax, or why the number is invalid.
pub(super) fn limit(text: &str) -> Result<Limit, String> {
    // Counting processors takes a dozen system calls, and most limits are plain numbers.
    let processors = if digits(text).is_some() { 1 } else { Limit::available().get() };
    limit_of(text, processors)
}

/// # Errors
/// Says what the right form is.
pub(super) fn load(text: &str) -> Result<Load, String> {
    load_of(text, Limit::available().get())
        .ok_or_else(|| "give a number above 0, such as 8 or 0.5, or a percentage".to_owned())
}

fn limit_of(text: &str, processors: usize) -> Result<Limit, String> {
    let number = if text == "auto" {
        Some(processors)
    } else if let Some(percent) = text.strip_suffix('%') {
        digits(percent).map(|percent| processors.saturating_mul(percent) / 100)
    } else if let Some(more) = text.strip_prefix('+') {
        digits(more).map(|more| processors.saturating_add(more))
    } else if let Some(fewer) = text.strip_prefix('-') {
        digits(fewer).map(|fewer| processors.saturating_sub(fewer))
    } else {
        digits(text)
    };
    let number = number.ok_or(FORM)?;
    if number == 0 && text.bytes().any(|byte| !byte.is_ascii_digit()) {
        let processors = match processors {
            1 => "the one processor".to_owned(),
            many => format!("the {many} processors"),
        };
        return Err(format!("of {processors} here that leaves no job to run; {FORM}"));
    }
    Limit::new(number).map_err(|error| error.to_string())
}

fn load_of(text: &str, processors: usize) -> Option<Load> {
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite() && *number > 0.0);
    let processors = u32::try_from(processors).unwrap_or(u32::MAX);
    let load = match text.strip_suffix('%') {
        Some(percent) => number(percent)? / 100.0 * f64::from(processors),
        None => number(text)?,
    };
    // Fewer than 2.5 tasks means fewer than 3.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "`as` saturates, and it is above 0"
    )]
    Some(Load(load.ceil() as u64))
}

fn digits(text: &str) -> Option<usize> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_may_be_told_by_the_number_of_processors() {
        for (text, expected) in [
            ("1", 1),
            ("12", 12),
            ("auto", 8),
            ("100%", 8),
            ("50%", 4),
            ("150%", 12),
            ("+2", 10),
            ("-2", 6),
            ("13%", 1),
            ("+0", 8),
        ] {
            assert_eq!(limit_of(text, 8).unwrap().get(), expected, "{text}");
        }
    }

    #[test]
    fn a_limit_below_1_is_refused_and_so_is_what_is_no_number() {
        for text in ["-8", "-9", "0%", "12%"] {
            let error = limit_of(text, 8).unwrap_err();
            assert!(error.starts_with("of the 8 processors here that leaves no job to run"), "{error}");
        }
        assert!(limit_of("0", 8).unwrap_err().contains('0'));
        for text in ["", "x", "1.5", "--1", "+", "-", "%", "+1%", "-50%", "1 ", "99999999999999999999"] {
            assert_eq!(limit_of(text, 8).unwrap_err(), FORM, "{text}");
        }
        assert!(limit_of("70000", 8).is_err());
    }

    #[test]
    fn a_load_is_a_number_or_a_percentage() {
        for (text, expected) in [("8", 8), ("2.5", 3), ("0.1", 1), ("50%", 4), ("150%", 12), ("1%", 1)] {
            assert_eq!(load_of(text, 8), Some(Load(expected)), "{text}");
        }
        for text in ["", "0", "-1", "nan", "inf", "x", "%", "0%"] {
            assert_eq!(load_of(text, 8), None, "{text}");
        }
    }
}
