//! Whether procpool ended as it must, and how far its output has to go after such an end.
//! It does not know any process, nor the output.

use std::fmt;

use anyhow::{Result, bail};
use rustix::process::Signal;

use crate::torture::judge::Reach;
use crate::torture::plan::{Kind, Target};

/// How the process that was started ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Exited(i32),
    Died(i32),
    /// It had to be killed.
    Hung,
}

/// What was really done to procpool.
#[derive(Debug, Default)]
pub(crate) struct Struck {
    /// In this order; none where procpool had ended before.
    pub(crate) kinds: Vec<Kind>,
    pub(crate) target: Option<Target>,
    /// How much of its output had come before.
    pub(crate) settled: usize,
}

/// Procpool could not do its own work: what a guardian may say of a pool that was killed.
const OWN_FAILURE: i32 = 3;

/// Judges the end of a run that was struck so; `natural` is its status if nobody had.
///
/// # Errors
/// Where it should have ended otherwise.
pub(crate) fn judge(end: End, natural: Option<i32>, struck: &Struck) -> Result<Reach> {
    let was_sent = |number| struck.kinds.iter().any(|kind| signal(*kind).as_raw() == number);
    match end {
        End::Exited(status) if Some(status) == natural => Ok(Reach::Complete),
        End::Died(number) if was_sent(number) => Ok(reach(struck)),
        End::Exited(OWN_FAILURE)
            if struck.target == Some(Target::Pool) && struck.kinds.contains(&Kind::Kill) =>
        {
            Ok(reach(struck))
        }
        End::Hung => bail!("procpool did not end"),
        _ => bail!("procpool {end}, but {}", Expected { natural, struck }),
    }
}

/// After KILL alone nobody has been told anything.
fn reach(struck: &Struck) -> Reach {
    match struck.kinds[..] {
        [Kind::Kill] => Reach::Killed,
        _ => Reach::Told { settled: struck.settled },
    }
}

/// The signal as the system knows it.
pub(crate) fn signal(kind: Kind) -> Signal {
    match kind {
        Kind::Kill => Signal::KILL,
        Kind::Term => Signal::TERM,
        Kind::Int => Signal::INT,
        Kind::Hup => Signal::HUP,
        Kind::Quit => Signal::QUIT,
    }
}

struct Expected<'a> {
    natural: Option<i32>,
    struck: &'a Struck,
}

impl fmt::Display for Expected<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.natural {
            Some(status) => write!(f, "{status} would be right if it had been left alone")?,
            None => write!(f, "it could not have ended by itself")?,
        }
        match &self.struck.kinds[..] {
            [] => write!(f, ", and it was"),
            kinds => write!(f, ", and it was sent {}", names(kinds)),
        }
    }
}

/// As one would list them.
pub(crate) fn names(kinds: &[Kind]) -> String {
    kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(" ")
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Exited(status) => write!(f, "exited with {status}"),
            End::Died(number) => write!(f, "died of signal {number}"),
            End::Hung => write!(f, "hung"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn struck(target: Target, kinds: &[Kind]) -> Struck {
        Struck { kinds: kinds.into(), target: Some(target), settled: 5 }
    }

    fn died(kind: Kind) -> End {
        End::Died(signal(kind).as_raw())
    }

    #[test]
    fn left_alone_it_exits_with_the_status_that_the_jobs_make() {
        let nothing = Struck::default();
        assert_eq!(judge(End::Exited(1), Some(1), &nothing).unwrap(), Reach::Complete);
        for wrong in [End::Exited(0), End::Exited(3), End::Died(9), End::Hung] {
            judge(wrong, Some(1), &nothing).unwrap_err();
        }
    }

    #[test]
    fn it_dies_of_the_signal_or_had_ended_before() {
        for target in [Target::Guardian, Target::Pool] {
            for kind in [Kind::Kill, Kind::Term, Kind::Int, Kind::Hup, Kind::Quit] {
                let struck = struck(target, &[kind]);
                let reach = judge(died(kind), Some(1), &struck).unwrap();
                assert_eq!(reach == Reach::Killed, kind == Kind::Kill);
                assert_eq!(judge(End::Exited(1), Some(1), &struck).unwrap(), Reach::Complete);
                judge(End::Exited(0), Some(1), &struck).unwrap_err();
                judge(End::Exited(0), None, &struck).unwrap_err();
                judge(End::Died(11), Some(1), &struck).unwrap_err();
            }
        }
    }

    #[test]
    fn who_was_told_first_and_killed_then_had_been_told() {
        let struck = struck(Target::Pool, &[Kind::Term, Kind::Kill]);
        for kind in [Kind::Term, Kind::Kill] {
            assert_eq!(judge(died(kind), None, &struck).unwrap(), Reach::Told { settled: 5 });
        }
        judge(died(Kind::Int), None, &struck).unwrap_err();
    }

    #[test]
    fn only_of_a_killed_pool_can_its_guardian_tell_that_the_work_is_not_done() {
        let own_failure = End::Exited(OWN_FAILURE);
        judge(own_failure, Some(0), &struck(Target::Pool, &[Kind::Kill])).unwrap();
        judge(own_failure, Some(0), &struck(Target::Pool, &[Kind::Term])).unwrap_err();
        judge(own_failure, Some(0), &struck(Target::Guardian, &[Kind::Kill])).unwrap_err();
    }
}
