//! Tells a slow delivery from a stuck one: each write of output beats, and the watchdog that ends a stopped
//! run waits until no beat has come for a while.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// A counter of beats. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Heartbeat(Arc<AtomicU64>);

impl Heartbeat {
    pub(crate) fn beat(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns once `patience` has passed without a beat.
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
