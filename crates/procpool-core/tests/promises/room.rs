//! Jobs that the machine has no room for: scripted runners, no processes.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use procpool_core::{NotStarted, Outcome, SpawnError, Subject};

use crate::{exit, in_time, number, pool_by, wait_for};

fn no_room() -> Outcome {
    // EAGAIN, which clone(2) returns if there are too many tasks.
    let source = io::Error::from_raw_os_error(11);
    NotStarted::Spawn(SpawnError { subject: Subject::Machine, source }).into()
}

#[test]
fn jobs_that_find_no_room_are_run_by_fewer_workers_and_none_is_lost_or_run_twice() {
    static INSIDE: AtomicUsize = AtomicUsize::new(0);
    static RAN: AtomicUsize = AtomicUsize::new(0);
    let pool = pool_by(32, |_, _| {
        let inside = INSIDE.fetch_add(1, SeqCst) + 1;
        // Long enough for other jobs to arrive.
        (0..1000).for_each(|_| std::thread::yield_now());
        INSIDE.fetch_sub(1, SeqCst);
        if inside > 5 {
            return no_room();
        }
        RAN.fetch_add(1, SeqCst);
        exit(0)
    });
    let results = in_time("a run without room", move || pool.run_all((0..500).map(number)).unwrap());
    assert_eq!(results.iter().filter(|done| done.outcome.is_success()).count(), 500);
    assert_eq!(RAN.load(SeqCst), 500);
}

#[test]
fn where_there_is_never_room_each_job_says_so() {
    let pool = pool_by(16, |_, _| no_room());
    let results = in_time("a run without room", move || pool.run_all((0..100).map(number)).unwrap());
    assert_eq!(results.iter().filter(|done| done.outcome.status() == Some(126)).count(), 100);
}

#[test]
fn a_job_that_waits_for_room_is_never_reached_once_the_run_is_halted() {
    static REFUSED: AtomicUsize = AtomicUsize::new(0);
    let pool = pool_by(4, |job, context| match job.work {
        // It holds the room until the run is stopped.
        1 => {
            let _ = context.wait_for_stop(None);
            exit(0)
        }
        _ => {
            REFUSED.fetch_add(1, SeqCst);
            no_room()
        }
    });
    let mut run = pool.run((1..=2).map(number)).unwrap();
    wait_for("a job that finds no room", || REFUSED.load(SeqCst) > 0);
    run.handle().stop();
    let ends = in_time("a run that was stopped", move || run.by_ref().collect::<Vec<_>>());
    let second = ends.iter().find(|done| done.job.work == 2).unwrap();
    assert!(matches!(second.outcome, Outcome::NotStarted(NotStarted::NeverReached)), "{}", second.outcome);
    assert_eq!(ends.len(), 2);
}
