//! The figures of a run, as text: pure.

use std::time::Duration;

use crate::units::duration::prose;

/// The state of a run in numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct RunFigures {
    pub(super) done: u64,
    /// `None` while the input has not been read to its end.
    pub(super) total: Option<u64>,
    pub(super) running: u64,
    /// Jobs that have failed and wait for their next attempt.
    pub(super) retrying: u64,
    pub(super) failed: u64,
    pub(super) elapsed: Duration,
}

impl RunFigures {
    /// Progress in units of 1/`steps`, rounded down; `None` if the total is unknown. A run without jobs is
    /// complete.
    pub(super) fn steps_done(&self, steps: usize) -> Option<usize> {
        let (done, total, steps) = (u128::from(self.done), u128::from(self.total?), steps as u128);
        let full = (done * steps).checked_div(total).map_or(steps, |full| full.min(steps));
        usize::try_from(full).ok()
    }

    /// `123/500 24%`, or the count and rate if the total is unknown.
    pub(super) fn position(&self) -> String {
        match (self.total, self.steps_done(100)) {
            (Some(total), Some(percent)) => format!("{}/{total} {percent}%", self.done),
            _ => format!("{} done, {}", self.done, self.rate()),
        }
    }

    /// The elapsed time, and the remaining time at the average rate so far.
    pub(super) fn times(&self) -> String {
        let so_far = whole_seconds(self.elapsed);
        match self.rest() {
            Some(rest) => format!("{so_far}, ETA {}", whole_seconds(rest)),
            None => so_far,
        }
    }

    fn rest(&self) -> Option<Duration> {
        let left = self.total?.checked_sub(self.done)?;
        let factor = (self.done > 0).then(|| fraction(left, self.done))?;
        Duration::try_from_secs_f64(self.elapsed.as_secs_f64() * factor).ok()
    }

    fn rate(&self) -> String {
        let seconds = self.elapsed.as_secs_f64();
        let rate = if seconds > 0.0 { fraction(self.done, 1) / seconds } else { 0.0 };
        if rate < 10.0 { format!("{rate:.1}/s") } else { format!("{rate:.0}/s") }
    }

    pub(super) fn failures(&self) -> Option<String> {
        (self.failed > 0).then(|| format!("{} failed", self.failed))
    }

    pub(super) fn retries(&self) -> Option<String> {
        (self.retrying > 0).then(|| format!("{} to retry", self.retrying))
    }

    pub(super) fn at_work(&self) -> String {
        format!("{} running", self.running)
    }

    /// All figures in one line.
    pub(super) fn in_words(&self) -> String {
        let parts = [
            Some(self.position()),
            Some(self.at_work()),
            self.retries(),
            self.failures(),
            Some(self.times()),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// A duration without fractions of a second, which would only flicker.
pub(super) fn whole_seconds(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..60 => format!("{seconds}s"),
        _ => prose(time),
    }
}

#[expect(clippy::cast_precision_loss, reason = "it is shown with two digits")]
fn fraction(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn figures(done: u64, total: Option<u64>) -> RunFigures {
        RunFigures {
            done,
            total,
            running: 32,
            retrying: 0,
            failed: 0,
            elapsed: Duration::from_secs(12),
        }
    }

    #[test]
    fn where_the_end_is_known_there_is_a_percentage_and_the_time_that_is_left() {
        assert_eq!(figures(120, Some(500)).in_words(), "120/500 24%, 32 running, 12s, ETA 38s");
        assert_eq!(figures(0, Some(500)).in_words(), "0/500 0%, 32 running, 12s");
        assert_eq!(figures(0, Some(0)).position(), "0/0 100%");
        assert_eq!(figures(999, Some(1000)).position(), "999/1000 99%");
        assert_eq!(figures(29, Some(50)).position(), "29/50 58%");
    }

    #[test]
    fn where_it_is_not_known_there_is_the_rate() {
        let failed = RunFigures { retrying: 1, failed: 3, ..figures(60, None) };
        assert_eq!(failed.in_words(), "60 done, 5.0/s, 32 running, 1 to retry, 3 failed, 12s");
        assert_eq!(figures(1200, None).position(), "1200 done, 100/s");
    }

    proptest! {
        #[test]
        fn any_figures_have_words(done: u64, total: Option<u64>, seconds: u64) {
            let elapsed = Duration::from_secs(seconds);
            let words = RunFigures { elapsed, ..figures(done, total) }.in_words();
            prop_assert!(!words.contains("NaN") && !words.contains("inf"), "{words}");
        }
    }
}
