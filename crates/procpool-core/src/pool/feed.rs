//! The thread that pulls jobs from the caller's iterator, its channel to the run, and what a halted run still waits for.
//!
//! The iterator may block forever. So only the feeder thread waits for it, and a run that ends leaves behind a feeder that is
//! inside the iterator.

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

/// The feeder's end. If it is dropped without [`end`](FeedSender::end), the iterator panicked, or the run was halted
/// and the number of jobs left is unknown.
pub(crate) struct FeedSender<J> {
    channel: Sender<FeedItem<J>>,
    room: Receiver<()>,
    holds_job: JobInHand,
}

/// The run's end.
pub(crate) struct Feed<J> {
    channel: Receiver<FeedItem<J>>,
    /// Signalled when half of the channel is empty: waking the feeder for each single job would cost as much as
    /// starting the job.
    room: Sender<()>,
    holds_job: JobInHand,
    state: FeederState,
    /// Until when a halted run waits for more jobs; see [`PATIENCE`].
    patience: Option<Instant>,
}

/// What the feeder sends.
pub(crate) enum FeedItem<J> {
    Job(J),
    End,
}

/// The result of [`Feed::take`].
pub(crate) enum FeedPoll<J> {
    Job(J),
    /// No job is ready.
    Nothing,
    End,
    /// The feeder is gone without having sent the end.
    Gone,
}

/// The state of the thread that pulls jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FeederState {
    /// More may come.
    Open,
    /// No more jobs come: the thread is done with the caller's iterator.
    Over,
    /// The run is over while the thread is inside the caller's iterator. What that still returns is dropped.
    Abandoned,
}

/// Whether the feeder holds a job that it has pulled but not handed over. It may wait for room or for a processor, so
/// there is no limit on waiting for it. Between the iterator's return and setting this flag there are two instructions: a
/// thread that is preempted there for [`PATIENCE`] counts as inside the iterator.
#[derive(Clone, Default)]
struct JobInHand(Arc<AtomicBool>);

/// How long a halted run without any other work waits for a thread that may be inside the caller's iterator. A job
/// that was pulled before is waited for without limit.
const PATIENCE: Duration = Duration::from_millis(100);

/// The same for a run that is killed: somebody waits for the prompt.
const LITTLE_PATIENCE: Duration = Duration::from_millis(10);

/// Creates the channel. It has room for `limit` jobs; the feeder blocks when it is full.
pub(crate) fn feed<J>(limit: Limit) -> (FeedSender<J>, Feed<J>) {
    let (giving, channel) = bounded(limit.get());
    let (room, waited_for) = bounded(1);
    let holds_job = JobInHand::default();
    let sender = FeedSender {
        channel: giving,
        room: waited_for,
        holds_job: holds_job.clone(),
    };
    (
        sender,
        Feed {
            channel,
            room,
            holds_job,
            state: FeederState::Open,
            patience: None,
        },
    )
}

impl<J> FeedSender<J> {
    /// Hands a job over, waiting for room. Fails if the run is over.
    pub(crate) fn give(&self, job: J) -> Result<(), SendError<()>> {
        self.holds_job.0.store(true, Ordering::Release);
        let sent = self.send(FeedItem::Job(job));
        self.holds_job.0.store(false, Ordering::Release);
        sent
    }

    /// Declares the end of the jobs.
    pub(crate) fn end(&self) {
        // Fails if the run is over.
        let _ = self.send(FeedItem::End);
    }

    fn send(&self, mut pulled: FeedItem<J>) -> Result<(), SendError<()>> {
        loop {
            pulled = match self.channel.try_send(pulled) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Full(pulled)) => pulled,
                Err(TrySendError::Disconnected(_)) => return Err(SendError(())),
            };
            // If half of it was taken since then, the signal is already there.
            self.room.recv().map_err(|_| SendError(()))?;
        }
    }
}

impl<J> Feed<J> {
    /// The receiver to wait at for the next job. Take it with [`take`](Feed::take) only, so that jobs are counted in
    /// input order.
    pub(crate) fn incoming(&self) -> Receiver<FeedItem<J>> {
        self.channel.clone()
    }

    /// Takes the next job if one is ready.
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
            // Fails if it is already signalled, or if the feeder is gone.
            let _ = self.room.try_send(());
        }
        taken
    }

    pub(crate) fn state(&self) -> FeederState {
        self.state
    }

    /// Called when there is nothing else to wait for: returns when to [`give_up_waiting`](Feed::give_up_waiting).
    pub(crate) fn last_wait(&mut self, halt: Halt) -> Instant {
        let patience = if halt == Halt::Kill { LITTLE_PATIENCE } else { PATIENCE };
        *self.patience.get_or_insert_with(|| Instant::now() + patience)
    }

    /// Abandons the feeder if it is inside the caller's iterator; else the run waits on.
    pub(crate) fn give_up_waiting(&mut self) {
        if !self.holds_job.0.load(Ordering::Acquire) && self.channel.is_empty() {
            self.state = FeederState::Abandoned;
        }
        self.patience = None;
    }
}

/// The feeder thread. It is joined only once it is known to have left the iterator, which may block forever (it may
/// read a terminal).
pub(crate) struct Feeder {
    thread: JoinHandle<()>,
}

impl Feeder {
    /// Hands over what `jobs` yields until it ends or the run is halted or over.
    pub(crate) fn start<J: Send + 'static>(
        jobs: impl Iterator<Item = J> + Send + 'static,
        sender: FeedSender<J>,
        halt_signal: Arc<HaltSignal>,
    ) -> Result<Feeder, Error> {
        let pull = move || {
            // Dropped last, after the iterator: once it is gone, the thread may be joined.
            let sender = sender;
            for job in jobs {
                // The job first: once pulled, it must be given back even if the run is halted.
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

    /// Joins the thread, which must have left the iterator. Returns a panic of the iterator.
    pub(crate) fn join(self) -> Result<(), Box<dyn Any + Send>> {
        self.thread.join()
    }
}
