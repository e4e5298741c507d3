//! What the head asks of the engine next, in each of its modes.

use std::time::Instant;

use super::backlog::NextArray;
use super::{Head, Mode, Question, Stage};
use crate::act::Act;
use crate::engine::{CancelScope, Capacity};
use crate::plan::Round;
use crate::task::Task;

impl Head {
    /// Whether the head can continue without the answer, because everything is done and it may take seconds.
    pub(super) fn needs_no_answer(&self, question: Question) -> bool {
        let waits = matches!(&self.stage, Stage::Out(array) if array.may_wait());
        question == Question::Poll && matches!(self.mode, Mode::Finishing(_)) && !waits
    }

    pub(super) fn next_question(&mut self, now: Instant) {
        match self.mode {
            Mode::Running => self.next_after_pause(now),
            Mode::Cancelling { next, at, .. } => self.next_of_cancelling(now, next, at),
            Mode::Finishing(next) => self.next_of_finishing(next),
        }
    }

    fn next_after_pause(&mut self, now: Instant) {
        if self.pause.is_none_or(|pause| pause <= now) {
            self.next_of_run();
        }
    }

    fn next_of_run(&mut self) {
        match &self.stage {
            Stage::Over => {}
            Stage::Between if self.backlog.is_empty() => self.end(),
            Stage::Between => match self.capacity {
                None => self.ask(Question::Other, Task::Survey),
                Some(capacity) => self.plan_round(capacity),
            },
            Stage::Unsent(round) => {
                let round = round.clone();
                self.submit(round);
            }
            Stage::Doubtful(round, ..) => {
                let name = round.name.clone();
                self.ask(Question::Other, Task::Find(name));
            }
            // Also while it settles: an element may be restarted.
            Stage::Out(array) => {
                if let Some(array) = array.handed_in() {
                    self.ask(Question::Poll, Task::Poll(array));
                }
            }
        }
    }

    fn next_of_cancelling(&mut self, now: Instant, next: CancelScope, at: Instant) {
        match &self.stage {
            Stage::Between | Stage::Unsent(_) => self.end(),
            Stage::Out(array) => match array.handed_in() {
                Some(handed_in) if at <= now && array.over_since().is_none() => {
                    self.ask(Question::Other, Task::Cancel(handed_in, next));
                }
                _ => self.next_after_pause(now),
            },
            Stage::Doubtful(..) | Stage::Over => self.next_after_pause(now),
        }
    }

    fn next_of_finishing(&mut self, next: Option<CancelScope>) {
        match (&self.stage, next) {
            // Elements that begin later find nothing to do.
            _ if !self.reachable => self.end(),
            (Stage::Doubtful(round, ..), _) => {
                let name = round.name.clone();
                self.ask(Question::Other, Task::Find(name));
            }
            (Stage::Out(array), Some(scope)) if array.may_wait() => {
                self.mode = Mode::Finishing(None);
                if let Some(array) = array.handed_in() {
                    self.ask(Question::Other, Task::Cancel(array, scope));
                }
            }
            _ => self.end(),
        }
    }

    fn ask(&mut self, question: Question, task: Task) {
        self.asked = Some(question);
        self.acts.push(Act::Ask(task));
    }

    fn submit(&mut self, round: Round) {
        self.asked = Some(Question::Other);
        self.acts.push(Act::Submit(round));
    }

    fn end(&mut self) {
        if !matches!(self.stage, Stage::Over) {
            self.stage = Stage::Over;
            self.acts.push(Act::Over);
        }
    }

    fn plan_round(&mut self, capacity: Capacity) {
        let NextArray { elements, manner, pieces } = self.backlog.next(&self.settings, capacity);
        self.settings.rounds += 1;
        let number = self.settings.rounds;
        let round = Round {
            number,
            name: format!("{}-{number}", self.settings.name),
            elements,
            manner,
            pieces,
        };
        self.submit(round.clone());
        self.stage = Stage::Unsent(round);
    }
}
