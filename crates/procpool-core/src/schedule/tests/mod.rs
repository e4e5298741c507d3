//! Tests of the schedule with a clock of their own: a case for each promise here, any sequence of events in `properties`.

use std::time::{Duration, Instant};

use super::*;
use crate::data::status::{Signal, Status};
use crate::halt::rule::{HaltQuantity, HaltWhen, HaltWhy};
use crate::outcome::Ran;
use crate::schedule::admission::AdmissionRules;

mod properties;

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

fn schedule(limit: usize, expected: Option<u64>, policies: Policies) -> Schedule<()> {
    Schedule::new(Limit::new(limit).unwrap(), expected, policies)
}

fn job() -> Job<()> {
    Job::new("key", ())
}

fn exit(code: u8) -> Outcome {
    Ran::new(End::Itself(Status::Exited(code))).into()
}

fn stopped() -> Outcome {
    Ran::new(End::Stopped(Status::Signalled(Signal::TERM))).into()
}

/// What follows for a job whose attempt has ended.
#[derive(Debug, PartialEq)]
enum Then {
    Done,
    Again(Duration),
}

impl Schedule<()> {
    /// An attempt ends, and that is reported at once.
    fn finish(&mut self, start: Start<()>, outcome: &Outcome, now: Instant) -> Then {
        match self.conclude(start, outcome) {
            Verdict::Done(start) => {
                self.leave(start.slot, now);
                Then::Done
            }
            Verdict::Again(start, pause) => {
                self.try_again(start, pause, now);
                Then::Again(pause)
            }
        }
    }
}

/// A schedule with this many jobs and no more input.
fn with_jobs(limit: usize, jobs: usize, policies: Policies) -> Schedule<()> {
    let mut schedule = schedule(limit, None, policies);
    (0..jobs).for_each(|_| schedule.add(job()));
    schedule.end_input();
    schedule
}

fn retrying(retries: Retries) -> Policies {
    Policies { retries, ..Policies::default() }
}

fn halting(when: HaltWhen, why: HaltWhy, quantity: HaltQuantity) -> Policies {
    Policies {
        halt_rule: Some(HaltRule { when, why, quantity }),
        ..Policies::default()
    }
}

#[test]
fn who_takes_one_of_several_knows_that_others_are_left_for_the_slots_that_are_free() {
    let mut schedule = schedule(2, None, retrying(Retries::new(1).delay(SECOND)));
    let now = Instant::now();
    assert!(!schedule.leaves_work());
    (0..2).for_each(|_| schedule.add(job()));
    let first = schedule.start(now).unwrap();
    assert!(schedule.leaves_work());
    let second = schedule.start(now).unwrap();
    assert!(!schedule.leaves_work());
    // It waits for its retry, so somebody has to look at the clock.
    assert_ne!(schedule.finish(first, &exit(1), now), Then::Done);
    assert!(schedule.leaves_work());
    schedule.finish(second, &exit(0), now);
    let again = schedule.start(now + 9 * SECOND).unwrap();
    schedule.finish(again, &exit(0), now + 9 * SECOND);
    assert!(!schedule.leaves_work());
}

#[test]
fn nothing_is_wanted_from_the_input_while_all_slots_are_taken() {
    let mut schedule = schedule(1, None, Policies::default());
    let now = Instant::now();
    assert!(schedule.wants_input());
    schedule.add(job());
    assert!(!schedule.wants_input());
    let start = schedule.start(now).unwrap();
    assert!(!schedule.wants_input());
    assert_eq!(schedule.finish(start, &exit(0), now), Then::Done);
    assert!(schedule.wants_input());
    schedule.end_input();
    assert!(!schedule.wants_input());
    assert!(schedule.is_over());
}

#[test]
fn a_snapshot_tells_pending_exactly_where_the_input_said_how_long_it_is() {
    let now = Instant::now();
    let mut known = schedule(2, Some(5), Policies::default());
    known.add(job());
    known.start(now).unwrap();
    let snapshot = known.snapshot(now);
    assert_eq!((snapshot.total, snapshot.pending), (Some(5), Pending::Exactly(4)));
    assert!(!snapshot.is_limit_reached());
    assert_eq!(snapshot.active[0].slot.get(), 1);

    let mut open = schedule(2, None, Policies::default());
    open.add(job());
    let snapshot = open.snapshot(now);
    assert_eq!((snapshot.total, snapshot.pending), (None, Pending::AtLeast(1)));
    open.end_input();
    let snapshot = open.snapshot(now);
    assert_eq!((snapshot.total, snapshot.pending), (Some(1), Pending::Exactly(1)));
}

#[test]
fn a_job_that_waits_for_its_retry_holds_no_slot_and_others_go_before_it_until_it_is_due() {
    let retries = Retries::new(1).delay(SECOND).longest_delay(SECOND);
    let mut schedule = schedule(1, None, retrying(retries));
    let now = Instant::now();
    schedule.add(job());
    let first = schedule.start(now).unwrap();
    assert_eq!(schedule.finish(first, &exit(1), now), Then::Again(SECOND));
    let snapshot = schedule.snapshot(now);
    assert_eq!((snapshot.retrying, snapshot.pending, snapshot.completed), (1, Pending::AtLeast(1), 0));
    assert_eq!(schedule.next_wake(now), Some(now + SECOND));
    assert!(schedule.wants_input() && !schedule.is_idle());

    schedule.add(job());
    let second = schedule.start(now).unwrap();
    assert_eq!((second.seq.get(), second.attempt), (2, 1));
    assert_eq!(schedule.next_wake(now), None, "no slot is free");
    schedule.add(job());
    schedule.finish(second, &exit(0), now + SECOND);
    let again = schedule.start(now + SECOND).unwrap();
    assert_eq!((again.seq.get(), again.attempt), (1, 2), "it is due, and goes before new ones");
    assert_eq!(schedule.finish(again, &exit(1), now + SECOND), Then::Done);
}

#[test]
fn a_job_that_fails_after_the_halt_is_not_tried_again() {
    let mut schedule = with_jobs(1, 1, retrying(Retries::new(5)));
    let now = Instant::now();
    let start = schedule.start(now).unwrap();
    schedule.halt();
    assert_eq!(schedule.finish(start, &exit(1), now), Then::Done);
    assert!(schedule.is_over());
}

#[test]
fn a_job_that_waits_for_its_retry_at_the_halt_is_given_up_with_the_attempt_that_never_came() {
    let mut schedule = with_jobs(1, 1, retrying(Retries::new(5).delay(SECOND)));
    let now = Instant::now();
    let start = schedule.start(now).unwrap();
    assert_ne!(schedule.finish(start, &exit(1), now), Then::Done);
    schedule.halt();
    assert!(schedule.start(now + 10 * SECOND).is_none());
    assert_eq!(schedule.next_wake(now), None);
    assert_eq!(schedule.give_up().map(|waiting| waiting.attempt), Some(2));
    assert!(schedule.is_over() && schedule.give_up().is_none());
}

#[test]
fn a_delay_keeps_starts_apart_and_says_when_to_come_back() {
    let mut schedule = with_jobs(9, 3, Policies { delay: SECOND, ..Policies::default() });
    let now = Instant::now();
    assert!(schedule.start(now).is_some());
    assert!(schedule.start(now).is_none());
    assert_eq!(schedule.next_wake(now), Some(now + SECOND));
    assert!(schedule.start(now + 999 * MILLISECOND).is_none());
    let late = now + 10 * SECOND;
    assert!(schedule.start(late).is_some());
    assert!(schedule.start(late).is_none(), "what was not used is not made up for");
    assert_eq!(schedule.next_wake(late), Some(late + SECOND));
}

#[test]
fn a_start_tells_which_policy_kept_it_though_a_slot_was_free_and_nothing_of_full_slots() {
    let mut schedule = with_jobs(2, 3, Policies { delay: SECOND, ..Policies::default() });
    let now = Instant::now();
    let first = schedule.start(now).unwrap();
    assert!(schedule.start(now).is_none());
    let second = schedule.start(now + SECOND).unwrap();
    assert_eq!((first.held_up, second.held_up), (None, Some(HeldUp::Delay)));
    assert!(schedule.start(now + SECOND).is_none(), "no slot is free");
    schedule.finish(first, &exit(0), now + 2 * SECOND);
    assert_eq!(schedule.start(now + 2 * SECOND).unwrap().held_up, None);
}

#[test]
fn of_two_policies_that_kept_a_job_from_its_start_the_last_one_is_told() {
    let admission = AdmissionRules { load_limit: Some(2), memory_reserve: None };
    let mut schedule = with_jobs(2, 2, Policies { admission, delay: SECOND, ..Policies::default() });
    let now = Instant::now();
    schedule.note_reading(loaded(0), now);
    assert_eq!(schedule.start(now).unwrap().held_up, None);
    assert!(schedule.start(now).is_none());
    schedule.note_reading(loaded(9), now + SECOND);
    assert!(schedule.start(now + SECOND).is_none());
    schedule.note_reading(loaded(0), now + 2 * SECOND);
    assert_eq!(schedule.start(now + 2 * SECOND).unwrap().held_up, Some(HeldUp::Load));
}

#[test]
fn a_retry_was_held_up_where_it_became_due_before_starts_were_free_again() {
    let held_up = |pause, delay| {
        let policies = Policies {
            delay,
            ..retrying(Retries::new(1).delay(pause).longest_delay(pause))
        };
        let mut schedule = with_jobs(1, 1, policies);
        let now = Instant::now();
        let start = schedule.start(now).unwrap();
        schedule.finish(start, &exit(1), now);
        assert!(schedule.start(now).is_none());
        schedule.start(schedule.next_wake(now).unwrap()).unwrap().held_up
    };
    assert_eq!(held_up(SECOND, 2 * SECOND), Some(HeldUp::Delay));
    assert_eq!(held_up(2 * SECOND, SECOND), None);
}

#[test]
fn a_job_counts_for_the_rule_once_it_is_done_for_good() {
    let mut policies = halting(HaltWhen::Now, HaltWhy::Fail, HaltQuantity::Number(1));
    policies.retries = Retries::new(1);
    let mut schedule = with_jobs(1, 2, policies);
    let now = Instant::now();
    let first = schedule.start(now).unwrap();
    schedule.finish(first, &exit(1), now);
    assert_eq!(schedule.take_halt(), None);
    let second = schedule.start(now).unwrap();
    schedule.finish(second, &exit(1), now);
    assert!(schedule.halt_rule.is_some());
    assert_eq!(schedule.snapshot(now).reached, schedule.halt_rule);
    assert_eq!(schedule.take_halt(), Some(Halt::Stop(Signal::TERM)));
    assert_eq!(schedule.take_halt(), None);
    assert!(schedule.start(now).is_none());
}

#[test]
fn what_was_stopped_or_never_reached_counts_for_no_rule() {
    let mut schedule = with_jobs(2, 2, halting(HaltWhen::Soon, HaltWhy::Done, HaltQuantity::Number(1)));
    let now = Instant::now();
    let (first, second) = (schedule.start(now).unwrap(), schedule.start(now).unwrap());
    schedule.finish(first, &stopped(), now);
    schedule.finish(second, &NotStarted::NeverReached.into(), now);
    assert_eq!((schedule.take_halt(), schedule.snapshot(now).reached), (None, None));
}

#[test]
fn a_drained_run_still_stops_where_its_rule_says_now() {
    let mut schedule = with_jobs(1, 1, halting(HaltWhen::Now, HaltWhy::Fail, HaltQuantity::Number(1)));
    let now = Instant::now();
    let start = schedule.start(now).unwrap();
    schedule.halt();
    schedule.finish(start, &exit(1), now);
    assert_eq!(schedule.take_halt(), Some(Halt::Stop(Signal::TERM)));
}

#[test]
fn a_percentage_reads_the_whole_input_and_is_judged_when_its_end_is_known() {
    let policies = halting(HaltWhen::Soon, HaltWhy::Fail, HaltQuantity::Percent(50));
    let mut schedule = schedule(1, None, policies);
    let now = Instant::now();
    schedule.add(job());
    let start = schedule.start(now).unwrap();
    assert!(schedule.wants_input(), "though no slot is free");
    schedule.finish(start, &exit(1), now);
    schedule.add(job());
    assert_eq!(schedule.take_halt(), None);
    schedule.end_input();
    assert_eq!(schedule.take_halt(), Some(Halt::Drain));
}

#[test]
fn a_percentage_is_of_jobs_whatever_their_positions() {
    let policies = halting(HaltWhen::Soon, HaltWhy::Fail, HaltQuantity::Percent(50));
    let mut schedule = schedule(1, None, policies);
    let now = Instant::now();
    for position in [10, 1_000] {
        schedule.add(job().position(position));
    }
    schedule.end_input();
    let start = schedule.start(now).unwrap();
    assert_eq!((start.seq.get(), schedule.snapshot(now).pending), (10, Pending::Exactly(1)));
    schedule.finish(start, &exit(1), now);
    assert_eq!(schedule.take_halt(), Some(Halt::Drain));
}

#[test]
fn a_percentage_of_a_length_that_was_told_reads_no_further_than_needed() {
    let policies = halting(HaltWhen::Soon, HaltWhy::Fail, HaltQuantity::Percent(50));
    let mut schedule = schedule(1, Some(2), policies);
    let now = Instant::now();
    schedule.add(job());
    let start = schedule.start(now).unwrap();
    assert!(!schedule.wants_input());
    schedule.finish(start, &exit(1), now);
    assert_eq!(schedule.take_halt(), Some(Halt::Drain));
}

#[test]
fn slots_are_busy_while_they_are_taken_also_by_attempts_that_are_tried_again() {
    let mut schedule = with_jobs(1, 1, retrying(Retries::new(1).delay(SECOND)));
    let now = Instant::now();
    let start = schedule.start(now).unwrap();
    assert_eq!(schedule.snapshot(now + SECOND).busy, SECOND);
    schedule.finish(start, &exit(1), now + 2 * SECOND);
    assert_eq!(schedule.snapshot(now + 3 * SECOND).busy, 2 * SECOND);
}

fn loaded(running_tasks: u64) -> Reading {
    Reading { running_tasks: Some(running_tasks), available_memory: None }
}

#[test]
fn a_machine_that_is_busy_holds_up_starts_and_it_is_said_when_to_look_again() {
    let admission = AdmissionRules { load_limit: Some(2), memory_reserve: None };
    let mut schedule = with_jobs(2, 9, Policies { admission, ..Policies::default() });
    let now = Instant::now();
    assert!(schedule.wants_reading(now) && schedule.start(now).is_none());
    schedule.note_reading(loaded(2), now);
    assert!(schedule.start(now).is_none());
    assert_eq!(schedule.snapshot(now).held_up, Some(HeldUp::Load));
    let again = schedule.next_wake(now).unwrap();
    assert!(again > now && !schedule.wants_reading(now) && schedule.wants_reading(again));
    schedule.note_reading(loaded(1), again);
    assert_eq!(schedule.snapshot(again).held_up, None);
    assert!(schedule.start(again).is_some());
    assert!(schedule.start(again).is_none(), "each start takes a look of its own");
}

#[test]
fn nobody_looks_at_the_machine_while_nothing_could_start_anyway() {
    let admission = AdmissionRules { load_limit: Some(2), memory_reserve: None };
    let policies = Policies { admission, delay: SECOND, ..Policies::default() };
    let now = Instant::now();
    assert!(!with_jobs(1, 0, policies.clone()).wants_reading(now));
    let mut schedule = with_jobs(2, 3, policies);
    schedule.note_reading(loaded(0), now);
    assert!(schedule.start(now).is_some());
    let before = now + SECOND / 2;
    assert!(!schedule.wants_reading(before));
    assert_eq!(schedule.snapshot(before).held_up, Some(HeldUp::Delay));
    assert_eq!(schedule.next_wake(before), Some(now + SECOND));
    assert!(schedule.wants_reading(now + SECOND));
    schedule.halt();
    assert!(!schedule.wants_reading(now + SECOND));
}

#[test]
fn a_timeout_in_percent_follows_from_those_that_succeeded() {
    let policies = Policies { timeout_percent: Some(200), ..Policies::default() };
    let mut schedule = with_jobs(1, 9, policies);
    let now = Instant::now();
    for code in [0, 1, 0, 1] {
        let start = schedule.start(now).unwrap();
        schedule.finish(start, &lasting(SECOND, code), now);
        assert_eq!(schedule.timeout(), None);
    }
    let start = schedule.start(now).unwrap();
    schedule.finish(start, &lasting(SECOND, 0), now);
    let timeout = schedule.timeout().unwrap();
    assert!((2 * SECOND..2 * SECOND + 20 * MILLISECOND).contains(&timeout), "{timeout:?}");
}

fn lasting(elapsed: Duration, code: u8) -> Outcome {
    let mut ran = Ran::new(End::Itself(Status::Exited(code)));
    ran.elapsed = elapsed;
    ran.into()
}

#[test]
fn a_shuffled_run_starts_nothing_before_it_has_all_of_its_input() {
    let mut schedule = schedule(1, None, Policies { shuffle: Some(2), ..Policies::default() });
    let now = Instant::now();
    for _ in 0..50 {
        assert!(schedule.wants_input());
        schedule.add(job());
        assert!(schedule.start(now).is_none());
    }
    assert_eq!(schedule.next_wake(now), None);
    schedule.end_input();
    assert_ne!(schedule.start(now).unwrap().seq, Seq::FIRST);
}
