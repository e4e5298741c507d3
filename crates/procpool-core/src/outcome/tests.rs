//! Statuses, success and descriptions of outcomes.

use super::*;

fn outcome(end: End) -> Outcome {
    Ran::new(end).into()
}

#[test]
fn success_is_only_an_end_by_itself_with_code_0() {
    let zero = Status::Exited(0);
    assert!(outcome(End::Itself(zero)).is_success());
    assert!(!outcome(End::TimedOut(zero)).is_success());
    assert!(!outcome(End::Stopped(zero)).is_success());
    assert!(!outcome(End::Itself(Status::Exited(1))).is_success());
    assert!(!Outcome::from(NotStarted::NeverReached).is_success());
}

#[test]
fn a_job_that_was_killed_for_want_of_memory_says_so_and_keeps_its_status() {
    let mut ran = Ran::new(End::Itself(Status::Signalled(Signal::KILL)));
    ran.killer = Some(Killer::OutOfMemory);
    let outcome = Outcome::from(ran);
    assert_eq!(outcome.to_string(), "killed by SIGKILL, out of memory");
    assert_eq!(outcome.status(), Some(137));
}

#[test]
fn what_lives_on_of_a_job_is_named() {
    let mut ran = Ran::new(End::TimedOut(Status::Signalled(Signal::KILL)));
    ran.survivors = vec![Survivor { pid: 4711, program: "su".to_owned() }];
    assert_eq!(Outcome::from(ran).to_string(), "timed out (killed by SIGKILL), su lives on as process 4711");
}

#[test]
fn a_job_whose_start_hung_says_so_and_is_ended_like_any() {
    let mut ran = Ran::new(End::TimedOut(Status::Signalled(Signal::TERM)));
    ran.start_hung = true;
    let outcome = Outcome::from(ran);
    assert_eq!(outcome.to_string(), "timed out (killed by SIGTERM), its start hung");
    assert_eq!(outcome.status(), Some(124));
}

#[test]
fn a_job_whose_output_was_lost_is_no_success() {
    let mut ran = Ran::new(End::Itself(Status::Exited(0)));
    ran.lost = Some(io::Error::from(io::ErrorKind::StorageFull));
    assert!(!Outcome::from(ran).is_success());
}

#[test]
fn the_status_number_is_the_shells_and_0_only_for_success() {
    let killed = Status::Signalled(Signal::KILL);
    assert_eq!(outcome(End::Itself(Status::Exited(255))).status(), Some(255));
    assert_eq!(outcome(End::Itself(killed)).status(), Some(137));
    assert_eq!(outcome(End::TimedOut(Status::Exited(0))).status(), Some(124));
    assert_eq!(outcome(End::Stopped(Status::Exited(0))).status(), Some(143));
    assert_eq!(outcome(End::Stopped(killed)).status(), Some(137));
    assert_eq!(Outcome::from(NotStarted::NeverReached).status(), None);
}

#[test]
fn a_missing_program_is_127_and_all_else_that_hinders_a_start_126() {
    let status = |subject, kind| {
        let source = io::Error::from(kind);
        Outcome::from(NotStarted::Spawn(SpawnError { subject, source })).status()
    };
    let (missing, denied) = (io::ErrorKind::NotFound, io::ErrorKind::PermissionDenied);
    assert_eq!(status(Subject::Program("x".into()), missing), Some(127));
    assert_eq!(status(Subject::Program("x".into()), denied), Some(126));
    assert_eq!(status(Subject::Directory("x".into()), missing), Some(126));
}
