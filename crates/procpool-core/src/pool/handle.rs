//! The handle of a run: halts it, and asks for its state, from any thread.

use std::sync::{Arc, OnceLock};

use crossbeam_channel::{Sender, bounded};

use crate::data::status::Signal;
use crate::halt::{Halt, HaltSignal};
use crate::outcome::snapshot::Snapshot;

/// Halts a run and reports its state. Cheap to clone; works from any thread, also while another thread waits for the
/// [`Run`](crate::Run). Does nothing once the run is over.
#[derive(Clone, Debug)]
pub struct Handle {
    pub(crate) halt_signal: Arc<HaltSignal>,
    /// Unbounded, so that no caller blocks.
    pub(crate) control: Sender<Control>,
    /// The final snapshot of the run.
    pub(crate) last: Arc<OnceLock<Snapshot>>,
}

/// A message to the dispatcher.
pub(crate) enum Control {
    /// The halt level was raised.
    Halted,
    /// A request for the state of the run.
    Snapshot(Sender<Snapshot>),
}

impl Handle {
    /// Starts nothing new; lets running jobs finish. After a halt, jobs that were pulled from the input but not started
    /// come back as [`NotStarted::NeverReached`](crate::NotStarted::NeverReached). If the input had more jobs, the
    /// pending count of the last [`snapshot`](Handle::snapshot) is not `Exactly(0)`.
    pub fn drain(&self) {
        self.halt(Halt::Drain);
    }

    /// Starts nothing new and ends running jobs by TERM, the grace time, KILL.
    pub fn stop(&self) {
        self.stop_with(Signal::TERM);
    }

    /// As [`stop`](Handle::stop), with this signal instead of TERM.
    pub fn stop_with(&self, signal: Signal) {
        self.halt(Halt::Stop(signal));
    }

    /// Starts nothing new and kills running jobs at once.
    pub fn kill(&self) {
        self.halt(Halt::Kill);
    }

    /// How far the run has been told to stop.
    #[must_use]
    pub fn halted(&self) -> Halt {
        self.halt_signal.halt()
    }

    /// The state of the run, or its final state if it is over.
    ///
    /// # Panics
    /// If the run broke down because of a bug in this crate; the run itself panics then too.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let (reply, answer) = bounded(1);
        // If the run is over, the request or its answer is lost.
        let _ = self.control.send(Control::Snapshot(reply));
        let answer = answer.recv().ok();
        answer.or_else(|| self.last.get().cloned()).expect("BUG: a run ended without a last word")
    }

    fn halt(&self, halt: Halt) {
        self.halt_signal.raise(halt);
        // Fails if the run is over.
        let _ = self.control.send(Control::Halted);
    }
}
