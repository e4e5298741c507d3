//! Which jobs run when, and in which order: scripted runners, no processes.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier};
use std::thread;

use procpool_core::{Completion, Handle, Job, Results, Run, Seq, Slot};

use crate::{Stage, exit, fed_by_hand, in_time, number, pool_by, wait_for};

fn numbers(run: impl Iterator<Item = Completion<u64>>) -> Vec<u64> {
    run.map(|done| done.job.work).collect()
}

#[test]
fn no_more_than_the_limit_run_at_once_and_so_many_do() {
    for limit in [1, 3, 8] {
        let (pool, stage) = Stage::pool(limit);
        let mut run = pool.run((0..50).map(number)).unwrap();
        let mut running = stage.take(limit);
        for _ in limit..50 {
            assert!(stage.is_quiet());
            // A different one each time, so that slots become free in no particular order.
            drop(running.swap_remove(running.len() / 2));
            run.next().unwrap();
            running.push(stage.next());
        }
        assert!(stage.is_quiet());
        drop(running);
        assert_eq!(run.count(), limit);
    }
}

#[test]
fn a_job_takes_the_lowest_free_slot() {
    let (pool, stage) = Stage::pool(4);
    let mut run = pool.run((0..9).map(number)).unwrap();
    let mut running = stage.take(4);
    running.sort_by_key(|scene| scene.slot);
    assert!(running.iter().map(|scene| scene.slot).eq(1..=4));
    for slot in [3, 1, 4] {
        let let_go = running.iter().position(|scene| scene.slot == slot).unwrap();
        drop(running.swap_remove(let_go));
        assert_eq!(run.next().unwrap().slot.map(Slot::get), Some(slot));
        running.push(stage.next());
        assert_eq!(running.last().unwrap().slot, slot);
    }
}

#[test]
fn two_jobs_never_share_a_slot() {
    let taken: [AtomicUsize; 4] = Default::default();
    let pool = pool_by(4, move |_, context| {
        let place = &taken[context.slot().get() - 1];
        let others = place.fetch_add(1, SeqCst);
        thread::yield_now();
        place.fetch_sub(1, SeqCst);
        exit(u8::from(others != 0))
    });
    assert!(pool.run_all((0..2_000).map(number)).unwrap().all_succeeded());
}

#[test]
fn results_are_by_key_and_in_the_order_of_the_input_whatever_the_order_of_the_ends() {
    let (pool, stage) = Stage::pool(3);
    let results = thread::scope(|scope| {
        let results = scope.spawn(|| pool.run_all((0..3).map(number)).unwrap());
        let mut scenes = stage.take(3);
        scenes.sort_by_key(|scene| scene.number);
        scenes.into_iter().rev().for_each(drop);
        results.join().unwrap()
    });
    assert!(results.iter().map(|done| done.job.work).eq(0..3));
    assert!(results.iter().map(|done| done.seq.get()).eq(1..=3));
    assert_eq!(results["1"].job.work, 1);
    assert_eq!((results.len(), results.get("3").is_none()), (3, true));
}

#[test]
fn completions_come_as_jobs_end() {
    let (pool, stage) = Stage::pool(3);
    let mut run = pool.run((0..3).map(number)).unwrap();
    let mut scenes = stage.take(3);
    scenes.sort_by_key(|scene| scene.number);
    for ends in [1, 0, 0] {
        let ended = scenes.remove(ends).number;
        assert_eq!(run.next().unwrap().job.work, ended);
    }
    assert!(run.next().is_none());
    assert!(run.next().is_none(), "it yields None ever after");
}

#[test]
fn a_key_given_twice_is_refused_by_both_positions_and_nothing_is_started() {
    let pool = pool_by(2, |_, _| panic!("started"));
    let error = pool.run_all([number(7), number(8), number(7)]).unwrap_err();
    let message = error.to_string();
    assert!(message.contains("jobs 1 and 3") && message.contains("\"7\""), "{message}");
}

#[test]
fn a_run_that_is_iterated_takes_a_key_twice_and_tells_them_apart_by_position() {
    let pool = pool_by(2, |_, _| exit(0));
    let run = pool.run([number(7), number(7)]).unwrap();
    let positions: HashSet<Seq> = run.map(|done| done.seq).collect();
    assert_eq!(positions.len(), 2);
}

#[test]
fn limit_1_keeps_the_order() {
    let pool = pool_by(1, |_, _| exit(0));
    assert!(numbers(pool.run((0..500).map(number)).unwrap()).into_iter().eq(0..500));
}

#[test]
fn no_jobs_are_no_results() {
    let pool = pool_by(4, |_, _| panic!("started"));
    let results = pool.run_all([]).unwrap();
    assert!(results.is_empty() && results.all_succeeded());
    assert!(pool.run([]).unwrap().next().is_none());
}

#[test]
fn a_limit_larger_than_the_list_is_no_matter() {
    let (pool, stage) = Stage::pool(1_000);
    let run = pool.run((0..3).map(number)).unwrap();
    drop(stage.take(3));
    assert_eq!(run.count(), 3);
}

/// The documented bound on how far the iterator is ahead of completions.
fn ahead(limit: usize) -> usize {
    2 * limit + 2
}

#[test]
fn an_endless_input_is_pulled_only_as_jobs_can_start() {
    for limit in [1, 4] {
        let ended = Arc::new(AtomicUsize::new(0));
        let pulled = Arc::new(AtomicUsize::new(0));
        let endless = {
            let (ended, pulled) = (Arc::clone(&ended), Arc::clone(&pulled));
            std::iter::repeat_with(move || {
                let pulled = pulled.fetch_add(1, SeqCst) + 1;
                assert!(pulled <= ended.load(SeqCst) + ahead(limit), "{pulled} pulled");
                number(pulled as u64)
            })
        };
        let (pool, stage) = Stage::pool(limit);
        let mut run = pool.run(endless).unwrap();
        for _ in 0..200 {
            let scene = stage.next();
            ended.fetch_add(1, SeqCst);
            drop(scene);
            run.next().unwrap();
        }
        // All slots are in use, and the channel is at least half full: before that the feeder isn't woken.
        wait_for("the feeder to be ahead", || pulled.load(SeqCst) > 200 + limit + limit / 2);
    }
}

#[test]
fn no_slot_stays_free_while_a_job_waits_whoever_ends_and_starts_beside_it() {
    let groups = 2_000;
    let meetings: Vec<Barrier> = (0..groups).map(|_| Barrier::new(2)).collect();
    let ended = Arc::new(AtomicUsize::new(0));
    // Of three in a row the first ends at once, and the other two wait for each other: if the third was not
    // started although a slot is free, the second waits forever.
    let pool = {
        let ended = Arc::clone(&ended);
        pool_by(3, move |job, _| {
            if job.work % 3 != 0 {
                meetings[usize::try_from(job.work / 3).unwrap()].wait();
            }
            ended.fetch_add(1, SeqCst);
            exit(0)
        })
    };
    // Three arrive at once, while the last job before them is about to end.
    let bursts = (0..3 * groups).map(move |work| {
        while work % 3 == 0 && ended.load(SeqCst) + 1 < usize::try_from(work).unwrap() {
            thread::yield_now();
        }
        number(work)
    });
    assert_eq!(pool.run(bursts).unwrap().count() as u64, 3 * groups);
}

#[test]
fn who_takes_no_completions_holds_up_the_start_of_jobs() {
    let limit = 3;
    let started = Arc::new(AtomicUsize::new(0));
    let taken = Arc::new(AtomicUsize::new(0));
    let pool = {
        let (started, taken) = (Arc::clone(&started), Arc::clone(&taken));
        pool_by(limit, move |_, _| {
            let started = started.fetch_add(1, SeqCst) + 1;
            // One more, because a completion is counted as taken a little after there is room.
            assert!(started <= taken.load(SeqCst) + 2 * limit + 1, "{started} started");
            exit(0)
        })
    };
    let mut run = pool.run((0..).map(number)).unwrap();
    for _ in 0..500 {
        // The channel to the caller is full then.
        wait_for("completions that nobody takes", || started.load(SeqCst) > taken.load(SeqCst) + limit);
        run.next().unwrap();
        taken.fetch_add(1, SeqCst);
    }
}

#[test]
fn the_first_job_runs_and_completes_while_the_input_blocks_on_the_second() {
    let pool = pool_by(4, |_, _| exit(0));
    let (hand, fed) = fed_by_hand();
    let mut run = pool.run(fed).unwrap();
    for round in 0..3 {
        hand.send(number(round)).unwrap();
        assert_eq!(run.next().unwrap().job.work, round);
    }
    drop(hand);
    assert!(run.next().is_none());
}

#[test]
fn two_runs_of_one_pool_share_nothing() {
    let (pool, stage) = Stage::pool(1);
    let first = pool.run([number(1)]).unwrap();
    let held = stage.next();
    let second = pool.run([number(2)]).unwrap();
    // If runs shared the limit, this one could not start.
    let other = stage.next();
    assert_eq!((held.slot, other.slot), (1, 1));
    first.handle().kill();
    drop(other);
    assert!(second.inspect(|done| assert!(done.outcome.is_success())).eq_by_number(&[2]));
    drop(held);
    assert!(first.eq_by_number(&[1]));
}

trait EqByNumber {
    fn eq_by_number(self, expected: &[u64]) -> bool;
}

impl<I: Iterator<Item = Completion<u64>>> EqByNumber for I {
    fn eq_by_number(self, expected: &[u64]) -> bool {
        numbers(self) == expected
    }
}

#[test]
fn a_panic_of_the_runner_resumes_where_the_run_is_waited_for_and_kills_the_rest() {
    let ended = Arc::new(AtomicUsize::new(0));
    let pool = {
        let ended = Arc::clone(&ended);
        pool_by(3, move |job, context| {
            assert!(job.work != 2, "job {} is bad", job.work);
            let _ = context.wait_for_stop(None);
            ended.fetch_add(1, SeqCst);
            exit(0)
        })
    };
    let panic = in_time("a run whose runner panics", move || {
        catch_unwind(AssertUnwindSafe(|| pool.run_all((0..3).map(number)))).unwrap_err()
    });
    assert_eq!(panic.downcast_ref::<String>().unwrap(), "job 2 is bad");
    // Threads are joined before the panic resumes, so none runs any more.
    assert!(ended.load(SeqCst) <= 2);
    assert_eq!(Arc::strong_count(&ended), 1);
}

#[test]
fn a_panic_of_the_input_resumes_where_the_run_is_waited_for_once_all_before_it_is_done() {
    let pool = pool_by(2, |_, _| exit(0));
    let bad = (0..10).map(|n| if n < 7 { number(n) } else { panic!("no job {n}") });
    let mut run = pool.run(bad).unwrap();
    let mut seen = 0;
    let panic = in_time("a run whose input panics", move || {
        catch_unwind(AssertUnwindSafe(|| run.by_ref().for_each(|_| seen += 1))).map_err(|panic| (panic, seen))
    });
    let (panic, seen) = panic.unwrap_err();
    assert_eq!((panic.downcast_ref::<String>().unwrap().as_str(), seen), ("no job 7", 7));
}

#[test]
fn what_a_user_holds_can_go_to_any_thread() {
    fn send<T: Send>() {}
    fn sync<T: Sync>() {}
    fn clone<T: Clone>() {}
    send::<Handle>();
    sync::<Handle>();
    clone::<Handle>();
    send::<Run>();
    send::<Completion>();
    sync::<Completion>();
    send::<Results>();
    sync::<Results>();
    send::<Job>();
    sync::<Job>();
}
