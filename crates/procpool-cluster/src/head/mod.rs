//! Decides what to ask of the engine and when, from a list of positions to the end of all its arrays: a pure state machine,
//! which is given the time and learns of outcomes by asking its caller.

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
use crate::engine::{ArrayId, CancelScope, Capacity, EngineError};
use crate::notice::{Ended, Notice};
use crate::outcomes::Outcomes;
use crate::piece::count;
use crate::plan::{Earlier, Round, Settings};
use crate::task::Answer;

/// Controls a run on a cluster.
///
/// Its caller calls [`step`](Head::step) about every tenth of a second, does what that returns, and passes on the answers.
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
/// head.handle_answer(start, Answer::Surveyed(Ok(Capacity { most_elements: 1001, processors: 32, nodes: 4 })));
///
/// let [Act::Submit(round)] = &head.step(start, &Nothing)[..] else { panic!("its first array") };
/// assert_eq!((round.name.as_str(), round.elements, round.jobs()), ("procpool-nightly-1", 4, 1000));
/// head.handle_answer(start, Answer::Submitted(Ok(ArrayId::new("17"))));
/// let [Act::Say(notice), Act::Ask(Task::Poll(_))] = &head.step(start, &Nothing)[..] else { panic!("it is followed") };
/// assert_eq!(notice.to_string(), "array 17: 4 slices for 1000 jobs");
/// ```
#[derive(Debug)]
pub struct Head {
    settings: Settings,
    backlog: Backlog,
    /// Asked for again after each array, because nodes come and go.
    capacity: Option<Capacity>,
    /// The largest capacity so far: nodes that are away now may be back when an array gets its turn.
    most: Option<Capacity>,
    stage: Stage,
    mode: Mode,
    asked: Option<Question>,
    /// Nothing is asked before this.
    pause: Option<Instant>,
    poll_pause: PollPause,
    reachable: bool,
    reported: ReportedWaits,
    /// How many arrays in a row have ended without having begun anything.
    idle: u32,
    /// Collected for the next return of `step`.
    acts: Vec<Act>,
}

/// The state of the current round.
#[derive(Debug)]
enum Stage {
    /// There is no round.
    Between,
    /// It was not submitted yet.
    Unsent(Round),
    /// It may have been submitted: there was no answer, or an earlier head did it.
    Doubtful(Round, SubmittedBy, FindAttempts),
    Out(Box<TrackedArray>),
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Running,
    /// `next` is to be cancelled at `at`.
    Cancelling {
        since: Instant,
        next: CancelScope,
        at: Instant,
        on_running: OnRunning,
    },
    /// Ends once the waiting elements were cancelled.
    Finishing(Option<CancelScope>),
}

/// What happens to running elements when the run is cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OnRunning {
    /// They finish the jobs they run.
    LetFinish,
    /// They get some time to end.
    End,
}

/// How often an array was looked up in vain. A submission that was given up may still be on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FindAttempts(u32);

/// After this many lookups the array is considered not submitted.
const MOST_FIND_ATTEMPTS: FindAttempts = FindAttempts(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    Poll,
    Other,
}

/// After this many arrays that began nothing, no more are submitted; otherwise this could go on forever.
const MOST_IDLE: u32 = 3;

/// For this many pauses an array is new: it is polled more often, and reasons for waiting are not reported.
const NEW: u32 = 4;

impl Head {
    /// A head for these positions, none of which has been in an array yet.
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

    /// Takes over from a crashed head: adopts its array if the engine still lists it. What that leaves without an outcome,
    /// and `todo`, is run afterwards.
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

    /// Returns what is to be done now. `outcomes` is used only after all elements have been gone for long enough.
    pub fn step(&mut self, now: Instant, outcomes: &dyn Outcomes) -> Vec<Act> {
        self.close_round(now, outcomes);
        if self.asked.is_none_or(|question| self.needs_no_answer(question)) {
            self.next_question(now);
        }
        mem::take(&mut self.acts)
    }

    /// Takes the answer to the pending question.
    pub fn handle_answer(&mut self, now: Instant, answer: Answer) {
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

    /// Cancels the run: waiting elements at once, running ones after a time in which they can end by themselves, because the
    /// caller has asked them to by other means. Nothing is retried.
    pub fn cancel(&mut self, now: Instant) {
        if !matches!(self.mode, Mode::Cancelling { on_running: OnRunning::End, .. }) {
            self.begin_cancelling(now, OnRunning::End);
        }
    }

    /// Drains the run: waiting elements are cancelled at once; running ones end by themselves, because the caller has asked
    /// them to. Nothing is retried.
    pub fn drain(&mut self, now: Instant) {
        if !matches!(self.mode, Mode::Cancelling { .. }) {
            self.begin_cancelling(now, OnRunning::LetFinish);
        }
    }

    fn begin_cancelling(&mut self, now: Instant, on_running: OnRunning) {
        self.mode = Mode::Cancelling { since: now, next: CancelScope::Waiting, at: now, on_running };
        self.pause = None;
    }

    /// The elements of the current round say that they belong to this array: a submission whose answer was lost may have
    /// arrived later than its repetition.
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

    /// Called when every job has an outcome: cancels waiting elements, and waits for nothing else.
    pub fn finish(&mut self) {
        if self.mode == Mode::Running {
            self.mode = Mode::Finishing(Some(CancelScope::Waiting));
            self.pause = None;
        }
    }

    /// The state of the current array.
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

    /// The round whose array is current or being submitted.
    #[must_use]
    pub fn round(&self) -> Option<&Round> {
        match &self.stage {
            Stage::Between | Stage::Over => None,
            Stage::Unsent(round) | Stage::Doubtful(round, ..) => Some(round),
            Stage::Out(array) => Some(&array.round),
        }
    }

    /// Called when something has changed that the engine will know of soon: asks it soon.
    pub fn look(&mut self, now: Instant) {
        self.poll_pause = PollPause::default();
        self.pause = self.pause.map(|pause| pause.min(now + self.settings.poll_every));
    }

    /// If all elements have been gone for long enough, decides which jobs are retried and which are lost.
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
            // A user who has cancelled everything doesn't want the rest to come back as another array.
            let rest = self.backlog.take();
            self.leave(rest, "the array before it");
        }
    }

    /// Puts jobs that were not begun into the next array, as long as there is progress.
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
