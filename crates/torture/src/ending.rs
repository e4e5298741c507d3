//! Whether procpool ended as it must, and how far its output has to go after such an end.
//! It does not know any process, nor the output.

use std::fmt;

use anyhow::{Result, bail};
use rustix::process::Signal;

use crate::attack::{Kind, Stroke, names};
use crate::judge::Reach;
use crate::place::{First, Place};
use crate::target::Member;

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
    pub(crate) strokes: Vec<Stroke>,
    pub(crate) place: Place,
    /// How much of its output had come before.
    pub(crate) settled: usize,
}

/// Who has to be gone a second after the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Promise {
    /// Every process that procpool has started, and theirs, and so on.
    All,
    /// The jobs' own processes, which the kernel ends. Nobody is left who could end what those have started.
    Jobs,
}

impl Struck {
    pub(crate) fn has(&self, kind: Kind) -> bool {
        self.strokes.iter().any(|stroke| stroke.kind == kind)
    }

    fn kills(&self, member: Member) -> bool {
        self.strokes.iter().any(|stroke| stroke.kills(member))
    }

    /// Whether this one was stopped and not killed afterwards.
    pub(crate) fn leaves_stopped(&self, member: Member) -> bool {
        self.strokes.iter().any(|stroke| stroke.stops(member)) && !self.kills(member)
    }

    /// Where the pool is killed, one of the others has to live and to run. A keeper that was stopped is continued by the
    /// front's death, a front by nobody.
    pub(crate) fn promise(&self) -> Promise {
        if self.place.is(First::Procpool) && self.kills(Member::Front) {
            // The kernel ends a namespace with its first process.
            return Promise::All;
        }
        if self.place.is(First::Company) && self.place.has_foreign_proc() {
            // Nobody of what jobs have started can be found without a /proc.
            return Promise::Jobs;
        }
        let keeper_acts = !self.kills(Member::Keeper)
            && (!self.leaves_stopped(Member::Keeper) || self.kills(Member::Front));
        let front_acts =
            self.kills(Member::Keeper) && !self.kills(Member::Front) && !self.leaves_stopped(Member::Front);
        if !self.kills(Member::Pool) || keeper_acts || front_acts { Promise::All } else { Promise::Jobs }
    }
}

/// Procpool could not do its own work: what a front may say of a keeper or a pool that was killed.
const OWN_FAILURE: i32 = 3;

/// Judges the end of a run that was struck so; `natural` is its status if nobody had.
///
/// # Errors
/// Where it should have ended otherwise.
pub(crate) fn judge(end: End, natural: Option<i32>, struck: &Struck) -> Result<Reach> {
    let was_sent = |number| struck.strokes.iter().any(|stroke| signal(stroke.kind).as_raw() == number);
    let without_front = struck.has(Kind::Kill) && !struck.kills(Member::Front);
    let is_first = struck.place.is(First::Procpool);
    match end {
        // What unshare(1) makes of a child that was killed.
        End::Exited(1) if is_first && struck.kills(Member::Front) => Ok(reach(struck)),
        End::Exited(status) if Some(status) == natural => Ok(Reach::Complete),
        End::Died(number) if was_sent(number) => Ok(reach(struck)),
        // The first process of a namespace can't die of a signal, and who waits for procpool there tells it likewise.
        End::Exited(status) if struck.place != Place::Here && was_sent(status - 128) => Ok(reach(struck)),
        End::Exited(OWN_FAILURE) if without_front => Ok(reach(struck)),
        End::Hung => bail!("procpool did not end"),
        _ => bail!("procpool {end}, but {}", Expected { natural, struck }),
    }
}

/// After KILL nobody has been told anything, unless before.
fn reach(struck: &Struck) -> Reach {
    let tells_nothing = |stroke: &Stroke| matches!(stroke.kind, Kind::Kill | Kind::Stop | Kind::Tstp);
    if struck.strokes.iter().all(tells_nothing) {
        Reach::Killed
    } else {
        Reach::Told { settled: struck.settled }
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
        Kind::Stop => Signal::STOP,
        Kind::Tstp => Signal::TSTP,
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
        match &self.struck.strokes[..] {
            [] => write!(f, ", and it was"),
            strokes => write!(f, ", and it was sent {}", names(strokes)),
        }
    }
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
    use crate::place::{Parent, Proc, Space};
    use crate::target::Target;

    fn struck(target: Target, kinds: &[Kind]) -> Struck {
        Struck {
            strokes: kinds.iter().map(|kind| Stroke { kind: *kind, target }).collect(),
            place: Place::Here,
            settled: 5,
        }
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
        for target in Target::EVERY {
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
    fn only_a_front_that_lives_can_tell_that_the_work_is_not_done() {
        let own_failure = End::Exited(OWN_FAILURE);
        judge(own_failure, Some(0), &struck(Target::Pool, &[Kind::Kill])).unwrap();
        judge(own_failure, Some(0), &struck(Target::Keeper, &[Kind::Kill])).unwrap();
        judge(own_failure, Some(0), &struck(Target::Pool, &[Kind::Term])).unwrap_err();
        judge(own_failure, Some(0), &struck(Target::Front, &[Kind::Kill])).unwrap_err();
        judge(own_failure, Some(0), &struck(Target::Group, &[Kind::Kill])).unwrap_err();
    }

    #[test]
    fn in_a_namespace_the_signal_may_be_told_by_the_status() {
        let space = Space {
            proc: Proc::Own,
            first: First::Company,
            parent: Parent::Plain,
        };
        let mut struck = struck(Target::Front, &[Kind::Term]);
        judge(End::Exited(143), None, &struck).unwrap_err();
        struck.place = Place::Space(space);
        judge(End::Exited(143), None, &struck).unwrap();
        judge(End::Exited(130), None, &struck).unwrap_err();
    }

    #[test]
    fn without_a_proc_of_its_own_only_the_end_of_the_namespace_ends_what_jobs_have_started() {
        let promise = |proc, first| {
            let place = Place::Space(Space { proc, first, parent: Parent::Plain });
            Struck { place, ..struck(Target::All, &[Kind::Kill]) }.promise()
        };
        assert_eq!(promise(Proc::Own, First::Procpool), Promise::All);
        assert_eq!(promise(Proc::Foreign, First::Procpool), Promise::All);
        assert_eq!(promise(Proc::Own, First::Company), Promise::Jobs);
        let place = Place::Space(Space {
            proc: Proc::Foreign,
            first: First::Company,
            parent: Parent::Plain,
        });
        assert_eq!(Struck { place, ..Struck::default() }.promise(), Promise::Jobs);
    }

    #[test]
    fn nothing_outlives_procpool_unless_none_of_the_three_is_left_who_could_act() {
        let promise = |strokes: &[(Kind, Target)]| {
            let strokes = strokes.iter().map(|&(kind, target)| Stroke { kind, target }).collect();
            Struck { strokes, ..Struck::default() }.promise()
        };
        for target in Target::EVERY {
            let all = if target == Target::All { Promise::Jobs } else { Promise::All };
            assert_eq!(promise(&[(Kind::Kill, target)]), all, "{target}");
            assert_eq!(promise(&[(Kind::Term, target)]), Promise::All, "{target}");
        }
        let stopped_then_killed = |stopped, killed| promise(&[(Kind::Stop, stopped), (Kind::Kill, killed)]);
        assert_eq!(stopped_then_killed(Target::Group, Target::Group), Promise::All);
        assert_eq!(stopped_then_killed(Target::Group, Target::Pool), Promise::All);
        assert_eq!(stopped_then_killed(Target::Group, Target::KeeperAndPool), Promise::Jobs);
        assert_eq!(stopped_then_killed(Target::Keeper, Target::Front), Promise::All);
        assert_eq!(stopped_then_killed(Target::Keeper, Target::Group), Promise::All);
        assert_eq!(stopped_then_killed(Target::Keeper, Target::Pool), Promise::Jobs);
    }
}
