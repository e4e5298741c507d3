//! The run's remote control: any number of them, for any thread.
//! Knows nothing of how the run obeys.

use std::sync::{Arc, OnceLock};

use crossbeam_channel::{Sender, bounded};

use crate::data::status::Signal;
use crate::halt::{Halt, HaltSignal};
use crate::outcome::snapshot::Snapshot;

/// Says to a run when to stop, and asks it how it stands. Cheap to clone; works from any thread, also while
/// the [`Run`](crate::Run) is waited for, and does nothing once that is over.
#[derive(Clone, Debug)]
pub struct Handle {
    pub(crate) halt_signal: Arc<HaltSignal>,
    /// Unbounded, so that no caller ever blocks.
    pub(crate) control: Sender<Control>,
    /// How the run stood when it was over.
    pub(crate) last: Arc<OnceLock<Snapshot>>,
}

/// What the dispatcher is told.
pub(crate) enum Control {
    /// The brake was raised: look.
    Halted,
    /// Somebody wants to know how things stand.
    Snapshot(Sender<Snapshot>),
}

impl Handle {
    /// Starts nothing new; what runs may finish. What was pulled from the input and not started comes back
    /// as [`NotStarted::NeverReached`](crate::NotStarted::NeverReached), whatever the halt. Whether the input
    /// had more is in the last [`snapshot`](Handle::snapshot): then its pending is not `Exactly(0)`.
    pub fn drain(&self) {
        self.halt(Halt::Drain);
    }

    /// Starts nothing new and ends what runs: TERM, the grace time, KILL.
    pub fn stop(&self) {
        self.stop_with(Signal::TERM);
    }

    /// As [`stop`](Handle::stop), with another signal than TERM to begin with.
    pub fn stop_with(&self, signal: Signal) {
        self.halt(Halt::Stop(signal));
    }

    /// Starts nothing new and kills what runs at once.
    pub fn kill(&self) {
        self.halt(Halt::Kill);
    }

    /// How far the run has been told to stop.
    #[must_use]
    pub fn halted(&self) -> Halt {
        self.halt_signal.halt()
    }

    /// How the run stands now; how it stood at its end once that has come.
    ///
    /// # Panics
    /// Where the run broke down by a bug of its own; the run itself panics then too.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let (reply, answer) = bounded(1);
        // Where the run is over, the question or its answer is lost on the way.
        let _ = self.control.send(Control::Snapshot(reply));
        let answer = answer.recv().ok();
        answer.or_else(|| self.last.get().cloned()).expect("BUG: a run ended without a last wake")
    }

    fn halt(&self, halt: Halt) {
        self.halt_signal.raise(halt);
        // Fails where the run is over.
        let _ = self.control.send(Control::Halted);
    }
}
