//! A sign of life: whoever delivers output beats it, whoever waits for that can tell a slow delivery from a stuck one.
//! Knows nothing of what is delivered.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// Counts beats. Clones count together.
#[derive(Clone, Default)]
pub(crate) struct Heartbeat(Arc<AtomicU64>);

impl Heartbeat {
    pub(crate) fn beat(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns once no beat has come for this long.
    pub(crate) fn wait_until_silent(&self, patience: Duration) {
        let count = || self.0.load(Ordering::Relaxed);
        let mut before = count();
        loop {
            thread::sleep(patience);
            let now = count();
            if now == before {
                return;
            }
            before = now;
        }
    }
}
