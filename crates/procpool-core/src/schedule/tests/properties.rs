//! Invariants for any policies and any order of events. The test uses the schedule's interface only, and keeps records of
//! its own to compare with.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use super::{MILLISECOND, exit, stopped};
use crate::data::job::Job;
use crate::data::limit::Limit;
use crate::halt::rule::{HaltQuantity, HaltRule, HaltWhen, HaltWhy};
use crate::outcome::Outcome;
use crate::outcome::snapshot::{HeldUp, Pending};
use crate::schedule::admission::{AdmissionRules, Reading};
use crate::schedule::policies::{Policies, Positions};
use crate::schedule::retries::Retries;
use crate::schedule::{Schedule, Start, Verdict};

/// What may happen next.
#[derive(Clone, Debug)]
enum Step {
    /// A job with these retries and this position comes from the input.
    Add(Option<u32>, Option<u64>),
    EndInput,
    /// Everything that may start is started.
    Start,
    /// A running job ends.
    Finish(prop::sample::Index, Ending),
    /// Time passes.
    StartPermit(u64),
    /// The machine becomes busy or free.
    Machine(Load),
    Halt,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Load {
    Busy,
    Free,
}

impl Load {
    fn reading(self) -> Reading {
        let running_tasks = Some(match self {
            Load::Busy => BUSY,
            Load::Free => BUSY - 1,
        });
        Reading { running_tasks, available_memory: None }
    }
}

const BUSY: u64 = 5;

#[derive(Clone, Copy, Debug)]
enum Ending {
    Succeeds,
    Fails,
    Stopped,
}

impl Ending {
    fn outcome(self) -> Outcome {
        match self {
            Ending::Succeeds => exit(0),
            Ending::Fails => exit(1),
            Ending::Stopped => stopped(),
        }
    }
}

fn ending() -> impl Strategy<Value = Ending> {
    prop_oneof![3 => Just(Ending::Succeeds), 3 => Just(Ending::Fails), 1 => Just(Ending::Stopped)]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (prop::option::weighted(0.2, 0_u32..3), position()).prop_map(|(retries, position)| Step::Add(retries, position)),
        8 => Just(Step::Start),
        8 => (any::<prop::sample::Index>(), ending()).prop_map(|(which, ending)| Step::Finish(which, ending)),
        6 => (0_u64..30).prop_map(Step::StartPermit),
        2 => prop::sample::select(vec![Load::Busy, Load::Free]).prop_map(Step::Machine),
        1 => Just(Step::EndInput),
        1 => prop::bool::weighted(0.1).prop_map(|halts| if halts { Step::Halt } else { Step::Start }),
    ]
}

/// Most are a little ahead of or behind the input.
fn position() -> impl Strategy<Value = Option<u64>> {
    prop_oneof![6 => Just(None), 4 => (0_u64..200).prop_map(Some), 1 => any::<u64>().prop_map(Some)]
}

/// The promised position of the next job.
fn next_position(before: u64, own: Option<u64>) -> u64 {
    own.filter(|own| *own > before && *own <= 1 << 63).unwrap_or(before + 1)
}

fn rule() -> impl Strategy<Value = HaltRule> {
    let why = prop::sample::select(vec![HaltWhy::Fail, HaltWhy::Success, HaltWhy::Done]);
    let quantity =
        prop_oneof![(1_u64..9).prop_map(HaltQuantity::Number), (1_u8..=100).prop_map(HaltQuantity::Percent)];
    (why, quantity).prop_map(|(why, quantity)| HaltRule { when: HaltWhen::Soon, why, quantity })
}

fn policies() -> impl Strategy<Value = Policies> {
    let milliseconds = |most: u64| (0..most).prop_map(Duration::from_millis);
    let retries = (0_u32..3, milliseconds(50), milliseconds(80), any::<u64>());
    let retries = retries.prop_map(|(further, delay, longest, seed)| {
        Retries::new(further).delay(delay).longest_delay(longest).seed(seed)
    });
    let load_limit = prop::option::weighted(0.3, Just(BUSY));
    let admission = load_limit.prop_map(|load_limit| AdmissionRules { load_limit, memory_reserve: None });
    let others = (prop::option::weighted(0.2, Just(300)), prop::option::weighted(0.2, any::<u64>()));
    (retries, prop::option::weighted(0.3, rule()), milliseconds(10), admission, others).prop_map(
        |(retries, halt_rule, delay, admission, (timeout_percent, shuffle))| Policies {
            positions: Positions::Rising,
            retries,
            halt_rule,
            delay,
            admission,
            timeout_percent,
            shuffle,
        },
    )
}

/// The records that the schedule is compared with.
struct Books {
    schedule: Schedule<()>,
    policies: Policies,
    limit: usize,
    now: Instant,
    last_start: Option<Instant>,
    machine: Load,
    /// The last reading of the machine; `None` since the last start.
    looked: Option<Load>,
    /// What last prevented a start; `None` since the last start.
    held_up: Option<HeldUp>,
    /// The positions of all jobs so far.
    added: Vec<u64>,
    /// Positions that were started for the first time, or given up before that.
    begun: BTreeSet<u64>,
    running: Vec<Start<()>>,
    /// When each waiting retry is due, and its position.
    waiting: BTreeMap<u64, (Instant, u32)>,
    over: BTreeSet<u64>,
    halted: bool,
}

impl Books {
    fn new(limit: usize, policies: Policies) -> Books {
        Books {
            schedule: Schedule::new(Limit::new(limit).unwrap(), None, policies.clone()),
            policies,
            limit,
            now: Instant::now(),
            last_start: None,
            machine: Load::Free,
            looked: None,
            held_up: None,
            added: Vec::new(),
            begun: BTreeSet::new(),
            running: Vec::new(),
            waiting: BTreeMap::new(),
            over: BTreeSet::new(),
            halted: false,
        }
    }

    fn take(&mut self, step: &Step) -> TestCaseResult {
        match step {
            Step::Add(..) if !self.schedule.input.is_open() => {}
            Step::Add(retries, position) => {
                self.schedule.add(Job {
                    retries: *retries,
                    position: *position,
                    ..Job::new("key", ())
                });
                let before = self.added.last().copied().unwrap_or(0);
                self.added.push(next_position(before, *position));
            }
            Step::EndInput => self.schedule.end_input(),
            Step::Start => while self.start()? {},
            Step::Finish(..) if self.running.is_empty() => {}
            Step::Finish(which, ending) => self.finish(which.index(self.running.len()), *ending)?,
            Step::StartPermit(milliseconds) => self.now += Duration::from_millis(*milliseconds),
            Step::Machine(load) => self.machine = *load,
            Step::Halt => {
                self.schedule.halt();
                self.halted = true;
            }
        }
        self.halted |= self.schedule.take_halt().is_some();
        self.compare()
    }

    /// Starts a job if any may start. Returns whether one did.
    fn start(&mut self) -> Result<bool, TestCaseError> {
        let due = self.waiting.values().any(|(due, _)| *due <= self.now);
        if self.schedule.wants_reading(self.now) {
            self.schedule.note_reading(self.machine.reading(), self.now);
            self.looked = Some(self.machine);
        }
        let Some(start) = self.schedule.start(self.now) else {
            let too_early = self.last_start.is_some_and(|last| self.now < last + self.policies.delay);
            let full = self.running.len() == self.limit;
            let unordered = self.policies.shuffle.is_some() && self.schedule.input.is_open();
            let looks = !self.policies.admission.is_empty() && self.looked != Some(Load::Free);
            let something = due || self.begun.len() < self.added.len();
            let kept = self.halted || full || too_early || unordered || looks;
            prop_assert!(kept || !something, "nothing keeps it from starting one");
            if let Some(held_up) = self.schedule.snapshot(self.now).held_up {
                prop_assert!(!full && something && !self.halted);
                let expected = if too_early { HeldUp::Delay } else { HeldUp::Load };
                prop_assert_eq!(held_up, expected);
                self.held_up = Some(held_up);
            }
            return Ok(false);
        };
        prop_assert!(!self.halted);
        let (looked, held_up) = (self.looked.take(), self.held_up.take());
        prop_assert!(start.held_up != Some(HeldUp::Delay) || !self.policies.delay.is_zero());
        prop_assert!(start.held_up != Some(HeldUp::Load) || !self.policies.admission.is_empty());
        prop_assert!(self.policies.admission.is_empty() || looked == Some(Load::Free), "let in unseen");
        prop_assert!(self.last_start.is_none_or(|last| self.now >= last + self.policies.delay));
        self.last_start = Some(self.now);
        let seq = start.seq.get();
        match self.waiting.remove(&seq) {
            Some((due, attempt)) => {
                prop_assert!(due <= self.now, "started before it was due");
                prop_assert_eq!(start.attempt, attempt);
            }
            None => {
                prop_assert!(self.begun.insert(seq), "started twice");
                prop_assert_eq!(start.attempt, 1);
                let in_order = self.added[self.begun.len() - 1] == seq;
                prop_assert!(in_order || self.policies.shuffle.is_some(), "the order of the input is kept");
                prop_assert!(!due, "one that is due again goes first");
                prop_assert!(held_up.is_none() || held_up == start.held_up, "it is not told what held it up");
            }
        }
        prop_assert!(start.slot.get() <= self.limit);
        prop_assert!(self.running.iter().all(|other| other.slot != start.slot && other.seq != start.seq));
        self.running.push(start);
        Ok(true)
    }

    fn finish(&mut self, which: usize, ending: Ending) -> TestCaseResult {
        let start = self.running.swap_remove(which);
        let (seq, attempt) = (start.seq.get(), start.attempt);
        let further = start.job.retries.unwrap_or(self.policies.retries.count());
        let expected = matches!(ending, Ending::Fails) && attempt <= further && !self.halted;
        let verdict = self.schedule.conclude(start, &ending.outcome());
        prop_assert_eq!(
            self.schedule.running(),
            self.running.len() + 1,
            "until it was told its slot is taken"
        );
        match verdict {
            Verdict::Done(start) => {
                prop_assert!(!expected);
                prop_assert_eq!((start.seq.get(), start.attempt), (seq, attempt));
                prop_assert!(self.over.insert(seq), "done twice");
                self.schedule.leave(start.slot, self.now);
            }
            Verdict::Again(start, pause) => {
                prop_assert!(expected);
                self.waiting.insert(seq, (self.now + pause, attempt + 1));
                self.schedule.try_again(start, pause, self.now);
            }
        }
        Ok(())
    }

    fn compare(&self) -> TestCaseResult {
        let snapshot = self.schedule.snapshot(self.now);
        prop_assert_eq!(snapshot.active.len(), self.running.len());
        prop_assert_eq!(snapshot.completed, self.over.len() as u64);
        prop_assert_eq!(snapshot.retrying, self.waiting.len() as u64);
        prop_assert_eq!(self.schedule.running(), self.running.len());
        let is_idle = self.over.len() == self.added.len();
        prop_assert_eq!(self.schedule.is_idle(), is_idle);
        let left = self.added.len() - self.over.len() - self.running.len();
        if self.schedule.input.is_open() {
            prop_assert_eq!((snapshot.total, snapshot.pending), (None, Pending::AtLeast(left as u64)));
        } else {
            prop_assert_eq!(snapshot.total, Some(self.added.len() as u64));
            prop_assert_eq!(snapshot.pending, Pending::Exactly(left as u64));
        }
        Ok(())
    }

    /// Lets time pass and jobs succeed until none is left.
    fn play_out(mut self) -> TestCaseResult {
        self.take(&Step::EndInput)?;
        self.machine = Load::Free;
        while !self.schedule.is_over() {
            while let Some(waiting) = self.halted.then(|| self.schedule.give_up()).flatten() {
                let seq = waiting.seq.get();
                prop_assert!(self.over.insert(seq), "given up, and done before");
                let (_, attempt) = self.waiting.remove(&seq).unwrap_or((self.now, 1));
                prop_assert_eq!(waiting.attempt, attempt);
                prop_assert!(self.begun.insert(seq) || attempt > 1);
            }
            self.take(&Step::Start)?;
            if let Some(last) = self.running.len().checked_sub(1) {
                self.finish(last, Ending::Succeeds)?;
                self.halted |= self.schedule.take_halt().is_some();
            } else if let Some(wake) = self.schedule.next_wake(self.now) {
                // Just before that, nothing may start; else the wake-up would be too late.
                self.now += wake.saturating_duration_since(self.now).saturating_sub(MILLISECOND);
                self.take(&Step::Start)?;
                prop_assert!(self.running.is_empty(), "it could have been started earlier");
                self.now = self.now.max(wake);
            } else {
                prop_assert!(self.halted || self.schedule.is_over(), "something is left and nobody wakes up");
            }
        }
        prop_assert!(self.over.iter().eq(&self.added), "something was lost");
        Ok(())
    }
}

proptest! {
    /// Never more jobs than the limit run at once; no slot is shared; no job is lost or done twice; a retry waits without a
    /// slot and is never early; a delay lies between any two starts; whatever may start does.
    #[test]
    fn whatever_happens_the_limit_holds_and_nothing_is_lost(
        limit in 1_usize..6,
        policies in policies(),
        steps in prop::collection::vec(step(), 1..150),
    ) {
        let mut books = Books::new(limit, policies);
        for step in &steps {
            books.take(step)?;
        }
        books.play_out()?;
    }

    #[test]
    fn a_shuffled_order_holds_each_job_once_and_follows_from_its_seed(seed: u64, jobs in 0_u64..200) {
        let order = |seed| {
            let policies = Policies { shuffle: Some(seed), ..Policies::default() };
            let mut schedule: Schedule<()> = Schedule::new(Limit::new(1).unwrap(), None, policies);
            (0..jobs).for_each(|_| schedule.add(Job::new("key", ())));
            schedule.end_input();
            let now = Instant::now();
            let next = || {
                let start = schedule.start(now)?;
                let seq = start.seq.get();
                schedule.finish(start, &exit(0), now);
                Some(seq)
            };
            std::iter::from_fn(next).collect::<Vec<u64>>()
        };
        let shuffled = order(seed);
        prop_assert_eq!(&shuffled, &order(seed));
        let mut sorted = shuffled.clone();
        sorted.sort_unstable();
        prop_assert!(sorted.into_iter().eq(1..=jobs));
        prop_assert!(jobs < 20 || shuffled != order(seed.wrapping_add(1)));
    }
}
