//! A driven run: what its caller sees of it, and what its driver learns from the caller.

use std::time::Duration;

use procpool_core::{Command, Completion, Driver, End, Event, Halt, Job, Limit, Outcome, Ran, Run, Status};

const LONG: Duration = Duration::from_secs(60);

fn done(position: u64) -> Event<Command> {
    let job = Job::new(position.to_string(), Command::new("x")).position(position);
    let outcome = Ran::new(End::Itself(Status::Exited(0))).into();
    Event::Completed(Completion::recorded(job, 1, 1, outcome).unwrap())
}

fn run(drive: impl FnOnce(&mut Driver<Command>) + Send + 'static) -> Run<Command> {
    Run::driven(Limit::new(1).unwrap(), drive).unwrap()
}

#[test]
fn a_halt_reaches_the_driver_while_it_waits() {
    let run = run(|driver| {
        while driver.halted() == Halt::GoOn {
            driver.wait(LONG);
        }
        driver.tell(done(7));
    });
    run.handle().drain();
    assert_eq!(run.map(|done| done.seq.get()).collect::<Vec<_>>(), [7]);
}

#[test]
fn handles_are_told_how_it_stands_and_how_it_stood_in_the_end() {
    let run = run(|driver| {
        driver.standing.completed = 1;
        while driver.halted() == Halt::GoOn {
            driver.wait(LONG);
        }
        driver.standing.completed = 2;
    });
    let handle = run.handle();
    while handle.snapshot().completed != 1 {}
    handle.stop();
    assert_eq!(run.count(), 0);
    assert_eq!(handle.snapshot().completed, 2);
}

#[test]
fn a_driver_waits_for_a_slow_caller_and_still_answers() {
    let run = run(|driver| (1..=50).for_each(|position| driver.tell(done(position))));
    let handle = run.handle();
    assert_eq!(handle.snapshot().limit.get(), 1);
    assert_eq!(run.count(), 50);
}

#[test]
fn a_dropped_run_kills_and_waits_for_its_driver() {
    let (told, heard) = std::sync::mpsc::channel();
    let run = run(move |driver| {
        while driver.halted() != Halt::Kill {
            driver.wait(LONG);
        }
        // The caller has dropped the run.
        driver.tell(done(1));
        told.send(()).unwrap();
    });
    drop(run);
    heard.try_recv().unwrap();
}

#[test]
#[should_panic(expected = "the driver's own")]
fn a_panic_of_the_driver_resumes_where_the_run_is_waited_for() {
    let mut run = run(|_| panic!("the driver's own"));
    run.next_event();
}

#[test]
fn a_lost_job_is_no_success_and_says_why() {
    let outcome = Outcome::Lost("its node is gone".into());
    assert!(!outcome.is_success() && outcome.status().is_none());
    assert_eq!(outcome.to_string(), "lost: its node is gone");
    let job = Job::new("a", Command::new("x")).position(3);
    let nowhere = Completion::nowhere(job, outcome).unwrap();
    assert_eq!((nowhere.seq.get(), nowhere.slot), (3, None));
}
