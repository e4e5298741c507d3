//! Reports each failure as it happens, above the progress display, and counts failures for the display.

use std::time::{Duration, Instant};

use procpool_core::{Completion, End, NotStarted, Outcome};

use crate::job::work::Work;
use crate::run::sink::{Sink, Totals, Trouble};
use crate::terminal::colour::{Palette, paint};
use crate::terminal::progress::FailureCount;
use crate::terminal::screen;
use crate::terminal::shown;
use crate::terminal::text::shorten;
use crate::units::duration::prose;

/// Used only if there is a display. The closing summary lists failures in any case.
pub(crate) struct Failures {
    failed: FailureCount,
    pace: Pace,
    palette: Palette,
}

/// Limits how many lines are printed: a million failures must not push everything else off the screen.
struct Pace {
    second: Instant,
    said: u32,
    unsaid: u64,
}

/// What to print about a failure.
#[derive(Debug, PartialEq, Eq)]
enum Turn {
    /// Nothing now.
    Wait,
    /// The failure, and before it the number of failures that were not reported.
    Say { unsaid: u64 },
}

const MOST_IN_A_SECOND: u32 = 10;

impl Pace {
    fn new(now: Instant) -> Pace {
        Pace { second: now, said: 0, unsaid: 0 }
    }

    fn next(&mut self, now: Instant) -> Turn {
        if now.saturating_duration_since(self.second) >= Duration::from_secs(1) {
            self.second = now;
            self.said = 0;
        }
        if self.said == MOST_IN_A_SECOND {
            self.unsaid += 1;
            return Turn::Wait;
        }
        self.said += 1;
        Turn::Say { unsaid: std::mem::take(&mut self.unsaid) }
    }
}

impl Failures {
    pub(crate) fn new(failed: FailureCount, palette: Palette) -> Failures {
        Failures { failed, pace: Pace::new(Instant::now()), palette }
    }

    fn describe(&self, completion: &Completion<Work>, unsaid: u64) -> String {
        let key = shorten(&completion.key().to_string());
        let key = if key.is_empty() { "\"\"" } else { &key };
        let after =
            completion.outcome.ran().map_or_else(String::new, |ran| format!(", {}", prose(ran.elapsed)));
        let more = if unsaid > 0 { format!("and {unsaid} more failures\n") } else { String::new() };
        let outcome = shown::name(completion.outcome.to_string());
        let place = completion
            .node
            .as_ref()
            .map_or_else(String::new, |node| format!(", on {}", shown::name(&**node)));
        format!("{more}{} {key}: {outcome}{after}{place}\n", paint(self.palette.bad, "FAIL"))
    }
}

impl Sink for Failures {
    fn completed(&mut self, completion: &mut Completion<Work>) -> Result<(), Trouble> {
        let is_ours = match &completion.outcome {
            Outcome::Ran(ran) => matches!(ran.end, End::Stopped(_)),
            Outcome::NotStarted(reason) => matches!(reason, NotStarted::NeverReached),
            Outcome::Lost(_) => false,
        };
        if completion.outcome.is_success() || is_ours {
            return Ok(());
        }
        self.failed.note();
        // If no display has been shown yet, the summary comes soon enough.
        if screen::has_display() {
            if let Turn::Say { unsaid } = self.pace.next(Instant::now()) {
                screen::say(&self.describe(completion, unsaid));
            }
        }
        Ok(())
    }

    fn finish(&mut self, _: &Totals) -> Result<(), Trouble> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_ten_in_a_second_the_rest_is_counted() {
        let begin = Instant::now();
        let mut pace = Pace::new(begin);
        for _ in 0..MOST_IN_A_SECOND {
            assert_eq!(pace.next(begin), Turn::Say { unsaid: 0 });
        }
        for _ in 0..312 {
            assert_eq!(pace.next(begin + Duration::from_millis(999)), Turn::Wait);
        }
        assert_eq!(pace.next(begin + Duration::from_secs(1)), Turn::Say { unsaid: 312 });
        assert_eq!(pace.next(begin + Duration::from_secs(1)), Turn::Say { unsaid: 0 });
    }
}
