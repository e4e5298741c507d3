//! How the head handles the answers of the engine.

use std::mem;
use std::time::{Duration, Instant};

use super::array::{SubmittedBy, TrackedArray};
use super::reported_waits::ReportedKinds;
use super::{FindAttempts, Head, MOST_FIND_ATTEMPTS, Mode, NEW, OnRunning, Stage};
use crate::act::Act;
use crate::engine::{ArrayId, ArrayState, CancelScope, Capacity, EngineError};
use crate::notice::Notice;

/// Longer than any run.
const FOREVER: Duration = Duration::from_secs(60 * 60 * 24 * 365 * 100);

impl Head {
    pub(super) fn surveyed(&mut self, now: Capacity) {
        let before = self.most.unwrap_or(now);
        let processors = now.processors.max(before.processors);
        let nodes = now.nodes.max(before.nodes);
        self.capacity = Some(Capacity { processors, nodes, ..now });
        self.most = self.capacity;
    }

    pub(super) fn handed_in(&mut self, id: ArrayId) {
        match mem::replace(&mut self.stage, Stage::Between) {
            Stage::Unsent(round) | Stage::Doubtful(round, ..) => {
                let (elements, jobs) = (round.elements, round.jobs());
                self.acts.push(Act::Say(Notice::Submitted { id: id.clone(), elements, jobs }));
                self.stage = Stage::Out(Box::new(TrackedArray::new(round, Some(id), SubmittedBy::This)));
            }
            stage => self.stage = stage,
        }
    }

    pub(super) fn doubt(&mut self) {
        self.stage = match mem::replace(&mut self.stage, Stage::Between) {
            Stage::Unsent(round) => Stage::Doubtful(round, SubmittedBy::This, FindAttempts(0)),
            stage => stage,
        };
    }

    pub(super) fn found(&mut self, now: Instant, id: Option<ArrayId>) {
        match (mem::replace(&mut self.stage, Stage::Between), id) {
            (Stage::Doubtful(round, by, looks), None) if looks.0 + 1 < MOST_FIND_ATTEMPTS.0 => {
                self.stage = Stage::Doubtful(round, by, FindAttempts(looks.0 + 1));
                self.pause = Some(now + self.settings.poll_every);
            }
            (Stage::Doubtful(round, SubmittedBy::This, _), None) => self.stage = Stage::Unsent(round),
            (stage @ Stage::Doubtful(_, SubmittedBy::This, _), Some(id)) => {
                self.stage = stage;
                self.handed_in(id);
            }
            (Stage::Doubtful(round, SubmittedBy::Earlier, _), Some(id)) => {
                self.stage = Stage::Out(Box::new(TrackedArray::new(round, Some(id), SubmittedBy::Earlier)));
            }
            (Stage::Doubtful(round, SubmittedBy::Earlier, _), None) => {
                // It may have come and gone long ago, so this counts as a try.
                let mut array = TrackedArray::new(round, None, SubmittedBy::Earlier);
                array.update(now, ArrayState::default());
                self.stage = Stage::Out(Box::new(array));
            }
            (stage, _) => self.stage = stage,
        }
    }

    pub(super) fn polled(&mut self, now: Instant, seen: ArrayState) {
        let Stage::Out(array) = &mut self.stage else { return };
        let Some(id) = array.id.clone() else { return };
        let is_first = array.began.is_none();
        let is_news = array.update(now, seen);
        if is_first && array.by == SubmittedBy::Earlier && array.over_since().is_none() {
            self.acts.push(Act::Say(Notice::FoundAgain { id: id.clone() }));
        }
        let is_new = array.began.is_some_and(|began| now < began + self.settings.poll_every * NEW);
        let settles = array.over_since().is_some();
        self.poll_pause.answered(is_news || settles || self.mode != Mode::Running);
        self.pause = Some(
            now + if is_new { self.settings.poll_every / 4 } else { self.poll_pause.pause(&self.settings) },
        );
        if self.mode != Mode::Running {
            return;
        }
        // While something runs, a wait for free resources isn't worth a message.
        let stands = !is_new && array.running().next().is_none();
        let kinds = if stands { ReportedKinds::All } else { ReportedKinds::WithRemedy };
        for group in self.reported.news(array.groups(), kinds) {
            let (id, elements, wait) = (id.clone(), group.elements, group.wait);
            let notice = Notice::Waiting { id, elements, reason: wait.reason, remedy: wait.remedy };
            self.acts.push(Act::Say(notice));
        }
    }

    /// Schedules the next cancellation. It is repeated, so that whoever has stopped the run needs to do nothing but wait.
    pub(super) fn cancelled(&mut self, now: Instant, went: &Result<(), EngineError>) {
        let Mode::Cancelling { since, next, on_running, .. } = self.mode else { return };
        let patience = match on_running {
            OnRunning::LetFinish => FOREVER,
            OnRunning::End => self.settings.patience,
        };
        let (next, at) = match (went, next) {
            (Ok(()), CancelScope::Waiting) => (CancelScope::All, since + patience),
            (Ok(()), CancelScope::All) => (next, now + patience),
            (Err(_), _) if now < since + patience => (next, now + self.settings.poll_every),
            (Err(_), _) => (CancelScope::All, now + self.settings.poll_every),
        };
        self.mode = Mode::Cancelling { since, next, at, on_running };
    }

    pub(super) fn refused(&mut self, words: String) {
        self.acts.push(Act::Refused(words));
        self.backlog.take();
        self.stage = Stage::Between;
    }

    /// Halves the number of elements. Fewer elements do all of the work, because each takes what is left.
    pub(super) fn too_many(&mut self, words: String) {
        match &mut self.stage {
            Stage::Unsent(round) if round.elements > 1 => {
                let instead_of = round.elements;
                round.elements /= 2;
                let (engine, elements) = (self.settings.engine, round.elements);
                self.acts.push(Act::Say(Notice::Fewer { engine, elements, instead_of, words }));
            }
            _ => self.refused(words),
        }
    }

    pub(super) fn note_reach(&mut self, now: Instant, trouble: Option<EngineError>) {
        let engine = self.settings.engine;
        let reachable = mem::replace(&mut self.reachable, trouble.is_none());
        match trouble {
            Some(error) => {
                self.pause = Some(now + self.settings.poll_every);
                if reachable {
                    self.acts.push(Act::Say(Notice::Unreachable { engine, words: error.to_string() }));
                }
            }
            None if !reachable => self.acts.push(Act::Say(Notice::ReachableAgain { engine })),
            None => {}
        }
    }
}
