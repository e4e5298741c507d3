//! The channel of jobs from the feeder to the dispatcher, and what a halted run may still expect of it.
//! Knows nothing of what a job is or when one is wanted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, SendError, Sender, at, bounded};

use crate::halt::Halt;
use crate::limit::Limit;

/// The feeder's end. When it is dropped without [`end`](Giver::end), the iterator panicked, or the run was
/// halted and nobody knows how much was left.
pub(crate) struct Giver<J> {
    channel: Sender<Pulled<J>>,
    hand: Hand,
}

/// The dispatcher's end.
pub(crate) struct Feed<J> {
    channel: Receiver<Pulled<J>>,
    hand: Hand,
    state: Feeding,
    /// Until when a halted run waits for more; see [`PATIENCE`].
    patience: Option<Instant>,
}

/// What comes through.
pub(crate) enum Pulled<J> {
    Job(J),
    End,
}

/// How things stand between the run and the thread that pulls its jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Feeding {
    /// More may come.
    Open,
    /// Nothing more comes: the thread is done with the caller's iterator.
    Over,
    /// The run is over and the thread was still inside the caller's iterator. What comes out is dropped.
    Abandoned,
}

/// Whether the feeder holds a job that it pulled and has not handed over. It may have to wait for room, or
/// for a processor, so that no time is too long to wait for it. Between the iterator's return and the note of
/// it lie two instructions: a thread that gets no processor just there for [`PATIENCE`] counts as inside.
#[derive(Clone, Default)]
struct Hand(Arc<AtomicBool>);

/// How long a halted run in which nothing is left to do waits for a thread that may be inside the caller's
/// iterator. What it pulled before is waited for without end.
const PATIENCE: Duration = Duration::from_millis(100);

/// The same for a run that was told to end at once: somebody waits for the prompt.
const LITTLE_PATIENCE: Duration = Duration::from_millis(10);

/// A channel with room for as many jobs as the limit: the feeder blocks when it is full.
pub(crate) fn feed<J>(limit: Limit) -> (Giver<J>, Feed<J>) {
    let (giving, channel) = bounded(limit.get());
    let hand = Hand::default();
    let giver = Giver { channel: giving, hand: hand.clone() };
    (giver, Feed { channel, hand, state: Feeding::Open, patience: None })
}

impl<J> Giver<J> {
    /// Hands a job over, waiting for room. Fails where the run is over.
    pub(crate) fn give(&self, job: J) -> Result<(), SendError<()>> {
        self.hand.0.store(true, Ordering::Release);
        let given = self.channel.send(Pulled::Job(job));
        self.hand.0.store(false, Ordering::Release);
        given.map_err(|_| SendError(()))
    }

    /// There are no more jobs.
    pub(crate) fn end(&self) {
        // Fails where the run is over.
        let _ = self.channel.send(Pulled::End);
    }
}

impl<J> Feed<J> {
    /// What to wait at for the next job: `None` once there can't be one.
    pub(crate) fn incoming(&self) -> Option<&Receiver<Pulled<J>>> {
        (self.state == Feeding::Open).then_some(&self.channel)
    }

    pub(crate) fn state(&self) -> Feeding {
        self.state
    }

    /// Nothing more comes.
    pub(crate) fn close(&mut self) {
        self.state = Feeding::Over;
    }

    /// From now on nothing else is waited for: comes up when it is time to
    /// [`lose_patience`](Feed::lose_patience).
    pub(crate) fn last_wait(&mut self, halt: Halt) -> Receiver<Instant> {
        let patience = if halt == Halt::Kill { LITTLE_PATIENCE } else { PATIENCE };
        at(*self.patience.get_or_insert_with(|| Instant::now() + patience))
    }

    /// Gives the feeder up where it is inside the caller's iterator; else waits on.
    pub(crate) fn lose_patience(&mut self) {
        if !self.hand.0.load(Ordering::Acquire) && self.channel.is_empty() {
            self.state = Feeding::Abandoned;
        }
        self.patience = None;
    }
}
