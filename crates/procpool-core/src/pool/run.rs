//! A run in its caller's hands: an iterator over completions that joins all threads of the run at its end.

use std::any::Any;
use std::iter::FusedIterator;
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::{fmt, panic};

use crossbeam_channel::{Receiver, bounded, never, select, unbounded};

use crate::data::command::Command;
use crate::data::error::Error;
use crate::data::job::Job;
use crate::data::limit::Limit;
use crate::halt::HaltSignal;
use crate::outcome::event::{Completion, Event};
use crate::outcome::snapshot::Snapshot;
use crate::pool::dispatcher::Dispatcher;
use crate::pool::driver::{Driver, DriverChannels};
use crate::pool::feed::{Feeder, FeederState, feed};
use crate::pool::gauge::Gauge;
use crate::pool::handle::Handle;
use crate::pool::message::{Message, StartEvents};
use crate::pool::state::{RunState, SharedState};
use crate::pool::thread_budget::start_patiently;
use crate::pool::worker::{LiveChannel, WorkerShared, WorkerThreads};
use crate::runner::{MovingTimeout, RunSignals, Runner};
use crate::schedule::Schedule;
use crate::schedule::policies::Policies;
use crate::spool::live::Live;

/// A run over a list of jobs: an iterator over completions as they happen, see [`Pool::run`](crate::Pool::run).
///
/// `next` blocks until a job has ended and returns `None` after the last one. A panic of the runner or of the iterator
/// of jobs resumes on the thread that calls it.
///
/// Dropping a run kills the process groups of running jobs at once and joins all threads; to end a run politely, call
/// [`Handle::stop`] and take the remaining completions. Only a thread that is inside the caller's own iterator of
/// jobs at that moment is not joined: it ends as soon as the iterator returns.
///
/// ```
/// use procpool_core::{Command, Job, Limit, Pool};
///
/// let jobs = (1..=100).map(|n| Job::new(n.to_string(), Command::new("test").args([n.to_string(), "-lt".into(), "7".into()])));
/// let mut run = Pool::new(Limit::new(1)?).run(jobs)?;
/// let failed = run.find(|done| !done.outcome.is_success()).expect("7 is not less than 7");
/// assert_eq!((failed.seq.get(), failed.outcome.to_string().as_str()), (7, "exit 1"));
/// drop(run); // the other 93 are not run
/// # Ok::<(), procpool_core::Error>(())
/// ```
pub struct Run<W = Command> {
    events: Receiver<Message<W>>,
    /// `None` if outputs are not followed, or if all writers are gone.
    live: Option<Receiver<Live>>,
    handle: Handle,
    /// `None` once joined.
    threads: Option<Threads>,
}

enum Threads {
    Pool { dispatcher: JoinHandle<FeederState>, feeder: Feeder },
    Driver(JoinHandle<()>),
}

/// The settings of a run besides its runner and its jobs.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) limit: Limit,
    pub(crate) policies: Policies,
    pub(crate) starts: StartEvents,
    pub(crate) outputs: OutputEvents,
}

/// Whether outputs are reported while jobs run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum OutputEvents {
    #[default]
    AtTheEnd,
    Followed,
}

/// Starts a run: creates its channels and threads.
pub(crate) fn start<R: Runner>(
    settings: Settings,
    runner: Arc<R>,
    jobs: impl Iterator<Item = Job<R::Work>> + Send + 'static,
) -> Result<Run<R::Work>, Error> {
    let Settings { limit, policies, starts, outputs } = settings;
    let halt_signal = HaltSignal::new().map_err(|error| Error::resource("descriptors", error))?;
    let halt_signal = Arc::new(halt_signal);
    let gauge = Gauge::new(policies.admission)?;
    let timeout = policies.timeout_percent.map(|_| Arc::new(MovingTimeout::new()));
    let signals = RunSignals {
        halt_signal: Arc::clone(&halt_signal),
        timeout: timeout.clone(),
    };
    // Both are bounded by the limit: when they are full, the feeder or the workers block.
    let (sender, feed) = feed(limit);
    let (events, receiver) = bounded(limit.get());
    let (live, live_receiver) = match outputs {
        OutputEvents::AtTheEnd => (None, None),
        // At most one notification of each output is unacknowledged.
        OutputEvents::Followed => {
            let (channel, receiver) = unbounded();
            (Some(LiveChannel { channel, retries: policies.retries.count() }), Some(receiver))
        }
    };
    let (control, controlled) = unbounded();
    let handle = Handle {
        halt_signal: Arc::clone(&halt_signal),
        control,
        last: Arc::new(OnceLock::new()),
    };
    let incoming = feed.incoming();
    let schedule = Schedule::new(limit, exact_length(&jobs), policies);
    let state = Arc::new(SharedState::new(RunState {
        schedule,
        gauge,
        timeout,
        halt_signal: Arc::clone(&halt_signal),
        feed,
    }));
    let shared = WorkerShared {
        runner,
        signals,
        state: Arc::clone(&state),
        starts,
        live,
        events: events.clone(),
    };
    let dispatcher = Dispatcher {
        state,
        starts,
        workers: WorkerThreads::new(limit, shared)?,
        control: controlled,
        incoming,
        events,
        last: Arc::clone(&handle.last),
    };
    let dispatcher = start_patiently("procpool-run", || dispatcher.run());
    let dispatcher = dispatcher.map_err(|error| Error::resource("a thread", error))?;
    // Last, so that no job has been pulled if something could not be created: the dispatcher then takes the
    // dropped feed for the end of the input, and ends.
    let feeder = Feeder::start(jobs, sender, halt_signal)?;
    Ok(Run {
        events: receiver,
        live: live_receiver,
        handle,
        threads: Some(Threads::Pool { dispatcher, feeder }),
    })
}

fn exact_length(jobs: &impl Iterator) -> Option<u64> {
    match jobs.size_hint() {
        (least, Some(most)) if least == most => Some(least as u64),
        _ => None,
    }
}

impl<W: Send + 'static> Run<W> {
    /// A run whose jobs run elsewhere. `drive` runs on a thread of its own, reports events by its [`Driver`], and ends
    /// the run by returning. It must obey [`Driver::halted`], and must do so quickly for [`Halt::Kill`](crate::Halt::Kill),
    /// because dropping the run waits for it.
    ///
    /// ```
    /// use procpool_core::{Command, Completion, End, Event, Job, Limit, Ran, Run, Status};
    ///
    /// let run = Run::driven(Limit::new(4)?, |driver| {
    ///     for position in 1..=2 {
    ///         let job = Job::new(position.to_string(), Command::new("true")).position(position);
    ///         let outcome = Ran::new(End::Itself(Status::Exited(0))).into();
    ///         let done = Completion::recorded(job, 1, 1, outcome).expect("position and slot are not 0");
    ///         driver.standing.completed += 1;
    ///         driver.tell(Event::Completed(done));
    ///     }
    /// })?;
    /// assert_eq!(run.map(|done| done.seq.get()).collect::<Vec<_>>(), [1, 2]);
    /// # Ok::<(), procpool_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the system has no thread or descriptor for it.
    pub fn driven(
        limit: Limit,
        drive: impl FnOnce(&mut Driver<W>) + Send + 'static,
    ) -> Result<Run<W>, Error> {
        let halt_signal = HaltSignal::new().map_err(|error| Error::resource("descriptors", error))?;
        let halt_signal = Arc::new(halt_signal);
        let (events, receiver) = bounded(limit.get());
        let (control, controlled) = unbounded();
        let last = Arc::new(OnceLock::new());
        let handle = Handle {
            halt_signal: Arc::clone(&halt_signal),
            control,
            last: Arc::clone(&last),
        };
        let lines = DriverChannels { events, control: controlled, halt_signal, last };
        let mut driver = Driver::new(Snapshot::of(limit), lines);
        let thread = start_patiently("procpool-run", move || drive(&mut driver));
        let thread = thread.map_err(|error| Error::resource("a thread", error))?;
        Ok(Run {
            events: receiver,
            live: None,
            handle,
            threads: Some(Threads::Driver(thread)),
        })
    }
}

impl<W> Run<W> {
    /// A handle of this run.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Waits for the next event: a completion, or a failed attempt that is followed by another; also starts, if the pool
    /// [announces](crate::Pool::announce_starts) them, and writes, if outputs are
    /// [followed](crate::Pool::follow_outputs). `None` after the last.
    ///
    /// Iterating over completions skips all other events.
    ///
    /// ```
    /// use procpool_core::{Command, Event, Job, Limit, Pool, Retries};
    ///
    /// let jobs = [Job::new("unlucky", Command::new("false"))];
    /// let mut run = Pool::new(Limit::new(1)?).retries(Retries::new(1)).run(jobs)?;
    /// let Some(Event::Retried(first)) = run.next_event() else { panic!("it is tried again") };
    /// assert_eq!((first.attempt, first.outcome.status()), (1, Some(1)));
    /// let Some(Event::Completed(second)) = run.next_event() else { panic!("and that is all") };
    /// assert_eq!((second.attempt, second.outcome.status()), (2, Some(1)));
    /// assert!(run.next_event().is_none());
    /// # Ok::<(), procpool_core::Error>(())
    /// ```
    pub fn next_event(&mut self) -> Option<Event<W>> {
        let message = match &self.live {
            None => self.events.recv(),
            Some(channel) => select! {
                recv(self.events) -> message => message,
                recv(channel) -> live => match live {
                    Ok(live) => return Some(Event::Wrote(live)),
                    Err(_) => {
                        self.live = None;
                        self.events.recv()
                    }
                },
            },
        };
        let outcome = match message {
            Ok(Message::Event(event)) => return Some(event),
            Ok(Message::Panicked(panic)) => Err(panic),
            Err(_) => self.join(),
        };
        match outcome {
            Ok(()) => None,
            Err(panic) => panic::resume_unwind(panic),
        }
    }

    /// Joins all threads that are not inside the caller's iterator, and returns the panic of one of them.
    fn join(&mut self) -> Result<(), Box<dyn Any + Send>> {
        match self.threads.take() {
            Some(Threads::Pool { dispatcher, feeder }) => match dispatcher.join()? {
                FeederState::Open | FeederState::Over => feeder.join(),
                // Inside the caller's iterator: it ends by itself as soon as the iterator returns.
                FeederState::Abandoned => Ok(()),
            },
            Some(Threads::Driver(driver)) => driver.join(),
            None => Ok(()),
        }
    }
}

impl<W> Iterator for Run<W> {
    type Item = Completion<W>;

    fn next(&mut self) -> Option<Completion<W>> {
        loop {
            if let Event::Completed(completion) = self.next_event()? {
                return Some(completion);
            }
        }
    }
}

impl<W> FusedIterator for Run<W> {}

impl<W> Drop for Run<W> {
    fn drop(&mut self) {
        self.handle.kill();
        // A worker may be waiting for room in this channel.
        self.events = never();
        // Nobody is left to receive a panic; and if this thread panics already, a second panic aborts.
        let _ = self.join();
    }
}

impl<W> fmt::Debug for Run<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("halted", &self.handle.halted()).finish_non_exhaustive()
    }
}
