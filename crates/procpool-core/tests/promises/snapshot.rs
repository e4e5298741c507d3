//! Snapshots of runs: scripted runners, no processes.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::Instant;

use procpool_core::{Pending, Snapshot};

use crate::{Stage, exit, fed_by_hand, number, pool_by, wait_for};

fn places(snapshot: &Snapshot) -> Vec<(u64, usize)> {
    snapshot.active.iter().map(|active| (active.seq.get(), active.slot.get())).collect()
}

#[test]
fn a_snapshot_tells_what_waits_what_runs_where_since_when_and_what_is_done() {
    let (pool, stage) = Stage::pool(2);
    let before = Instant::now();
    let mut run = pool.run((0..5).map(number)).unwrap();
    let handle = run.handle();
    let mut running = stage.take(2);
    let now = handle.snapshot();
    assert_eq!((now.limit.get(), now.pending, now.completed), (2, Pending::Exactly(3), 0));
    assert_eq!(places(&now), [(1, 1), (2, 2)]);
    assert_eq!(now.active[0].key.as_bytes(), b"0");
    assert!(now.active.iter().all(|active| active.since >= before && active.since <= Instant::now()));
    assert!(now.is_limit_reached());

    let first = running.iter().position(|scene| scene.number == 0).unwrap();
    drop(running.swap_remove(first));
    run.next().unwrap();
    running.push(stage.next());
    let now = handle.snapshot();
    assert_eq!((now.pending, now.completed), (Pending::Exactly(2), 1));
    assert_eq!(places(&now), [(3, 1), (2, 2)]);
}

#[test]
fn the_limit_is_not_reached_while_a_slot_is_free() {
    let (pool, stage) = Stage::pool(2);
    let run = pool.run([number(0)]).unwrap();
    let _running = stage.next();
    assert!(!run.handle().snapshot().is_limit_reached());
}

#[test]
fn an_input_of_unknown_length_has_at_least_what_was_seen_of_it() {
    let (pool, stage) = Stage::pool(2);
    let (hand, fed) = fed_by_hand();
    let run = pool.run(fed).unwrap();
    let handle = run.handle();
    hand.send(number(0)).unwrap();
    let _running = stage.next();
    assert_eq!(handle.snapshot().pending, Pending::AtLeast(0));
    drop(hand);
    wait_for("the end of the input", || handle.snapshot().pending == Pending::Exactly(0));
}

#[test]
fn after_the_end_a_snapshot_tells_how_it_ended() {
    let pool = pool_by(2, |_, _| exit(0));
    let mut run = pool.run((0..5).map(number)).unwrap();
    let handle = run.handle();
    assert_eq!(run.by_ref().count(), 5);
    for _ in 0..2 {
        let end = handle.snapshot();
        assert_eq!((end.pending, end.completed, end.active.len()), (Pending::Exactly(0), 5, 0));
        drop(handle.clone());
    }
    drop(run);
    assert_eq!(handle.snapshot().completed, 5);
}

#[test]
fn a_run_whose_completions_nobody_takes_still_answers() {
    let pool = pool_by(2, |_, _| exit(0));
    let mut run = pool.run((0..100).map(number)).unwrap();
    let handle = run.handle();
    // The channel to the caller is full then, and each worker holds one more.
    wait_for("completions that nobody takes", || handle.snapshot().completed >= 2);
    handle.drain();
    assert!(run.by_ref().count() < 100);
}

#[test]
fn any_thread_may_ask_at_any_moment_and_the_figures_always_agree() {
    let pool = pool_by(4, |_, _| exit(0));
    let run = pool.run((0..5_000).map(number)).unwrap();
    let handle = run.handle();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut completed = 0;
                while !over.load(SeqCst) {
                    let now = handle.snapshot();
                    let Pending::Exactly(pending) = now.pending else { panic!("{now:?}") };
                    assert_eq!(pending + now.active.len() as u64 + now.completed, 5_000);
                    assert!(now.active.len() <= 4 && now.completed >= completed);
                    completed = now.completed;
                }
            });
        }
        assert_eq!(run.count(), 5_000);
        over.store(true, SeqCst);
    });
}
