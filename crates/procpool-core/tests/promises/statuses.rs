//! Every way in which a process can end is reported as such: real processes.

use procpool_core::{Command, End, Job, Limit, Pool, Signal, Status};

use crate::{end_of, patient, sh, sleeper};

#[track_caller]
fn all_end_as(expected: impl Iterator<Item = (u8, Status)>, command: impl Fn(u8) -> Command) {
    let expected: Vec<(u8, Status)> = expected.collect();
    let jobs = expected.iter().map(|(number, _)| Job::new(number.to_string(), command(*number)));
    let results = Pool::with_runner(Limit::default(), patient()).run_all(jobs).unwrap();
    assert_eq!(results.len(), expected.len());
    for (number, status) in expected {
        let done = &results[number.to_string().as_str()];
        assert_eq!((end_of(done), done.outcome.status()), (End::Itself(status), Some(status.number())));
        assert!(done.outcome.ran().unwrap().killer.is_none(), "{}", done.outcome);
    }
}

#[test]
fn each_of_the_256_exit_codes_comes_back_as_itself() {
    let exited = (0..=u8::MAX).map(|code| (code, Status::Exited(code)));
    all_end_as(exited, |code| sh("exit $1", code.to_string()));
}

/// Signals whose default action does not end a process: CHLD, CONT, STOP, TSTP, TTIN, TTOU, URG, WINCH.
const HARMLESS: [u8; 8] = [17, 18, 19, 20, 21, 22, 23, 28];

#[test]
fn each_signal_that_ends_a_process_comes_back_as_itself() {
    // The C library reserves 32 and 33.
    let deadly = (1..=31).chain(34..=64).filter(|number| !HARMLESS.contains(number));
    let killed = deadly.map(|number| {
        let signal = Signal::from_number(number.into()).unwrap();
        (number, Status::Signalled(signal))
    });
    all_end_as(killed, |number| sleeper(&format!("0 --quiet --kill-self {number}")));
}
