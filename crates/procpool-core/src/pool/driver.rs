//! The driver's end of a run whose jobs run elsewhere: the driver reports events and is told how far to stop.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, never, select};

use crate::halt::{Halt, HaltSignal};
use crate::outcome::event::Event;
use crate::outcome::snapshot::Snapshot;
use crate::pool::handle::Control;
use crate::pool::message::Message;

/// Drives a run whose jobs run elsewhere, see [`Run::driven`](crate::Run::driven).
///
/// While it [waits](Driver::wait) or [tells](Driver::tell), it answers the run's [handles](crate::Handle) with the
/// snapshot that its owner maintains in `standing`.
pub struct Driver<W> {
    /// The state of the run, as reported by its handles.
    pub standing: Snapshot,
    events: Sender<Message<W>>,
    control: Receiver<Control>,
    halt_signal: Arc<HaltSignal>,
    last: Arc<OnceLock<Snapshot>>,
}

/// The channels between a driver and its run.
pub(super) struct DriverChannels<W> {
    pub(super) events: Sender<Message<W>>,
    pub(super) control: Receiver<Control>,
    pub(super) halt_signal: Arc<HaltSignal>,
    pub(super) last: Arc<OnceLock<Snapshot>>,
}

impl<W> Driver<W> {
    pub(super) fn new(standing: Snapshot, lines: DriverChannels<W>) -> Driver<W> {
        let DriverChannels { events, control, halt_signal, last } = lines;
        Driver { standing, events, control, halt_signal, last }
    }

    /// How far the run has been told to stop, by a handle or by its driver.
    #[must_use]
    pub fn halted(&self) -> Halt {
        self.halt_signal.halt()
    }

    /// Halts the run, as a handle does.
    pub fn halt(&self, halt: Halt) {
        self.halt_signal.raise(halt);
    }

    /// Reports an event to the caller, waiting for room.
    pub fn tell(&mut self, event: Event<W>) {
        self.send(Message::Event(event));
    }

    fn send(&mut self, message: Message<W>) {
        let mut message = Some(message);
        while message.is_some() {
            select! {
                // The message is taken only when there is room. The send fails if the run was dropped.
                send(self.events, message.take().expect("BUG: sent twice")) -> sent => drop(sent),
                recv(self.control) -> control => self.obey(control.ok()),
            }
        }
    }

    /// Waits for this long, or until the halt level rises.
    pub fn wait(&mut self, at_most: Duration) {
        let until = Instant::now() + at_most;
        let halted = self.halted();
        while self.halted() == halted {
            match self.control.recv_deadline(until) {
                Ok(control) => self.obey(Some(control)),
                Err(RecvTimeoutError::Timeout) => return,
                Err(RecvTimeoutError::Disconnected) => self.obey(None),
            }
        }
    }

    fn obey(&mut self, control: Option<Control>) {
        match control {
            // The loop checks the halt level.
            Some(Control::Halted) => {}
            // Fails if the asker is gone.
            Some(Control::Snapshot(reply)) => drop(reply.send(self.standing.clone())),
            // All handles are gone, even that of the run, which was leaked. No more messages will come.
            None => self.control = never(),
        }
    }
}

impl<W> Drop for Driver<W> {
    fn drop(&mut self) {
        // Set before the channels to the handles are dropped: a handle without an answer reads this.
        let _ = self.last.set(self.standing.clone());
    }
}
