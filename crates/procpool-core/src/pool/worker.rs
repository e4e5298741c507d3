//! The workers: threads that run jobs, report their outcomes and take the next job themselves. There are as many as are
//! needed, up to one for each slot.

use std::any::Any;
use std::ops::ControlFlow;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use crate::data::error::Error;
use crate::data::limit::Limit;
use crate::halt::Halt;
use crate::outcome::{NotStarted, Outcome};
use crate::pool::message::{Message, StartEvents};
use crate::pool::state::{SharedState, SlotAction};
use crate::pool::thread_budget::{ShortageResponse, ThreadBudget, start_patiently};
use crate::runner::{Context, RunSignals, Runner};
use crate::schedule::Start;
use crate::spool::live::{Live, OutputNotifier};
use crate::sys;

/// The worker threads of a run, and the channel to them.
///
/// The channel is bounded by the limit. There are never more jobs than that between `assign` and their end, so it
/// is never full and no send blocks.
pub(crate) struct WorkerThreads<R: Runner> {
    worker: Worker<R>,
    jobs: Sender<Start<R::Work>>,
    wakes: Receiver<()>,
    given_back: Receiver<Start<R::Work>>,
    threads: Vec<JoinHandle<()>>,
}

impl<R: Runner> WorkerThreads<R> {
    /// Starts the first worker; others are started as they are needed.
    pub(crate) fn new(limit: Limit, shared: WorkerShared<R>) -> Result<WorkerThreads<R>, Error> {
        let (jobs, taken) = bounded(limit.get());
        let (wake, wakes) = bounded(1);
        // Holds at most one job of each worker.
        let (giving_back, given_back) = unbounded();
        let worker = Worker {
            shared,
            budget: Arc::new(Mutex::new(ThreadBudget::new(most_threads(limit)))),
            dispatcher: DispatcherChannels { jobs: taken, wake, given_back: giving_back },
        };
        let first = worker.start_first().map_err(|error| Error::resource("a worker thread", error))?;
        Ok(WorkerThreads { worker, jobs, wakes, given_back, threads: vec![first] })
    }

    /// Hands a job to a free worker. `running` is the number of running jobs, including this one.
    pub(crate) fn assign(&mut self, start: Start<R::Work>, running: usize) {
        let now = Instant::now();
        if self.worker.budget().admit_another(running, now) {
            match self.worker.start(self.threads.len() + 1) {
                Ok(thread) => self.threads.push(thread),
                // The job waits for one of the existing workers.
                Err(_) => self.worker.budget().thread_refused(now),
            }
        }
        self.assign_again(start);
    }

    /// Hands out a job again that a leaving worker gave back.
    pub(crate) fn assign_again(&mut self, start: Start<R::Work>) {
        assert!(self.jobs.try_send(start).is_ok(), "BUG: more jobs under way than the limit");
    }

    /// Signalled by a worker when there may be something to do.
    pub(crate) fn wakes(&self) -> &Receiver<()> {
        &self.wakes
    }

    /// Jobs that leaving workers gave back.
    pub(crate) fn given_back(&self) -> &Receiver<Start<R::Work>> {
        &self.given_back
    }

    /// Lets the workers end, and joins them.
    pub(crate) fn dismiss(self) {
        drop(self.jobs);
        for thread in self.threads {
            // Workers catch the panics of their runner, so there is no panic to handle here.
            let _ = thread.join();
        }
    }
}

/// Up to this many threads are started without asking what the machine can hold.
const FEW: usize = 1000;

fn most_threads(limit: Limit) -> usize {
    match limit.get() {
        few @ ..=FEW => few,
        many => many.min(sys::most_threads().max(FEW)),
    }
}

/// If memory is limited, another worker is started only if this much memory is left, plus `HELD` for each existing worker: for
/// output of a job before it goes to a file, and for completions that wait for the caller.
const LEFT: usize = 8 << 20;
const HELD: usize = 256 << 10;

/// A worker thread.
pub(crate) struct Worker<R: Runner> {
    pub(crate) shared: WorkerShared<R>,
    pub(crate) budget: Arc<Mutex<ThreadBudget>>,
    pub(crate) dispatcher: DispatcherChannels<R::Work>,
}

/// What all workers share.
pub(crate) struct WorkerShared<R: Runner> {
    pub(crate) runner: Arc<R>,
    pub(crate) signals: RunSignals,
    pub(crate) state: Arc<SharedState<R::Work>>,
    pub(crate) starts: StartEvents,
    /// `None` if outputs are not followed.
    pub(crate) live: Option<LiveChannel>,
    /// To the caller.
    pub(crate) events: Sender<Message<R::Work>>,
}

/// The channels between a worker and the dispatcher.
pub(crate) struct DispatcherChannels<W> {
    /// Jobs from the dispatcher.
    pub(crate) jobs: Receiver<Start<W>>,
    /// Wakes the dispatcher, because there may be something to do. One pending wake-up is enough.
    pub(crate) wake: Sender<()>,
    /// Jobs that the machine had no room for, given back by workers that leave to make room.
    pub(crate) given_back: Sender<Start<W>>,
}

/// Where written output is reported.
#[derive(Clone)]
pub(crate) struct LiveChannel {
    pub(crate) channel: Sender<Live>,
    /// The number of retries of jobs without a number of their own.
    pub(crate) retries: u32,
}

impl LiveChannel {
    fn notifier_for<W>(&self, start: &Start<W>) -> OutputNotifier {
        let further = start.job.retries.unwrap_or(self.retries);
        OutputNotifier {
            channel: self.channel.clone(),
            key: start.job.key.clone(),
            attempts_left: further.saturating_sub(start.attempt - 1),
        }
    }
}

/// The result of a job that a worker took.
enum AttemptResult {
    Done(Outcome),
    /// The runner panicked.
    Panicked(Box<dyn Any + Send>),
    /// The machine had no room for it, and the worker leaves to make room.
    GivenBack,
}

impl<R: Runner> Worker<R> {
    /// Starts the first worker, without which there is no run.
    pub(crate) fn start_first(&self) -> std::io::Result<JoinHandle<()>> {
        let worker = self.clone();
        let thread = start_patiently("procpool-1", move || {
            let _ = worker.work();
        })?;
        self.budget().join();
        Ok(thread)
    }

    /// Starts another worker.
    pub(crate) fn start(&self, number: usize) -> std::io::Result<JoinHandle<()>> {
        let worker = self.clone();
        let work = move || {
            let _ = worker.work();
        };
        if !sys::thread_has_room(LEFT + self.budget().present() * HELD) {
            return Err(std::io::Error::from_raw_os_error(libc::ENOMEM));
        }
        let thread = thread::Builder::new().name(format!("procpool-{number}")).spawn(work)?;
        self.budget().join();
        Ok(thread)
    }

    pub(crate) fn budget(&self) -> MutexGuard<'_, ThreadBudget> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns `Break` if the worker has to leave, `Continue` when the dispatcher has no more jobs.
    fn work(&self) -> ControlFlow<()> {
        for handed in &self.dispatcher.jobs {
            let mut next = Some(handed);
            while let Some(start) = next {
                next = self.carry(start)?;
            }
        }
        ControlFlow::Continue(())
    }

    /// Runs an attempt to its end, and takes the next one if there is one.
    fn carry(&self, start: Start<R::Work>) -> ControlFlow<(), Option<Start<R::Work>>> {
        let result = panic::catch_unwind(AssertUnwindSafe(|| self.run(&start)));
        let (message, slot_action) = match result.unwrap_or_else(AttemptResult::Panicked) {
            AttemptResult::Done(outcome) => {
                let (event, slot_action) = self.shared.state.lock().conclude(start, outcome);
                (Message::Event(event), slot_action)
            }
            AttemptResult::Panicked(panic) => {
                self.shared.signals.halt_signal.raise(Halt::Kill);
                (Message::Panicked(panic), SlotAction::Release(start.slot))
            }
            AttemptResult::GivenBack => {
                // A worker that gives a job back no longer counts. The dispatcher outlives all workers.
                let _ = self.dispatcher.given_back.send(start);
                return ControlFlow::Break(());
            }
        };
        // Fails if the run was dropped.
        let _ = self.shared.events.send(message);
        self.next_after(slot_action)
    }

    fn next_after(&self, slot_action: SlotAction<R::Work>) -> ControlFlow<(), Option<Start<R::Work>>> {
        let mut state = self.shared.state.lock();
        state.apply(slot_action);
        let leaves = self.budget().leave_if_surplus();
        // A job that was handed over comes first: it has a slot already.
        let handed = if leaves { None } else { self.dispatcher.jobs.try_recv().ok() };
        let next = if leaves || handed.is_some() { None } else { state.next_start() };
        let leaves_work = next.is_none() || state.schedule.leaves_work();
        drop(state);
        if leaves_work {
            // A slot is free, and nobody else looks for what may start in it now or later. Such work may have come
            // with what was just taken, or be the retry of what has just failed.
            let _ = self.dispatcher.wake.try_send(());
        }
        if let (Some(start), StartEvents::Announced) = (&next, self.shared.starts) {
            let _ = self.shared.events.send(Message::started(start));
        }
        if leaves { ControlFlow::Break(()) } else { ControlFlow::Continue(next.or(handed)) }
    }

    fn run(&self, start: &Start<R::Work>) -> AttemptResult {
        let context = Context::new(start.seq, start.slot, start.attempt, self.shared.signals.clone())
            .held_up_by(start.held_up);
        let context = match &self.shared.live {
            None => context,
            Some(reporting) => context.followed(reporting.notifier_for(start)),
        };
        loop {
            // The run may have been halted while the job was on its way here.
            if self.shared.signals.halt_signal.halt() != Halt::GoOn {
                return AttemptResult::Done(NotStarted::NeverReached.into());
            }
            let before = self.budget().present();
            let outcome = self.shared.runner.run(&start.job, &context);
            if !outcome.wants_room() {
                return AttemptResult::Done(outcome);
            }
            match self.budget().process_refused(before) {
                ShortageResponse::TryAgain => {}
                ShortageResponse::Leave => return AttemptResult::GivenBack,
                ShortageResponse::Accept => return AttemptResult::Done(outcome),
            }
        }
    }
}

impl<R: Runner> Clone for Worker<R> {
    fn clone(&self) -> Worker<R> {
        let WorkerShared { runner, signals, state, starts, live, events } = &self.shared;
        Worker {
            shared: WorkerShared {
                runner: Arc::clone(runner),
                signals: signals.clone(),
                state: Arc::clone(state),
                starts: *starts,
                live: live.clone(),
                events: events.clone(),
            },
            budget: Arc::clone(&self.budget),
            dispatcher: self.dispatcher.clone(),
        }
    }
}

impl<W> Clone for DispatcherChannels<W> {
    fn clone(&self) -> DispatcherChannels<W> {
        DispatcherChannels {
            jobs: self.jobs.clone(),
            wake: self.wake.clone(),
            given_back: self.given_back.clone(),
        }
    }
}
