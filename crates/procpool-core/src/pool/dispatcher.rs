//! The dispatcher: the one owner of a run's state, on a thread of its own.
//! Decides nothing (`schedule.rs` does) and runs nothing (`crew.rs` does); it carries messages between them.
//!
//! It waits in one place and only there, for whichever comes first of: a word from a handle, a report from
//! a worker, a job from the feeder (only while one could start), room in the channel to the caller. While
//! the caller doesn't take completions it takes no reports: the slots stay busy, nothing new starts, and
//! nothing piles up.

use std::any::Any;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, TryRecvError, never, select};

use crate::completion::Completion;
use crate::halt::{Brake, Halt};
use crate::job::Job;
use crate::outcome::{NotStarted, Outcome};
use crate::pool::crew::{Crew, Report};
use crate::pool::handle::Control;
use crate::runner::Runner;
use crate::schedule::{Schedule, Start, Waiting};
use crate::snapshot::Snapshot;

/// What the caller's side of the run is told.
pub(crate) enum Event<W> {
    Completed(Completion<W>),
    /// The runner panicked.
    Panicked(Box<dyn Any + Send>),
}

/// See the head of this file.
pub(crate) struct Dispatcher<R: Runner> {
    pub(crate) schedule: Schedule<Job<R::Work>>,
    pub(crate) crew: Crew<R>,
    pub(crate) brake: Arc<Brake>,
    pub(crate) control: Receiver<Control>,
    pub(crate) feed: Receiver<Job<R::Work>>,
    pub(crate) events: Sender<Event<R::Work>>,
    pub(crate) last: Arc<OnceLock<Snapshot>>,
}

impl<R: Runner> Dispatcher<R> {
    /// Carries the run to its end.
    pub(crate) fn run(mut self) {
        loop {
            if self.brake.halt() == Halt::GoOn {
                self.start_what_may();
            } else {
                self.give_up_what_waits();
            }
            if self.is_over() {
                break;
            }
            self.wait();
        }
        self.look_for_the_end_of_input();
        self.crew.dismiss();
        // Set before the channels to the handles are gone: who gets no answer looks here.
        let _ = self.last.set(self.schedule.snapshot());
    }

    fn is_over(&self) -> bool {
        match self.brake.halt() {
            Halt::GoOn => self.schedule.is_over(),
            _ => self.schedule.is_idle(),
        }
    }

    fn start_what_may(&mut self) {
        let now = Instant::now();
        while let Some(start) = self.schedule.start(now, |job| job.key.clone()) {
            self.crew.assign(start, self.schedule.running());
        }
    }

    fn give_up_what_waits(&mut self) {
        while let Some(Waiting { job, seq, attempt }) = self.schedule.give_up() {
            let outcome = NotStarted::NeverReached.into();
            self.deliver(Event::Completed(Completion { job, seq, slot: None, attempt, outcome }));
        }
    }

    fn wait(&mut self) {
        let wants_input = self.brake.halt() == Halt::GoOn && self.schedule.wants_input();
        let nothing = never();
        let feed = if wants_input { &self.feed } else { &nothing };
        select! {
            recv(self.crew.reports()) -> report => self.report(report.expect("BUG: the crew left")),
            recv(self.control) -> control => self.obey(control.ok()),
            recv(feed) -> job => match job {
                Ok(job) => self.schedule.add(job),
                Err(_) => self.schedule.end_input(),
            },
        }
    }

    fn obey(&mut self, control: Option<Control>) {
        match control {
            // The brake itself is looked at before each wait.
            Some(Control::Halted) => {}
            // Fails where the asker has gone.
            Some(Control::Snapshot(reply)) => drop(reply.send(self.schedule.snapshot())),
            // All handles are gone, that of the run included: it was leaked. Nobody will ever ask again.
            None => self.control = never(),
        }
    }

    fn report(&mut self, report: Report<R::Work>) {
        let Start { job, seq, slot, attempt } = report.start;
        self.schedule.finish(slot);
        match report.result {
            Ok(outcome) => {
                let slot = match outcome {
                    Outcome::NotStarted(NotStarted::NeverReached) => None,
                    _ => Some(slot),
                };
                self.deliver(Event::Completed(Completion { job, seq, slot, attempt, outcome }));
            }
            Err(panic) => {
                self.brake.raise(Halt::Kill);
                self.deliver(Event::Panicked(panic));
            }
        }
    }

    /// Waits until the caller's side has room, still answering handles meanwhile.
    fn deliver(&mut self, event: Event<R::Work>) {
        let mut event = Some(event);
        while event.is_some() {
            select! {
                // Evaluated only when there is room. It fails where the run was dropped: nobody wants to know.
                send(self.events, event.take().expect("BUG: sent twice")) -> sent => drop(sent),
                recv(self.control) -> control => self.obey(control.ok()),
            }
        }
    }

    /// A run that was halted has not asked for input since. Whether some was left makes a difference to
    /// who wants to know whether all is done; where the iterator still blocks, nobody can tell.
    fn look_for_the_end_of_input(&mut self) {
        if matches!(self.feed.try_recv(), Err(TryRecvError::Disconnected)) {
            self.schedule.end_input();
        }
    }
}
