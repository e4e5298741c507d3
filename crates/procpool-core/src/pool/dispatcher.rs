//! The dispatcher: the one owner of a run's state, on a thread of its own.
//! Decides nothing (`schedule.rs` does) and runs nothing (`crew.rs` does); it carries messages between them.
//!
//! It waits in one place and only there, for whichever comes first of: a word from a handle, a report from
//! a worker, a job from the feeder (only while one could start, or to give it back once the run is halted),
//! room in the channel to the caller. While the caller doesn't take completions it takes no reports: the
//! slots stay busy, nothing new starts, and nothing piles up.

use std::any::Any;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, at, never, select};

use crate::completion::Completion;
use crate::event::{Event, Retried, Started};
use crate::halt::{Brake, Halt};
use crate::job::Job;
use crate::moving_timeout::MovingTimeout;
use crate::outcome::{NotStarted, Outcome};
use crate::pool::crew::{Crew, Report, Upshot};
use crate::pool::feed::{Feed, Feeding, Pulled};
use crate::pool::gauge::Gauge;
use crate::pool::handle::Control;
use crate::runner::Runner;
use crate::schedule::{Schedule, Start, Verdict, Waiting};
use crate::snapshot::Snapshot;

/// What the caller's side of the run is told.
pub(crate) enum Message<W> {
    Event(Event<W>),
    /// The runner panicked.
    Panicked(Box<dyn Any + Send>),
}

/// Whether the caller is told of each start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Starts {
    #[default]
    Silent,
    Announced,
}

/// See the head of this file.
pub(crate) struct Dispatcher<R: Runner> {
    pub(crate) schedule: Schedule<R::Work>,
    pub(crate) starts: Starts,
    pub(crate) gauge: Gauge,
    /// `None` where no job's timeout follows from others.
    pub(crate) timeout: Option<Arc<MovingTimeout>>,
    pub(crate) crew: Crew<R>,
    pub(crate) brake: Arc<Brake>,
    pub(crate) control: Receiver<Control>,
    pub(crate) feed: Feed<Job<R::Work>>,
    pub(crate) events: Sender<Message<R::Work>>,
    pub(crate) last: Arc<OnceLock<Snapshot>>,
}

impl<R: Runner> Dispatcher<R> {
    /// Carries the run to its end, and says where the thread that pulls jobs is then.
    pub(crate) fn run(mut self) -> Feeding {
        loop {
            match self.halt() {
                Halt::GoOn => self.start_what_may(),
                _ => self.give_up_what_waits(),
            }
            if self.is_over() {
                break;
            }
            self.wait();
        }
        self.crew.dismiss();
        // Set before the channels to the handles are gone: who gets no answer looks here.
        let _ = self.last.set(self.schedule.snapshot(Instant::now()));
        self.feed.state()
    }

    fn is_over(&self) -> bool {
        match self.brake.halt() {
            Halt::GoOn => self.schedule.is_over(),
            _ => self.schedule.is_idle() && self.feed.state() != Feeding::Open,
        }
    }

    /// How far the run is to stop, after the schedule's rule and the brake know of each other.
    fn halt(&mut self) -> Halt {
        if let Some(halt) = self.schedule.take_halt() {
            self.brake.raise(halt);
        }
        let halt = self.brake.halt();
        if halt != Halt::GoOn {
            self.schedule.halt();
        }
        halt
    }

    fn start_what_may(&mut self) {
        while let Some(start) = self.next_start() {
            let started = (self.starts == Starts::Announced).then(|| announcement(&start));
            self.crew.assign(start, self.schedule.running());
            if let Some(started) = started {
                self.tell(Event::Started(started));
            }
        }
    }

    fn next_start(&mut self) -> Option<Start<R::Work>> {
        let now = Instant::now();
        if self.schedule.wants_reading(now) {
            self.schedule.note_reading(self.gauge.read(), now);
        }
        self.schedule.start(now)
    }

    fn give_up_what_waits(&mut self) {
        while let Some(Waiting { job, seq, attempt, .. }) = self.schedule.give_up() {
            let outcome = NotStarted::NeverReached.into();
            self.tell(Event::Completed(Completion { job, seq, slot: None, attempt, outcome }));
        }
    }

    fn wait(&mut self) {
        let halt = self.brake.halt();
        let halted = halt != Halt::GoOn;
        let timer = match halt {
            Halt::GoOn => self.schedule.next_wake(Instant::now()).map_or_else(never, at),
            _ if self.schedule.is_idle() => self.feed.last_wait(halt),
            _ => never(),
        };
        // Once the run is halted, what was pulled already is taken too, to be given back.
        let wants_input = halted || self.schedule.wants_input();
        let nothing = never();
        let incoming = self.feed.incoming().filter(|_| wants_input).unwrap_or(&nothing);
        select! {
            recv(self.crew.reports()) -> report => self.report(report.expect("BUG: the crew left")),
            recv(self.control) -> control => self.obey(control.ok()),
            recv(incoming) -> pulled => self.accept(pulled.ok()),
            recv(timer) -> _ => if halted { self.feed.lose_patience() },
        }
    }

    fn accept(&mut self, pulled: Option<Pulled<Job<R::Work>>>) {
        match pulled {
            Some(Pulled::Job(job)) => return self.schedule.add(job),
            Some(Pulled::End) => self.schedule.end_input(),
            // Not halted, and no more comes without an end: the iterator panicked. That is told once all that
            // came before it is done.
            None if self.brake.halt() == Halt::GoOn => self.schedule.end_input(),
            // Halted, the feeder pulls no further, and how much was left is not known.
            None => {}
        }
        self.feed.close();
    }

    fn obey(&mut self, control: Option<Control>) {
        match control {
            // The brake itself is looked at before each wait.
            Some(Control::Halted) => {}
            // Fails where the asker has gone.
            Some(Control::Snapshot(reply)) => drop(reply.send(self.schedule.snapshot(Instant::now()))),
            // All handles are gone, that of the run included: it was leaked. Nobody will ever ask again.
            None => self.control = never(),
        }
    }

    fn report(&mut self, report: Report<R::Work>) {
        let outcome = match report.result {
            Upshot::GivenBack => return self.crew.assign_again(report.start),
            Upshot::Done(outcome) => Ok(outcome),
            Upshot::Panicked(panic) => Err(panic),
        };
        match outcome {
            Ok(outcome) => self.conclude(report.start, outcome),
            Err(panic) => {
                self.schedule.abandon(report.start.slot, Instant::now());
                self.brake.raise(Halt::Kill);
                self.deliver(Message::Panicked(panic));
            }
        }
    }

    fn conclude(&mut self, start: Start<R::Work>, outcome: Outcome) {
        // An attempt that ends after the halt is the job's last.
        self.halt();
        let Start { seq, slot, attempt, .. } = start;
        let event = match self.schedule.finish(start, &outcome, Instant::now()) {
            Verdict::Done(Start { job, .. }) => {
                let slot = match outcome {
                    Outcome::NotStarted(NotStarted::NeverReached) => None,
                    _ => Some(slot),
                };
                Event::Completed(Completion { job, seq, slot, attempt, outcome })
            }
            Verdict::Again { key, pause } => {
                Event::Retried(Retried { key, seq, slot, attempt, outcome, pause })
            }
        };
        // Before the caller is told, which may take as long as it likes.
        self.halt();
        if let Some(timeout) = &self.timeout {
            timeout.set(self.schedule.timeout());
        }
        self.tell(event);
    }

    fn tell(&mut self, event: Event<R::Work>) {
        self.deliver(Message::Event(event));
    }

    /// Waits until the caller's side has room, still answering handles meanwhile.
    fn deliver(&mut self, message: Message<R::Work>) {
        let mut message = Some(message);
        while message.is_some() {
            select! {
                // Evaluated only when there is room. It fails where the run was dropped: nobody wants to know.
                send(self.events, message.take().expect("BUG: sent twice")) -> sent => drop(sent),
                recv(self.control) -> control => self.obey(control.ok()),
            }
        }
    }
}

fn announcement<W>(start: &Start<W>) -> Started {
    Started {
        key: start.job.key.clone(),
        seq: start.seq,
        slot: start.slot,
        attempt: start.attempt,
    }
}
