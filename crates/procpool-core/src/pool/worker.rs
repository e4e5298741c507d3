//! A worker: a thread that runs jobs, tells the caller what came of each, and goes on with the next.
//! Knows nothing of which job that is.

use std::any::Any;
use std::ops::ControlFlow;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender};

use crate::halt::Halt;
use crate::outcome::{NotStarted, Outcome};
use crate::pool::message::{Message, Starts};
use crate::pool::patient;
use crate::pool::staff::{Refused, Staff};
use crate::pool::state::{Afterwards, Shared};
use crate::runner::{Context, Runner, Steering};
use crate::schedule::Start;
use crate::spool::live::{Live, News};
use crate::sys;

/// Where memory has a limit, another worker joins only if so much is left, and so much for each of those there are: what a job may
/// have written before that goes to a file, and what waits for the caller.
const LEFT: usize = 8 << 20;
const HELD: usize = 256 << 10;

/// One of the workers of a run.
pub(crate) struct Worker<R: Runner> {
    pub(crate) tools: Tools<R>,
    pub(crate) staff: Arc<Mutex<Staff>>,
    pub(crate) dispatcher: ToDispatcher<R::Work>,
}

/// What a worker works with.
pub(crate) struct Tools<R: Runner> {
    pub(crate) runner: Arc<R>,
    pub(crate) steering: Steering,
    pub(crate) state: Arc<Shared<R::Work>>,
    pub(crate) starts: Starts,
    /// `None` where nobody follows the outputs.
    pub(crate) news: Option<Reporting>,
    /// To the caller.
    pub(crate) events: Sender<Message<R::Work>>,
}

/// The channels between a worker and the dispatcher.
pub(crate) struct ToDispatcher<W> {
    /// What the dispatcher hands over.
    pub(crate) jobs: Receiver<Start<W>>,
    /// That there may be something to do. One word is as good as many.
    pub(crate) word: Sender<()>,
    /// The machine had no room for these, and their worker left to make some: they are for those who stay.
    pub(crate) given_back: Sender<Start<W>>,
}

/// What is told of outputs while they are written.
#[derive(Clone)]
pub(crate) struct Reporting {
    pub(crate) channel: Sender<Live>,
    /// How many further attempts a job has that doesn't say so itself.
    pub(crate) retries: u32,
}

impl Reporting {
    fn news_of<W>(&self, start: &Start<W>) -> News {
        let further = start.job.retries.unwrap_or(self.retries);
        News {
            channel: self.channel.clone(),
            key: start.job.key.clone(),
            attempts_left: further.saturating_sub(start.attempt - 1),
        }
    }
}

/// What came of a job that a worker took.
enum Upshot {
    Done(Outcome),
    /// The runner panicked.
    Panicked(Box<dyn Any + Send>),
    /// The machine had no room for it, and the worker leaves to make some.
    GivenBack,
}

impl<R: Runner> Worker<R> {
    /// The first of them, without which there is no run.
    pub(crate) fn start_first(&self) -> std::io::Result<JoinHandle<()>> {
        let worker = self.clone();
        let thread = patient::start("procpool-1", move || {
            let _ = worker.work();
        })?;
        self.staff().join();
        Ok(thread)
    }

    /// Another one of them.
    pub(crate) fn start(&self, number: usize) -> std::io::Result<JoinHandle<()>> {
        let worker = self.clone();
        let work = move || {
            let _ = worker.work();
        };
        if !sys::thread_has_room(LEFT + self.staff().present() * HELD) {
            return Err(std::io::Error::from_raw_os_error(libc::ENOMEM));
        }
        let thread = thread::Builder::new().name(format!("procpool-{number}")).spawn(work)?;
        self.staff().join();
        Ok(thread)
    }

    pub(crate) fn staff(&self) -> MutexGuard<'_, Staff> {
        self.staff.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Breaks off where the worker leaves; ends where the dispatcher has no more for it.
    fn work(&self) -> ControlFlow<()> {
        for handed in &self.dispatcher.jobs {
            let mut next = Some(handed);
            while let Some(start) = next {
                next = self.carry(start)?;
            }
        }
        ControlFlow::Continue(())
    }

    /// Carries a job to its end, and takes the next if there is one.
    fn carry(&self, start: Start<R::Work>) -> ControlFlow<(), Option<Start<R::Work>>> {
        let result = panic::catch_unwind(AssertUnwindSafe(|| self.run(&start)));
        let (message, afterwards) = match result.unwrap_or_else(Upshot::Panicked) {
            Upshot::Done(outcome) => {
                let (event, afterwards) = self.tools.state.lock().conclude(start, outcome);
                (Message::Event(event), afterwards)
            }
            Upshot::Panicked(panic) => {
                self.tools.steering.brake.raise(Halt::Kill);
                (Message::Panicked(panic), Afterwards::Leave(start.slot))
            }
            Upshot::GivenBack => {
                // Whoever gives a job back has been counted out. The dispatcher outlives all workers.
                let _ = self.dispatcher.given_back.send(start);
                return ControlFlow::Break(());
            }
        };
        // It fails where the run was dropped: nobody wants to know.
        let _ = self.tools.events.send(message);
        self.next_after(afterwards)
    }

    fn next_after(&self, afterwards: Afterwards<R::Work>) -> ControlFlow<(), Option<Start<R::Work>>> {
        let mut state = self.tools.state.lock();
        state.settle(afterwards);
        let leaves = self.staff().leave();
        // What was handed over for want of workers comes first: it has a slot already.
        let handed = if leaves { None } else { self.dispatcher.jobs.try_recv().ok() };
        let next = if leaves || handed.is_some() { None } else { state.next_start() };
        let leaves_work = next.is_none() || state.schedule.leaves_work();
        drop(state);
        if leaves_work {
            // A slot is free, and what may start in it, now or later, nobody else looks for. What is left may have come
            // with what was just taken, or be the next attempt of what has just failed.
            let _ = self.dispatcher.word.try_send(());
        }
        if let (Some(start), Starts::Announced) = (&next, self.tools.starts) {
            let _ = self.tools.events.send(Message::started(start));
        }
        if leaves { ControlFlow::Break(()) } else { ControlFlow::Continue(next.or(handed)) }
    }

    fn run(&self, start: &Start<R::Work>) -> Upshot {
        let context = Context::new(start.seq, start.slot, start.attempt, self.tools.steering.clone())
            .held_up_by(start.held_up);
        let context = match &self.tools.news {
            None => context,
            Some(reporting) => context.followed(reporting.news_of(start)),
        };
        loop {
            // The halt may have come while the job was on its way here.
            if self.tools.steering.brake.halt() != Halt::GoOn {
                return Upshot::Done(NotStarted::NeverReached.into());
            }
            let before = self.staff().present();
            let outcome = self.tools.runner.run(&start.job, &context);
            if !outcome.wants_room() {
                return Upshot::Done(outcome);
            }
            match self.staff().process_refused(before) {
                Refused::TryAgain => {}
                Refused::Leave => return Upshot::GivenBack,
                Refused::Accept => return Upshot::Done(outcome),
            }
        }
    }
}

impl<R: Runner> Clone for Worker<R> {
    fn clone(&self) -> Worker<R> {
        let Tools { runner, steering, state, starts, news, events } = &self.tools;
        Worker {
            tools: Tools {
                runner: Arc::clone(runner),
                steering: steering.clone(),
                state: Arc::clone(state),
                starts: *starts,
                news: news.clone(),
                events: events.clone(),
            },
            staff: Arc::clone(&self.staff),
            dispatcher: self.dispatcher.clone(),
        }
    }
}

impl<W> Clone for ToDispatcher<W> {
    fn clone(&self) -> ToDispatcher<W> {
        ToDispatcher {
            jobs: self.jobs.clone(),
            word: self.word.clone(),
            given_back: self.given_back.clone(),
        }
    }
}
