//! Quantities as a user types them: seconds, bytes, rates.

use anyhow::{Context, Error, Result, ensure};
use std::borrow::Cow;
use std::str::FromStr;
use std::time::Duration;

/// A time to sleep, with its text, which the output repeats literally.
#[derive(Clone)]
pub(crate) struct Seconds {
    pub(crate) typed: Cow<'static, str>,
    pub(crate) duration: Duration,
}

impl Seconds {
    pub(crate) const NONE: Seconds = Seconds { typed: Cow::Borrowed("0"), duration: Duration::ZERO };
}

impl FromStr for Seconds {
    type Err = Error;

    fn from_str(typed: &str) -> Result<Self> {
        let number: f64 = typed.parse().context("not a number of seconds")?;
        ensure!(number >= 0.0, "can't sleep less than 0 seconds");
        let duration = Duration::try_from_secs_f64(number).context("can't sleep that long")?;
        let typed = typed.to_owned().into();
        Ok(Self { typed, duration })
    }
}

/// A number of bytes: `300`, `64K`, `20M`, `10G`, in powers of 1024.
pub(crate) fn byte_count(typed: &str) -> Result<u64> {
    let suffixes = [('K', 1 << 10), ('M', 1 << 20), ('G', 1 << 30)];
    let unit = suffixes.iter().find_map(|(suffix, unit)| Some((typed.strip_suffix(*suffix)?, *unit)));
    let (number, unit) = unit.unwrap_or((typed, 1));
    let number: u64 = number.parse().context("not a number of bytes, such as 300 or 64K")?;
    number.checked_mul(unit).context("too many bytes")
}

/// A share from 0 to 1.
pub(crate) fn rate(typed: &str) -> Result<f64> {
    let rate = typed.parse()?;
    ensure!((0.0..=1.0).contains(&rate), "a rate lies between 0 and 1");
    Ok(rate)
}
