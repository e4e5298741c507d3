//! Drain, stop, kill and drop of a run: scripted runners, no processes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

use crossbeam_channel::unbounded;
use procpool_core::{Completion, Halt, NotStarted, Outcome, Pending, Run, Signal};

use crate::{NEVER, Stage, exit, fed_by_hand, in_time, number, pool_by, wait_for, wait_readable};

fn is_never_reached(done: &Completion<u64>) -> bool {
    matches!(done.outcome, Outcome::NotStarted(NotStarted::NeverReached))
}

/// The outcome of each job. Fails if a job came back twice.
fn outcomes(run: Run<u64>) -> BTreeMap<u64, Completion<u64>> {
    let mut outcomes = BTreeMap::new();
    for done in run {
        let twice = outcomes.insert(done.job.work, done);
        assert!(twice.is_none(), "{twice:?}");
    }
    outcomes
}

fn count(counted: &AtomicUsize) {
    counted.fetch_add(1, SeqCst);
}

#[test]
fn a_drain_lets_finish_what_runs_and_starts_nothing_new() {
    let (pool, stage) = Stage::pool(2);
    let run = pool.run((0..50).map(number)).unwrap();
    let running = stage.take(2);
    run.handle().drain();
    assert_eq!(run.handle().halted(), Halt::Drain);
    drop(running);
    let outcomes = outcomes(run);
    assert!(stage.is_quiet());
    assert!(outcomes[&0].outcome.is_success() && outcomes[&1].outcome.is_success());
    assert!(outcomes.values().skip(2).all(is_never_reached));
    assert!(outcomes.values().skip(2).all(|done| done.slot.is_none()));
}

#[test]
fn what_was_pulled_before_a_halt_comes_back_exactly_once() {
    for limit in [1, 4] {
        let pulled = Arc::new(AtomicUsize::new(0));
        let endless = {
            let pulled = Arc::clone(&pulled);
            (0..).map(number).inspect(move |_| count(&pulled))
        };
        let (pool, stage) = Stage::pool(limit);
        let run = pool.run(endless).unwrap();
        let running = stage.take(limit);
        // As far ahead as it gets: the slots, the channel, and one job in the feeder's hand.
        wait_for("the feeder to be ahead", || pulled.load(SeqCst) > 2 * limit);
        run.handle().drain();
        drop(running);
        let outcomes = outcomes(run);
        assert!(outcomes.keys().copied().eq(0..pulled.load(SeqCst) as u64));
        assert_eq!(outcomes.values().filter(|done| !is_never_reached(done)).count(), limit);
    }
}

#[test]
fn a_job_that_comes_late_out_of_a_slow_input_comes_back_and_the_input_has_not_ended() {
    let (pool, stage) = Stage::pool(1);
    let (hand, fed) = fed_by_hand();
    let run = pool.run(fed).unwrap();
    hand.send(number(0)).unwrap();
    let running = stage.next();
    run.handle().drain();
    hand.send(number(1)).unwrap();
    let handle = run.handle();
    drop(running);
    let outcomes = outcomes(run);
    assert!(is_never_reached(&outcomes[&1]));
    // The iterator could have yielded more, so the count must not be reported as complete.
    assert_eq!(handle.snapshot().pending, Pending::AtLeast(0));
}

#[test]
fn a_run_that_was_halted_knows_that_its_input_had_ended() {
    let (pool, stage) = Stage::pool(2);
    let (hand, fed) = fed_by_hand();
    let run = pool.run(fed).unwrap();
    let handle = run.handle();
    hand.send(number(0)).unwrap();
    let running = stage.next();
    drop(hand);
    wait_for("the end of the input", || handle.snapshot().pending == Pending::Exactly(0));
    handle.drain();
    drop(running);
    assert_eq!(run.count(), 1);
    assert_eq!(handle.snapshot().pending, Pending::Exactly(0));
}

#[test]
fn a_drain_before_anything_was_pulled_ends_the_run() {
    let pool = pool_by(2, |_, _| panic!("started"));
    let (hand, fed) = fed_by_hand();
    let run = pool.run(fed).unwrap();
    run.handle().drain();
    assert_eq!(in_time("a drained run whose input blocks", || run.count()), 0);
    drop(hand);
}

#[test]
fn a_stop_is_heard_by_what_runs_and_a_kill_after_it() {
    let (hearing, heard) = unbounded();
    let pool = pool_by(2, move |_, context| {
        hearing.send(context.halt()).unwrap();
        hearing.send(context.wait_for_stop(Some(NEVER))).unwrap();
        wait_readable(&[context.kill_event()]);
        hearing.send(context.halt()).unwrap();
        exit(0)
    });
    let run = pool.run([number(0)]).unwrap();
    assert_eq!(heard.recv(), Ok(Halt::GoOn));
    run.handle().stop_with(Signal::INT);
    assert_eq!(heard.recv(), Ok(Halt::Stop(Signal::INT)));
    // A stop after the stop changes nothing.
    run.handle().stop();
    assert_eq!(run.handle().halted(), Halt::Stop(Signal::INT));
    run.handle().kill();
    assert_eq!(heard.recv(), Ok(Halt::Kill));
    run.handle().drain();
    assert_eq!(run.handle().halted(), Halt::Kill);
    assert_eq!(run.count(), 1);
}

#[test]
fn a_drain_is_not_heard_by_what_runs() {
    let (pool, stage) = Stage::pool(1);
    let run = pool.run([number(0)]).unwrap();
    let running = stage.next();
    run.handle().drain();
    drop(running);
    assert!(run.into_iter().all(|done| done.outcome.is_success()));
}

#[test]
fn halts_from_many_threads_at_any_moment_lose_nothing() {
    for round in 0..200 {
        let pulled = Arc::new(AtomicUsize::new(0));
        let input = {
            let pulled = Arc::clone(&pulled);
            (0..1_000).map(number).inspect(move |_| count(&pulled))
        };
        let pool = pool_by(3, |_, _| exit(0));
        let run = pool.run(input).unwrap();
        let handles = [run.handle(), run.handle(), run.handle()];
        let halters = handles.map(|handle| {
            thread::spawn(move || {
                // Waits for no fact: each round is to reach another moment of the run.
                (0..50 * round).for_each(|_| std::hint::spin_loop());
                assert!(handle.snapshot().active.len() <= 3);
                handle.stop();
            })
        });
        let outcomes = outcomes(run);
        for halter in halters {
            halter.join().unwrap();
        }
        // On a busy machine, a job may be counted and still be inside the iterator; it is left there.
        let last = pulled.load(SeqCst) as u64;
        let (all, all_but_that) = (0..last, 0..last.saturating_sub(1));
        assert!([all, all_but_that].into_iter().any(|seen| outcomes.keys().copied().eq(seen)));
    }
}

#[test]
fn a_run_can_be_dropped_while_its_input_blocks() {
    let pool = pool_by(2, |_, _| exit(0));
    let (hand, fed) = fed_by_hand();
    let mut run = pool.run(fed).unwrap();
    hand.send(number(0)).unwrap();
    run.next().unwrap();
    in_time("the drop of a run whose input blocks", || drop(run));
    // Once the iterator returns, the feeder ends by itself and drops its end of the channel.
    wait_for("the end of the feeder", || hand.send(number(1)).is_err());
}

#[test]
fn a_run_can_be_dropped_while_completions_wait() {
    let ended = Arc::new(AtomicUsize::new(0));
    let pool = {
        let ended = Arc::clone(&ended);
        pool_by(2, move |_, _| {
            ended.fetch_add(1, SeqCst);
            exit(0)
        })
    };
    let run = pool.run((0..).map(number)).unwrap();
    wait_for("completions that nobody takes", || ended.load(SeqCst) >= 3);
    in_time("the drop of a run whose completions wait", || drop(run));
}

#[test]
fn a_drop_ends_what_runs_and_waits_for_its_end() {
    let (started, starts) = unbounded();
    let ended = Arc::new(AtomicUsize::new(0));
    let pool = {
        let ended = Arc::clone(&ended);
        pool_by(3, move |_, context| {
            started.send(()).unwrap();
            let halt = context.wait_for_stop(None);
            ended.fetch_add(usize::from(halt == Halt::Kill), SeqCst);
            exit(0)
        })
    };
    let run = pool.run((0..10).map(number)).unwrap();
    (0..3).for_each(|_| starts.recv().unwrap());
    drop(run);
    assert_eq!(ended.load(SeqCst), 3);
}
