//! The far end of a run whose jobs are run elsewhere: who drives it tells what happens, and hears how far it was halted.
//! Knows nothing of where jobs run, or how.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, never, select};

use crate::halt::{Halt, HaltSignal};
use crate::outcome::event::Event;
use crate::outcome::snapshot::Snapshot;
use crate::pool::handle::Control;
use crate::pool::message::Message;

/// Drives a run whose jobs are run elsewhere, see [`Run::driven`](crate::Run::driven).
///
/// It answers the run's [handles](crate::Handle) while it [waits](Driver::wait) or [tells](Driver::tell), out of
/// the snapshot that its owner keeps true.
pub struct Driver<W> {
    /// How the run stands, as far as its handles are told.
    pub standing: Snapshot,
    events: Sender<Message<W>>,
    control: Receiver<Control>,
    halt_signal: Arc<HaltSignal>,
    last: Arc<OnceLock<Snapshot>>,
}

/// What a driver is connected to.
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

    /// How far the run was told to stop, by a handle or by its driver.
    #[must_use]
    pub fn halted(&self) -> Halt {
        self.halt_signal.halt()
    }

    /// Halts the run, as a handle does.
    pub fn halt(&self, halt: Halt) {
        self.halt_signal.raise(halt);
    }

    /// Tells the caller what has happened, and waits until he has room for it.
    pub fn tell(&mut self, event: Event<W>) {
        self.send(Message::Event(event));
    }

    fn send(&mut self, message: Message<W>) {
        let mut message = Some(message);
        while message.is_some() {
            select! {
                // Evaluated only when there is room. It fails where the run was dropped: nobody wants to know.
                send(self.events, message.take().expect("BUG: sent twice")) -> sent => drop(sent),
                recv(self.control) -> control => self.obey(control.ok()),
            }
        }
    }

    /// Waits for so long, or until the run is halted further.
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
            // The brake itself is looked at.
            Some(Control::Halted) => {}
            // Fails where the asker has gone.
            Some(Control::Snapshot(reply)) => drop(reply.send(self.standing.clone())),
            // All handles are gone, that of the run included: it was leaked. Nobody will ever ask again.
            None => self.control = never(),
        }
    }
}

impl<W> Drop for Driver<W> {
    fn drop(&mut self) {
        // Before the channels to the handles are gone: who gets no answer looks here.
        let _ = self.last.set(self.standing.clone());
    }
}
