//! The dispatcher: the thread that waits for all events of a run that no worker handles, and ends the run.
//! `state.rs` decides, the workers run jobs.
//!
//! While there is enough to do it sleeps: a worker whose job has ended tells the caller and takes the next job itself.
//! The dispatcher starts jobs when no worker is about to look for one (a job came from the feeder, or its pause is over),
//! gives back waiting jobs when the run is halted, and answers handles. While the caller doesn't take completions,
//! workers block with their slots in use: nothing new starts, and nothing piles up.

use std::sync::{Arc, OnceLock};

use crossbeam_channel::{Receiver, Select, Sender, TryRecvError, never, select};

use crate::data::job::Job;
use crate::outcome::NotStarted;
use crate::outcome::event::{Completion, Event};
use crate::outcome::snapshot::Snapshot;
use crate::pool::feed::{FeedItem, FeederState};
use crate::pool::handle::Control;
use crate::pool::message::{Message, StartEvents};
use crate::pool::state::{InputInterest, NextStep, SharedState, Wait};
use crate::pool::worker::WorkerThreads;
use crate::runner::Runner;
use crate::schedule::{Start, Waiting};

/// The dispatcher thread's state.
pub(crate) struct Dispatcher<R: Runner> {
    pub(crate) state: Arc<SharedState<R::Work>>,
    pub(crate) starts: StartEvents,
    pub(crate) workers: WorkerThreads<R>,
    pub(crate) control: Receiver<Control>,
    pub(crate) incoming: Receiver<FeedItem<Job<R::Work>>>,
    pub(crate) events: Sender<Message<R::Work>>,
    pub(crate) last: Arc<OnceLock<Snapshot>>,
}

impl<R: Runner> Dispatcher<R> {
    /// Runs until the run is over, and returns the state of the feeder thread.
    pub(crate) fn run(mut self) -> FeederState {
        loop {
            let next = self.state.lock().next_step();
            match next {
                NextStep::Start(start, running) => self.start(start, running),
                NextStep::GiveUp(waiting) => self.give_up(waiting),
                NextStep::Wait(wait) => self.wait(&wait),
                NextStep::End => break,
            }
        }
        self.workers.dismiss();
        let state = self.state.lock();
        // Set before the channels to the handles are dropped: a handle without an answer reads this.
        let _ = self.last.set(state.snapshot());
        state.feed.state()
    }

    fn start(&mut self, start: Start<R::Work>, running: usize) {
        if self.starts == StartEvents::Announced {
            self.tell(Message::started(&start));
        }
        self.workers.assign(start, running);
    }

    fn give_up(&mut self, waiting: Waiting<R::Work>) {
        let Waiting { job, seq, attempt, .. } = waiting;
        let outcome = NotStarted::NeverReached.into();
        self.tell(Message::Event(Event::Completed(Completion {
            job,
            seq,
            slot: None,
            attempt,
            outcome,
            node: None,
        })));
    }

    /// Waits until there may be something to do.
    fn wait(&mut self, wait: &Wait) {
        let mut select = Select::new();
        select.recv(&self.control);
        select.recv(self.workers.wakes());
        select.recv(self.workers.given_back());
        if wait.input == InputInterest::Wanted {
            select.recv(&self.incoming);
        }
        let is_over_time = match wait.until {
            Some(until) => select.ready_deadline(until).is_err(),
            None => {
                select.ready();
                false
            }
        };
        if is_over_time {
            self.state.lock().give_up_waiting();
            return;
        }
        let _ = self.workers.wakes().try_recv();
        while let Ok(start) = self.workers.given_back().try_recv() {
            self.workers.assign_again(start);
        }
        loop {
            match self.control.try_recv() {
                Ok(control) => self.obey(Some(control)),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => return self.obey(None),
            }
        }
    }

    fn obey(&mut self, control: Option<Control>) {
        match control {
            // The loop checks the halt level before each wait.
            Some(Control::Halted) => {}
            // Fails if the asker is gone.
            Some(Control::Snapshot(reply)) => drop(reply.send(self.state.lock().snapshot())),
            // All handles are gone, even that of the run, which was leaked. No more messages will come.
            None => self.control = never(),
        }
    }

    /// Sends a message to the caller. While the channel is full, handles are still answered.
    fn tell(&mut self, message: Message<R::Work>) {
        let mut message = Some(message);
        while message.is_some() {
            select! {
                // The message is taken only when there is room. The send fails if the run was dropped.
                send(self.events, message.take().expect("BUG: sent twice")) -> sent => drop(sent),
                recv(self.control) -> control => self.obey(control.ok()),
            }
        }
    }
}
