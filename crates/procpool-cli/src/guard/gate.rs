//! Stops deliveries once the keeper is dead.
//!
//! Whatever ends after that was killed by us: its outcome is no result, and must be neither recorded nor
//! printed. Nor may this process exit before everything else is dead, because nobody would be left to kill
//! it. So whoever delivers or exits blocks here, until the thread that noticed the death (`link`) has killed
//! the jobs and then this process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use procpool_core::{Event, Handle, Run};

/// Open as long as the keeper lives. Clones share their state.
#[derive(Clone, Default)]
pub(crate) struct KeeperGate(Arc<GateState>);

#[derive(Default)]
struct GateState {
    is_watched: AtomicBool,
    is_closed: AtomicBool,
}

impl KeeperGate {
    /// Returns at once as long as the keeper lives, and never after its death.
    pub(crate) fn pass(&self) {
        while self.0.is_closed.load(Ordering::Acquire) {
            thread::park();
        }
    }

    /// From now on a thread waits for the keeper's death.
    pub(super) fn watch(&self) {
        self.0.is_watched.store(true, Ordering::Release);
    }

    /// Whether there is a thread that will notice the keeper's death, and kill everything.
    pub(super) fn is_watched(&self) -> bool {
        self.0.is_watched.load(Ordering::Acquire)
    }

    pub(super) fn close(&self) {
        self.0.is_closed.store(true, Ordering::Release);
    }
}

/// A run whose events stop at the keeper's death.
pub(crate) struct GatedRun<W> {
    pub(super) run: Run<W>,
    pub(super) gate: KeeperGate,
}

impl<W: Send + 'static> GatedRun<W> {
    pub(crate) fn handle(&self) -> Handle {
        self.run.handle()
    }

    /// The next event; `None` at the end of the run. Blocks forever once the keeper is dead.
    pub(crate) fn next_event(&mut self) -> Option<Event<W>> {
        let event = self.run.next_event();
        self.gate.pass();
        event
    }
}
