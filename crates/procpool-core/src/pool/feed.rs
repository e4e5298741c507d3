//! The channel of jobs from the feeder to the run, and what a halted run may still expect of it.
//! Knows nothing of what a job is or when one is wanted.
//! The thread that pulls jobs from the caller's iterator.
//! Knows nothing of slots: it waits where the feed has no room.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, SendError, Sender, TryRecvError, TrySendError, bounded};

use crate::data::error::Error;
use crate::data::limit::Limit;
use crate::halt::{Halt, HaltSignal};
use crate::pool::thread_budget::start_patiently;

/// The feeder's end. When it is dropped without [`end`](FeedSender::end), the iterator panicked, or the run was
/// halted and nobody knows how much was left.
pub(crate) struct FeedSender<J> {
    channel: Sender<FeedItem<J>>,
    room: Receiver<()>,
    hand: JobInHand,
}

/// The run's end.
pub(crate) struct Feed<J> {
    channel: Receiver<FeedItem<J>>,
    /// Holds a word once there is room for half of what the channel holds: a feeder that was woken for each single
    /// job would cost as much as the job's start.
    room: Sender<()>,
    hand: JobInHand,
    state: FeederState,
    /// Until when a halted run waits for more; see [`PATIENCE`].
    patience: Option<Instant>,
}

/// What comes through.
pub(crate) enum FeedItem<J> {
    Job(J),
    End,
}

/// What was ready to be taken.
pub(crate) enum FeedPoll<J> {
    Job(J),
    /// Nothing is, now.
    Nothing,
    End,
    /// The feeder is gone, and has not said that this was the end.
    Gone,
}

/// How things stand between the run and the thread that pulls its jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FeederState {
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
struct JobInHand(Arc<AtomicBool>);

/// How long a halted run in which nothing is left to do waits for a thread that may be inside the caller's
/// iterator. What it pulled before is waited for without end.
const PATIENCE: Duration = Duration::from_millis(100);

/// The same for a run that was told to end at once: somebody waits for the prompt.
const LITTLE_PATIENCE: Duration = Duration::from_millis(10);

/// A channel with room for as many jobs as the limit: the feeder blocks when it is full.
pub(crate) fn feed<J>(limit: Limit) -> (FeedSender<J>, Feed<J>) {
    let (giving, channel) = bounded(limit.get());
    let (room, waited_for) = bounded(1);
    let hand = JobInHand::default();
    let sender = FeedSender { channel: giving, room: waited_for, hand: hand.clone() };
    (
        sender,
        Feed {
            channel,
            room,
            hand,
            state: FeederState::Open,
            patience: None,
        },
    )
}

impl<J> FeedSender<J> {
    /// Hands a job over, waiting for room. Fails where the run is over.
    pub(crate) fn give(&self, job: J) -> Result<(), SendError<()>> {
        self.hand.0.store(true, Ordering::Release);
        let given = self.send(FeedItem::Job(job));
        self.hand.0.store(false, Ordering::Release);
        given
    }

    /// There are no more jobs.
    pub(crate) fn end(&self) {
        // Fails where the run is over.
        let _ = self.send(FeedItem::End);
    }

    fn send(&self, mut pulled: FeedItem<J>) -> Result<(), SendError<()>> {
        loop {
            pulled = match self.channel.try_send(pulled) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Full(pulled)) => pulled,
                Err(TrySendError::Disconnected(_)) => return Err(SendError(())),
            };
            // Whoever has taken half of it since then has left a word already.
            self.room.recv().map_err(|_| SendError(()))?;
        }
    }
}

impl<J> Feed<J> {
    /// What to wait at for the next job. Nothing is taken there, but by [`take`](Feed::take): jobs are counted in the order
    /// in which they come.
    pub(crate) fn incoming(&self) -> Receiver<FeedItem<J>> {
        self.channel.clone()
    }

    /// Takes what is ready.
    pub(crate) fn take(&mut self) -> FeedPoll<J> {
        let taken = match self.channel.try_recv() {
            Ok(FeedItem::Job(job)) => FeedPoll::Job(job),
            Ok(FeedItem::End) => FeedPoll::End,
            Err(TryRecvError::Empty) => return FeedPoll::Nothing,
            Err(TryRecvError::Disconnected) => FeedPoll::Gone,
        };
        if matches!(taken, FeedPoll::End | FeedPoll::Gone) {
            self.state = FeederState::Over;
        } else if self.channel.len() <= self.channel.capacity().unwrap_or(0) / 2 {
            // It fails where a word is there already, or the feeder has gone.
            let _ = self.room.try_send(());
        }
        taken
    }

    pub(crate) fn state(&self) -> FeederState {
        self.state
    }

    /// From now on nothing else is waited for: says when it is time to [`give_up_waiting`](Feed::give_up_waiting).
    pub(crate) fn last_wait(&mut self, halt: Halt) -> Instant {
        let patience = if halt == Halt::Kill { LITTLE_PATIENCE } else { PATIENCE };
        *self.patience.get_or_insert_with(|| Instant::now() + patience)
    }

    /// Gives the feeder up where it is inside the caller's iterator; else waits on.
    pub(crate) fn give_up_waiting(&mut self) {
        if !self.hand.0.load(Ordering::Acquire) && self.channel.is_empty() {
            self.state = FeederState::Abandoned;
        }
        self.patience = None;
    }
}

/// The iterator may block for ever (it may read a terminal), so it has a thread to itself, and nobody
/// waits for that thread but once it is known to be out of the iterator.
pub(crate) struct Feeder {
    thread: JoinHandle<()>,
}

impl Feeder {
    /// Gives what `jobs` yields until it ends, the run is halted or over.
    pub(crate) fn start<J: Send + 'static>(
        jobs: impl Iterator<Item = J> + Send + 'static,
        sender: FeedSender<J>,
        halt_signal: Arc<HaltSignal>,
    ) -> Result<Feeder, Error> {
        let pull = move || {
            // Dropped last, after the iterator: who sees it gone may join.
            let sender = sender;
            for job in jobs {
                // The job first: once pulled it has to come back, halted or not.
                if sender.give(job).is_err() || halt_signal.halt() != Halt::GoOn {
                    return;
                }
            }
            sender.end();
        };
        let thread = start_patiently("procpool-feed", pull);
        let thread = thread.map_err(|error| Error::resource("a thread that pulls jobs", error))?;
        Ok(Feeder { thread })
    }

    /// Waits for the thread, which is out of the iterator; a panic of that comes back.
    pub(crate) fn join(self) -> Result<(), Box<dyn Any + Send>> {
        self.thread.join()
    }
}
