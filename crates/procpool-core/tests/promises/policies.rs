//! Retries, halt rules and delays, and the events about them: scripted runners, no processes. The policies
//! themselves are tested in `schedule/tests`; these cases test that they are wired to the pool.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use crossbeam_channel::unbounded;
use procpool_core::{
    Cause, Command, Completion, Context, End, Event, Halt, HaltQuantity, HaltRule, HaltWhen, HaltWhy, HeldUp,
    Job, NotStarted, Outcome, Pool, Ran, Retries, Run, Runner, Signal, Status,
};

use crate::{NEVER, Stage, exit, in_time, limit, number, patient, pool_by, wait_for};

/// Exits with the number of the attempt, and with 0 from the third on.
fn third_time_lucky(_: &Job<u64>, context: &Context) -> Outcome {
    exit(match context.attempt() {
        3.. => 0,
        attempt => u8::try_from(attempt).unwrap(),
    })
}

fn is_never_reached<W>(done: &Completion<W>) -> bool {
    matches!(done.outcome, Outcome::NotStarted(NotStarted::NeverReached))
}

/// The events in short: kind, job, attempt.
fn story(mut run: Run<u64>) -> Vec<(char, u64, u32)> {
    let tell = |event| match event {
        Event::Started(started) => ('s', started.seq.get(), started.attempt),
        Event::Retried(retried) => ('r', retried.seq.get(), retried.attempt),
        Event::Completed(done) => ('c', done.seq.get(), done.attempt),
        other => panic!("{other:?}"),
    };
    std::iter::from_fn(|| run.next_event().map(tell)).collect()
}

#[test]
fn a_job_that_fails_is_tried_again_and_comes_back_once_with_its_last_attempt() {
    let pool = pool_by(2, third_time_lucky).retries(Retries::new(5));
    let results = pool.run_all((0..50).map(number)).unwrap();
    assert!(results.all_succeeded());
    assert_eq!(results.len(), 50);
    assert!(results.iter().all(|done| done.attempt == 3 && done.slot.is_some()));
}

#[test]
fn a_failed_attempt_is_told_when_it_fails_with_its_outcome_and_pause() {
    let retries = Retries::new(1).on([Cause::ExitCode(1)]);
    let mut run = pool_by(1, third_time_lucky).retries(retries).run([number(7)]).unwrap();
    let Some(Event::Retried(failed)) = run.next_event() else { panic!("no retry") };
    assert_eq!((failed.key.as_bytes(), failed.seq.get(), failed.slot.get()), (b"7".as_slice(), 1, 1));
    assert_eq!((failed.attempt, failed.outcome.status(), failed.pause.as_nanos()), (1, Some(1), 0));
    let Some(Event::Completed(done)) = run.next_event() else { panic!("no end") };
    assert_eq!((done.attempt, done.outcome.status()), (2, Some(2)));
    assert!(run.next_event().is_none() && run.next_event().is_none());
}

#[test]
fn starts_are_announced_to_those_who_ask_each_before_its_end() {
    let jobs = || [number(0).retries(1), number(1)];
    let silent = pool_by(1, third_time_lucky);
    assert_eq!(story(silent.run(jobs()).unwrap()), [('r', 1, 1), ('c', 1, 2), ('c', 2, 1)]);
    let announced = silent.announce_starts();
    assert_eq!(
        story(announced.run(jobs()).unwrap()),
        [('s', 1, 1), ('r', 1, 1), ('s', 1, 2), ('c', 1, 2), ('s', 2, 1), ('c', 2, 1)]
    );
}

#[test]
fn the_iterator_of_completions_passes_over_all_else() {
    let pool = pool_by(3, third_time_lucky).retries(Retries::new(2)).announce_starts();
    assert_eq!(pool.run((0..20).map(number)).unwrap().count(), 20);
}

#[test]
fn a_job_that_waits_for_its_retry_lets_others_run_and_is_given_back_by_a_halt() {
    let pool = pool_by(1, |job, _| exit(u8::from(job.work == 0)));
    let mut run = pool.retries(Retries::new(1).delay(NEVER)).run((0..3).map(number)).unwrap();
    let handle = run.handle();
    let others: Vec<u64> = run.by_ref().take(2).map(|done| done.job.work).collect();
    assert_eq!(others, [1, 2]);
    let now = handle.snapshot();
    assert_eq!((now.retrying, now.completed, now.active.len(), now.total), (1, 2, 0, Some(3)));
    handle.drain();
    let waiting = in_time("a halt while a job waits", move || run.next().unwrap());
    assert!(is_never_reached(&waiting));
    assert_eq!((waiting.job.work, waiting.attempt, waiting.slot), (0, 2, None));
}

#[test]
fn a_retry_comes_when_it_is_due_though_nothing_else_happens() {
    let moment = Duration::from_millis(1);
    let pool = pool_by(1, third_time_lucky).retries(Retries::new(2).delay(moment));
    let mut run = pool.run([number(0)]).unwrap();
    assert_eq!(in_time("a retry", move || run.next().unwrap().attempt), 3);
}

#[test]
fn a_runner_is_told_what_held_up_the_start_and_nothing_where_nothing_did() {
    let told = |delay| {
        let (told, hear) = unbounded();
        let pool = pool_by(2, move |_, context| {
            told.send(context.held_up()).unwrap();
            exit(0)
        });
        assert!(pool.delay(delay).run_all([number(0), number(1)]).unwrap().all_succeeded());
        hear.try_iter().collect::<Vec<Option<HeldUp>>>()
    };
    assert_eq!(told(Duration::ZERO), [None, None]);
    // On a busy machine the second job may come so late that a short delay has passed.
    let delays = [10, 100, 1_000, 10_000].map(Duration::from_millis);
    assert!(delays.into_iter().any(|delay| told(delay) == [None, Some(HeldUp::Delay)]));
}

#[test]
fn an_attempt_that_fails_after_a_drain_is_the_last() {
    let (pool, stage) = failing_stage();
    let run = pool.retries(Retries::new(9)).run([number(0)]).unwrap();
    let running = stage.next();
    run.handle().drain();
    drop(running);
    let done: Vec<Completion<u64>> = run.collect();
    assert_eq!((done[0].attempt, done[0].outcome.status()), (1, Some(1)));
}

/// A stage whose jobs fail when they are released.
fn failing_stage() -> (Pool<impl Runner<Work = u64>>, Stage) {
    Stage::pool_that_ends_with(1, || exit(1))
}

fn first_failure(when: HaltWhen) -> HaltRule {
    HaltRule { when, why: HaltWhy::Fail, quantity: HaltQuantity::Number(1) }
}

#[test]
fn a_rule_that_says_now_stops_what_runs_and_the_snapshot_tells_it() {
    let rule = first_failure(HaltWhen::Now);
    let started = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&started);
    let pool = pool_by(2, move |job, context| {
        counted.fetch_add(1, SeqCst);
        if job.work == 0 {
            wait_for("the other job", || counted.load(SeqCst) == 2);
            return exit(1);
        }
        assert_eq!(context.wait_for_stop(Some(NEVER)), Halt::Stop(Signal::TERM));
        exit(9)
    });
    let mut run = pool.halt_rule(rule).run((0..).map(number)).unwrap();
    let handle = run.handle();
    let mut outcomes: Vec<_> = run.by_ref().filter_map(|done| done.outcome.status()).collect();
    // The stopped job may be reported first.
    outcomes.sort_unstable();
    assert_eq!(outcomes, [1, 9]);
    assert_eq!(started.load(SeqCst), 2);
    assert_eq!((handle.halted(), handle.snapshot().reached), (Halt::Stop(Signal::TERM), Some(rule)));
}

#[test]
fn a_rule_that_says_soon_lets_finish_what_runs() {
    let rule = HaltRule {
        when: HaltWhen::Soon,
        why: HaltWhy::Success,
        quantity: HaltQuantity::Number(2),
    };
    let (pool, stage) = Stage::pool(3);
    let mut run = pool.halt_rule(rule).run((0..50).map(number)).unwrap();
    let handle = run.handle();
    let mut running = stage.take(3);
    running.truncate(1);
    wait_for("the rule", || handle.snapshot().reached == Some(rule));
    wait_for("its drain", || handle.halted() == Halt::Drain);
    drop((running, stage));
    let ran = run.by_ref().filter(|done| done.outcome.is_success()).count();
    // A job may have taken the slot of the first one that ended, if it was quick.
    assert!((3..=4).contains(&ran), "{ran}");
}

#[test]
fn a_percentage_of_an_input_of_unknown_length_is_judged_once_that_is_known() {
    let rule = HaltRule {
        quantity: HaltQuantity::Percent(50),
        ..first_failure(HaltWhen::Soon)
    };
    let jobs = |count| (0..count).map(number).filter(|_| true);
    let pool = pool_by(1, |job, _| exit(u8::from(job.work < 4))).halt_rule(rule);
    let run = pool.run(jobs(9)).unwrap();
    let handle = run.handle();
    assert_eq!((run.count(), handle.snapshot().reached), (9, None));
    let run = pool.run(jobs(8)).unwrap();
    let handle = run.handle();
    assert_eq!((run.count(), handle.snapshot().reached), (8, Some(rule)));
}

#[test]
fn a_delay_lies_between_any_two_starts() {
    let delay = Duration::from_millis(20);
    let pool = pool_by(8, |_, _| exit(0)).delay(delay);
    let begun = Instant::now();
    assert!(pool.run_all((0..5).map(number)).unwrap().all_succeeded());
    assert!(begun.elapsed() >= 4 * delay);
}

#[test]
fn a_timeout_in_percent_reaches_those_that_run_already() {
    let pool = pool_by(2, |job, context| {
        if job.work > 0 {
            let mut ran = Ran::new(End::Itself(Status::Exited(0)));
            ran.elapsed = Duration::from_millis(10);
            return ran.into();
        }
        wait_for("a timeout", || context.timeout().is_some());
        let timeout = context.timeout().unwrap();
        exit(u8::from(timeout < Duration::from_millis(30) || timeout > Duration::from_millis(31)))
    });
    let results = pool.timeout_percent(300).run_all((0..4).map(number)).unwrap();
    assert!(results.all_succeeded());
}

#[test]
fn a_process_that_hangs_from_the_start_is_ended_by_what_others_took() {
    let jobs = ["3600", "0.02", "0.02", "0.02"].map(|seconds| Command::new("sleep").arg(seconds));
    let jobs = jobs.into_iter().zip(0..).map(|(command, number)| Job::new(number.to_string(), command));
    let results = Pool::with_runner(limit(2), patient()).timeout_percent(5000).run_all(jobs).unwrap();
    assert_eq!(results["0"].outcome.status(), Some(124), "{}", results["0"].outcome);
    assert!(results["0"].elapsed() >= Duration::from_secs(1));
    assert!(results.iter().skip(1).all(|done| done.outcome.is_success()));
}

#[test]
fn a_job_with_a_timeout_of_its_own_keeps_it() {
    let quick = |number: u32| Job::new(number.to_string(), Command::new("true")).timeout(NEVER);
    let slow = Job::new("slow", Command::new("sleep").arg("0.5")).timeout(NEVER);
    let jobs = (0..3).map(quick).chain([slow]);
    let results = Pool::with_runner(limit(1), patient()).timeout_percent(1).run_all(jobs).unwrap();
    assert!(results["slow"].outcome.is_success(), "{}", results["slow"].outcome);
}

#[test]
fn a_machine_without_room_holds_up_all_starts_and_the_snapshot_says_why() {
    for held_up in [HeldUp::Load, HeldUp::Memory] {
        let pool = pool_by(2, |_, _| panic!("started"));
        let pool = match held_up {
            HeldUp::Load => pool.load_limit(0),
            _ => pool.memory_reserve(u64::MAX),
        };
        let mut run = pool.run((0..5).map(number)).unwrap();
        let handle = run.handle();
        wait_for("a look at the machine", || handle.snapshot().held_up == Some(held_up));
        handle.drain();
        assert!(run.by_ref().all(|done| is_never_reached(&done)));
    }
}

#[test]
fn a_machine_with_room_lets_all_start() {
    let pool = pool_by(2, |_, _| exit(0)).load_limit(u64::MAX).memory_reserve(1);
    assert!(pool.run_all((0..5).map(number)).unwrap().all_succeeded());
}

#[test]
fn a_shuffled_run_takes_all_of_its_input_in_another_order() {
    let pool = pool_by(1, |_, _| exit(0)).shuffle(3);
    let order =
        || -> Vec<u64> { pool.run((0..200).map(number)).unwrap().map(|done| done.job.work).collect() };
    let shuffled = order();
    assert!(!shuffled.is_sorted());
    assert_eq!(shuffled, order());
    let mut sorted = shuffled;
    sorted.sort_unstable();
    assert!(sorted.into_iter().eq(0..200));
}
