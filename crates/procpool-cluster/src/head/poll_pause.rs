//! How often the engine is asked: less and less, as long as it has no news.
//! Knows nothing of what is asked.

use std::time::Duration;

use crate::plan::Settings;

/// How many answers in a row were no news.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PollPause(u32);

impl PollPause {
    pub(crate) fn answered(&mut self, is_news: bool) {
        self.0 = if is_news { 0 } else { self.0.saturating_add(1) };
    }

    /// Until the next question.
    pub(crate) fn pause(self, settings: &Settings) -> Duration {
        let longest = settings.poll_at_least_every.max(settings.poll_every);
        let factor = 1_u32.checked_shl(self.0.min(16)).unwrap_or(u32::MAX);
        settings.poll_every.saturating_mul(factor).min(longest)
    }
}
