//! Who holds an output, on a machine that is just a table.

use super::*;

const JOB: i32 = 10;
const BEGAN: u64 = 100;
const OUR_SESSION: i32 = 5;

/// What is known of a process besides the job's own, and whether it holds the output.
struct Machine {
    other: io::Result<Option<Stat>>,
    holds: io::Result<bool>,
}

fn again<T: Copy>(result: &io::Result<T>) -> io::Result<T> {
    result.as_ref().copied().map_err(|error| error.kind().into())
}

impl HolderQuery for Machine {
    fn all_pids(&self) -> Vec<i32> {
        vec![JOB, 11]
    }

    fn stat(&self, pid: i32) -> io::Result<Option<Stat>> {
        if pid == JOB {
            return Ok(Some(Stat { state: ProcState::Ended, ..stat(JOB, BEGAN) }));
        }
        again(&self.other)
    }

    fn holds(&self, _: i32) -> io::Result<bool> {
        again(&self.holds)
    }
}

fn stat(session: i32, started: u64) -> Stat {
    Stat {
        state: ProcState::Runs,
        parent: 1,
        group: session,
        session,
        started,
    }
}

fn holder_where(other: io::Result<Option<Stat>>, holds: io::Result<bool>) -> Holder {
    holder(JOB, BEGAN, OUR_SESSION, &Machine { other, holds })
}

#[test]
fn one_of_the_jobs_session_or_of_any_other_that_is_younger_than_the_job_is_the_jobs() {
    for session in [JOB, 11] {
        assert_eq!(holder_where(Ok(Some(stat(session, BEGAN))), Ok(true)), Holder::Job);
        assert_eq!(holder_where(Ok(Some(stat(session, BEGAN))), Ok(false)), Holder::Foreign);
    }
}

#[test]
fn one_of_our_own_session_or_older_than_the_job_is_a_stranger() {
    for foreign in [stat(OUR_SESSION, BEGAN + 1), stat(0, BEGAN + 1), stat(11, BEGAN - 1)] {
        assert_eq!(holder_where(Ok(Some(foreign)), Ok(true)), Holder::Foreign);
    }
}

#[test]
fn what_can_not_be_known_is_held_against_the_job() {
    let unreadable = || io::Error::from(io::ErrorKind::PermissionDenied);
    assert_eq!(holder_where(Err(unreadable()), Ok(false)), Holder::Job);
    assert_eq!(holder_where(Ok(Some(stat(11, BEGAN))), Err(unreadable())), Holder::Job);
    // Except for a process that can't be the job's, where it doesn't matter.
    assert_eq!(holder_where(Ok(Some(stat(OUR_SESSION, BEGAN))), Err(unreadable())), Holder::Foreign);
    assert_eq!(holder_where(Ok(None), Err(unreadable())), Holder::Foreign);
}
