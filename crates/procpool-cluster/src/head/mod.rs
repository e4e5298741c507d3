//! What to ask of the engine, and when, from a list of positions to the end of all its arrays: a pure state machine.
//! Knows no clock (it is told the time), no thread, no process, and no outcome but by asking for it.

mod answers;
mod array;
mod backlog;
mod judge;
mod poll_pause;
mod questions;
mod reported_waits;

use std::mem;
use std::ops::Range;
use std::time::Instant;

use self::array::{SubmittedBy, TrackedArray};
use self::backlog::Backlog;
use self::judge::{LostJobs, Untaken, UntakenReason, judge};
use self::poll_pause::PollPause;
use self::reported_waits::ReportedWaits;
use crate::act::{Act, Running, Status};
use crate::engine::{ArrayId, Capacity, EngineError, Whom};
use crate::notice::{Ended, Notice};
use crate::outcomes::Outcomes;
use crate::piece::count;
use crate::plan::{Earlier, Round, Settings};
use crate::task::Answer;

/// The head of a run on a cluster.
///
/// Its caller calls [`step`](Head::step) every tenth of a second or so, does what comes back, and hands in the answers.
///
/// ```
/// use std::time::Instant;
/// use procpool_cluster::{Act, Answer, ArrayId, Capacity, Head, Holder, Outcomes, Settings, Task, Unreadable};
///
/// struct Nothing;
/// impl Outcomes for Nothing {
///     fn is_finished(&self, _: u64) -> bool {
///         false
///     }
///     fn holder(&self, _: usize) -> Result<Holder, Unreadable> {
///         Ok(Holder::Nobody)
///     }
///     fn was_begun(&self, _: u64, _: u32) -> bool {
///         true
///     }
/// }
///
/// let mut head = Head::new(Settings::new("procpool-nightly", "Slurm"), vec![1..1001]);
/// let start = Instant::now();
/// assert_eq!(head.step(start, &Nothing), [Act::Ask(Task::Survey)]);
/// head.heard(start, Answer::Surveyed(Ok(Capacity { most_elements: 1001, processors: 32, nodes: 4 })));
///
/// let [Act::Submit(round)] = &head.step(start, &Nothing)[..] else { panic!("its first array") };
/// assert_eq!((round.name.as_str(), round.elements, round.jobs()), ("procpool-nightly-1", 4, 1000));
/// head.heard(start, Answer::Submitted(Ok(ArrayId::new("17"))));
/// let [Act::Say(notice), Act::Ask(Task::Poll(_))] = &head.step(start, &Nothing)[..] else { panic!("it is followed") };
/// assert_eq!(notice.to_string(), "array 17: 4 slices for 1000 jobs");
/// ```
#[derive(Debug)]
pub struct Head {
    settings: Settings,
    backlog: Backlog,
    /// Asked for anew after each array: nodes come and go.
    capacity: Option<Capacity>,
    /// The most that was there at any time: those that are away now may be back when an array is in their turn.
    most: Option<Capacity>,
    stage: Stage,
    mode: Mode,
    asked: Option<Question>,
    /// Nothing is asked before that.
    pause: Option<Instant>,
    poll_pause: PollPause,
    reachable: bool,
    reported: ReportedWaits,
    /// How many arrays in a row have ended without having taken anything.
    idle: u32,
    /// What is to be done since the last step.
    acts: Vec<Act>,
}

/// Where the round is that is in hand.
#[derive(Debug)]
enum Stage {
    /// There is none.
    Between,
    /// Nobody but the caller knows of it.
    Unsent(Round),
    /// It may have been handed in or not: without an answer, or by a head that is no more.
    Doubtful(Round, SubmittedBy, FindAttempts),
    Out(Box<TrackedArray>),
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Running,
    /// These are cancelled next, then.
    Cancelling {
        since: Instant,
        next: Whom,
        at: Instant,
        on_running: OnRunning,
    },
    /// Once what waits was cancelled, all is done.
    Finishing(Option<Whom>),
}

/// What becomes of elements that run when all is cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OnRunning {
    /// They end when they have done what they are at.
    LetFinish,
    /// They are given some time to end.
    End,
}

/// How often somebody has looked for an array in vain. What was given up by who asked may still be on its way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FindAttempts(u32);

/// After so many the array is taken for one that nobody has got.
const MOST_FIND_ATTEMPTS: FindAttempts = FindAttempts(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    Poll,
    Other,
}

/// Who hands in what never begins would do so for ever.
const MOST_IDLE: u32 = 3;

/// So many pauses long an array is new: its elements are watched more closely, and nobody is told why they wait.
const NEW: u32 = 4;

impl Head {
    /// A head for these positions, of which none has been in an array yet.
    #[must_use]
    pub fn new(settings: Settings, todo: Vec<Range<u64>>) -> Head {
        Head {
            settings,
            backlog: Backlog::new(todo),
            capacity: None,
            most: None,
            stage: Stage::Between,
            mode: Mode::Running,
            asked: None,
            pause: None,
            poll_pause: PollPause::default(),
            reachable: true,
            reported: ReportedWaits::default(),
            idle: 0,
            acts: Vec::new(),
        }
    }

    /// A head in place of one that is no more: its array is gone on with where it is still known; what that leaves
    /// without an outcome, and `todo`, come afterwards.
    #[must_use]
    pub fn resume(settings: Settings, earlier: Earlier, todo: Vec<Range<u64>>) -> Head {
        let Earlier { round, id } = earlier;
        let mut head = Head::new(settings, todo);
        head.settings.rounds = head.settings.rounds.max(round.number);
        head.stage = match id {
            Some(id) => Stage::Out(Box::new(TrackedArray::new(round, Some(id), SubmittedBy::Earlier))),
            None => Stage::Doubtful(round, SubmittedBy::Earlier, FindAttempts(0)),
        };
        head
    }

    /// What is to be done now. `outcomes` are only asked for once all elements are gone for long enough.
    pub fn step(&mut self, now: Instant, outcomes: &dyn Outcomes) -> Vec<Act> {
        self.close_round(now, outcomes);
        if self.asked.is_none_or(|question| self.needs_no_answer(question)) {
            self.next_question(now);
        }
        mem::take(&mut self.acts)
    }

    /// Takes the answer to the one question that was asked.
    pub fn heard(&mut self, now: Instant, answer: Answer) {
        self.asked = None;
        if let Answer::Cancelled(went) = &answer {
            self.cancelled(now, went);
        }
        let trouble = match answer {
            Answer::Surveyed(Ok(capacity)) => {
                self.surveyed(capacity);
                None
            }
            Answer::Submitted(Ok(id)) => {
                self.handed_in(id);
                None
            }
            Answer::Found(Ok(id)) => {
                self.found(now, id);
                None
            }
            Answer::Polled(Ok(seen)) => {
                self.polled(now, seen);
                None
            }
            Answer::Cancelled(Ok(())) => None,
            Answer::Surveyed(Err(EngineError::Refused(words) | EngineError::Missing(words)))
            | Answer::Submitted(Err(EngineError::Refused(words))) => {
                self.refused(words);
                return;
            }
            Answer::Submitted(Err(EngineError::TooMany(words))) => {
                self.too_many(words);
                None
            }
            Answer::Submitted(Err(error)) => {
                if matches!(error, EngineError::Unreachable(_)) {
                    self.doubt();
                }
                Some(error)
            }
            Answer::Surveyed(Err(error))
            | Answer::Found(Err(error))
            | Answer::Polled(Err(error))
            | Answer::Cancelled(Err(error)) => Some(error),
        };
        self.note_reach(now, trouble);
    }

    /// Ends it: what waits is cancelled at once; what runs is given the time to end by itself, as the caller has told it
    /// by other means, then cancelled too. Nothing is tried again.
    pub fn cancel(&mut self, now: Instant) {
        if !matches!(self.mode, Mode::Cancelling { on_running: OnRunning::End, .. }) {
            self.begin_cancelling(now, OnRunning::End);
        }
    }

    /// Starts nothing more: what waits is cancelled at once; what runs is left to end by itself, as the caller has told
    /// it. Nothing is tried again.
    pub fn drain(&mut self, now: Instant) {
        if !matches!(self.mode, Mode::Cancelling { .. }) {
            self.begin_cancelling(now, OnRunning::LetFinish);
        }
    }

    fn begin_cancelling(&mut self, now: Instant, on_running: OnRunning) {
        self.mode = Mode::Cancelling { since: now, next: Whom::Waiting, at: now, on_running };
        self.pause = None;
    }

    /// The round that is in hand was taken as this array, as its own elements say: a submission whose answer was lost may
    /// have come through later than another one of the same.
    pub fn follow(&mut self, now: Instant, id: ArrayId) {
        match &self.stage {
            Stage::Unsent(_) | Stage::Doubtful(_, SubmittedBy::This, _) => self.handed_in(id),
            Stage::Doubtful(_, SubmittedBy::Earlier, _) => self.found(now, Some(id)),
            Stage::Out(array) if array.id.as_ref().map(ArrayId::own) != Some(id.own()) => {
                let TrackedArray { round, by, .. } = (**array).clone();
                self.stage = Stage::Out(Box::new(TrackedArray::new(round, Some(id), by)));
            }
            Stage::Out(_) | Stage::Between | Stage::Over => {}
        }
    }

    /// Every job has an outcome: what still waits is cancelled, nothing else is waited for.
    pub fn finish(&mut self) {
        if self.mode == Mode::Running {
            self.mode = Mode::Finishing(Some(Whom::Waiting));
            self.pause = None;
        }
    }

    /// Where its array is.
    #[must_use]
    pub fn status(&self) -> Status<'_> {
        let unreachable = !self.reachable;
        let Stage::Out(array) = &self.stage else { return Status { unreachable, ..Status::default() } };
        let running = array.running().map(|(element, node)| Running { element, node });
        Status {
            array: array.id.as_ref(),
            running: running.collect(),
            waiting: array.waiting().count(),
            reason: array.waiting().next().map(|wait| wait.reason.as_str()),
            unreachable,
        }
    }

    /// The round whose array is out, or is just being handed in.
    #[must_use]
    pub fn round(&self) -> Option<&Round> {
        match &self.stage {
            Stage::Between | Stage::Over => None,
            Stage::Unsent(round) | Stage::Doubtful(round, ..) => Some(round),
            Stage::Out(array) => Some(&array.round),
        }
    }

    /// Something has changed that the engine will know of: it is asked soon.
    pub fn look(&mut self, now: Instant) {
        self.poll_pause = PollPause::default();
        self.pause = self.pause.map(|pause| pause.min(now + self.settings.poll_every));
    }

    /// Once an array is over for long enough, what it has left is lost or is to do again.
    fn close_round(&mut self, now: Instant, outcomes: &dyn Outcomes) {
        let Stage::Out(array) = &self.stage else { return };
        if array.over_since().is_none_or(|since| now < since + self.settings.settle) {
            return;
        }
        if self.mode != Mode::Running {
            self.stage = Stage::Between;
            return;
        }
        let judged = judge(array, self.settings.engine, self.settings.most_tries, outcomes);
        let Ok(verdict) = judged else { return };
        let jobs = verdict.again.values().map(|ranges| count(ranges)).sum();
        if jobs > 0 {
            self.acts.push(Act::Say(Notice::TriedAgain { jobs, ended: verdict.ended }));
        }
        let goes_on = jobs > 0 || !verdict.lost.is_empty() || verdict.untaken.goes_on();
        let was_cancelled = !verdict.left.is_empty() || verdict.untaken.why == UntakenReason::Cancelled;
        let lost = verdict.lost.into_iter().map(|LostJobs { ranges, why }| Act::Lost { ranges, why });
        self.acts.extend(lost);
        self.leave(verdict.left, "its slice");
        for (tries, ranges) in verdict.again {
            self.backlog.add(tries, ranges);
        }
        self.hand_on(verdict.untaken);
        self.stage = Stage::Between;
        self.pause = None;
        self.capacity = None;
        self.reported = ReportedWaits::default();
        if was_cancelled && !goes_on {
            // Who has cancelled all that there was doesn't want to see the rest come back as another array.
            let rest = self.backlog.take();
            self.leave(rest, "the array before it");
        }
    }

    /// What nobody has taken comes into the next array, as long as something gets on.
    fn hand_on(&mut self, untaken: Untaken) {
        let Untaken { ranges, why, first } = untaken;
        self.idle = if why == UntakenReason::NoneBegan { self.idle + 1 } else { 0 };
        let all = || ranges.values().flatten().cloned().collect::<Vec<_>>();
        match why {
            UntakenReason::Cancelled => self.leave(all(), "the array"),
            UntakenReason::NoneBegan if self.idle >= MOST_IDLE => {
                let why = format!(
                    "{MOST_IDLE} arrays have ended without having begun anything: slice 0 ended {first}"
                );
                self.acts.push(Act::Left { ranges: all(), why });
            }
            UntakenReason::NoneBegan | UntakenReason::OutOfTime => {
                if why == UntakenReason::NoneBegan && !ranges.is_empty() {
                    let jobs = count(&all());
                    let ended = Vec::from([Ended { element: Some(0), why: first }]);
                    self.acts.push(Act::Say(Notice::TriedAgain { jobs, ended }));
                }
                for (tries, ranges) in ranges {
                    self.backlog.add(tries, ranges);
                }
            }
        }
    }

    fn leave(&mut self, ranges: Vec<Range<u64>>, what: &str) {
        if !ranges.is_empty() {
            let why = format!("{what} was cancelled in {}", self.settings.engine);
            self.acts.push(Act::Left { ranges, why });
        }
    }
}

#[cfg(test)]
mod tests;
