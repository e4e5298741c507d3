//! The pause between two questions to the engine, which grows while there is no news.

use std::time::Duration;

use crate::plan::Settings;

/// How many answers in a row had no news.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PollPause(u32);

impl PollPause {
    pub(crate) fn answered(&mut self, is_news: bool) {
        self.0 = if is_news { 0 } else { self.0.saturating_add(1) };
    }

    /// The pause before the next question.
    pub(crate) fn pause(self, settings: &Settings) -> Duration {
        let longest = settings.poll_at_least_every.max(settings.poll_every);
        let factor = 1_u32.checked_shl(self.0.min(16)).unwrap_or(u32::MAX);
        settings.poll_every.saturating_mul(factor).min(longest)
    }
}
