//! Whether procpool ended as it must after the signals it got, and how much of its output has to be there.

use std::fmt;

use anyhow::{Result, bail};
use rustix::process::Signal;

use crate::attack::{SignalKind, TargetedSignal, names};
use crate::judge::Reach;
use crate::place::{NamespaceInit, Place};
use crate::target::Member;

/// How procpool ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Exited(i32),
    Died(i32),
    /// It had to be killed.
    Hung,
}

/// The signals that really reached procpool, and where it ran.
#[derive(Debug, Default)]
pub(crate) struct AppliedAttack {
    /// In the order in which they were sent; empty where procpool had ended before.
    pub(crate) signals: Vec<TargetedSignal>,
    pub(crate) place: Place,
    /// How many bytes of output had come before the first signal.
    pub(crate) settled: usize,
}

/// Which processes must be gone a second after procpool's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Promise {
    /// Every descendant of procpool.
    All,
    /// The jobs' own processes, which the kernel kills with their parent. No process of procpool is left to
    /// end what the jobs have started.
    Jobs,
}

impl AppliedAttack {
    pub(crate) fn has(&self, kind: SignalKind) -> bool {
        self.signals.iter().any(|targeted| targeted.kind == kind)
    }

    fn kills(&self, member: Member) -> bool {
        self.signals.iter().any(|targeted| targeted.kills(member))
    }

    /// Whether this process was stopped and not killed afterwards.
    pub(crate) fn leaves_stopped(&self, member: Member) -> bool {
        self.signals.iter().any(|targeted| targeted.stops(member)) && !self.kills(member)
    }

    /// If the pool is killed, the keeper or the front must be alive and running to clean up. A stopped
    /// keeper is continued when the front dies; nobody continues a stopped front.
    pub(crate) fn promise(&self) -> Promise {
        if self.place.is(NamespaceInit::Procpool) && self.kills(Member::Front) {
            // The kernel kills a namespace with its first process.
            return Promise::All;
        }
        if self.place.is(NamespaceInit::Harness) && self.place.has_foreign_proc() {
            // Without its own /proc, procpool can't find what the jobs have started.
            return Promise::Jobs;
        }
        let keeper_acts = !self.kills(Member::Keeper)
            && (!self.leaves_stopped(Member::Keeper) || self.kills(Member::Front));
        let front_acts =
            self.kills(Member::Keeper) && !self.kills(Member::Front) && !self.leaves_stopped(Member::Front);
        if !self.kills(Member::Pool) || keeper_acts || front_acts { Promise::All } else { Promise::Jobs }
    }
}

/// The exit status for a failure of its own, which the front may return if the keeper or the pool was
/// killed.
const OWN_FAILURE: i32 = 3;

/// Judges the end of a run after these signals; `natural` is its exit status without any.
///
/// # Errors
/// Where it should have ended otherwise.
pub(crate) fn judge(end: End, natural: Option<i32>, applied: &AppliedAttack) -> Result<Reach> {
    let was_sent = |number| applied.signals.iter().any(|targeted| signal(targeted.kind).as_raw() == number);
    let without_front = applied.has(SignalKind::Kill) && !applied.kills(Member::Front);
    let is_first = applied.place.is(NamespaceInit::Procpool);
    match end {
        // What unshare(1) returns if its child was killed.
        End::Exited(1) if is_first && applied.kills(Member::Front) => Ok(reach(applied)),
        End::Exited(status) if Some(status) == natural => Ok(Reach::Complete),
        End::Died(number) if was_sent(number) => Ok(reach(applied)),
        // A namespace's first process can't die by a signal, and our own one reports such an end likewise
        // as a status.
        End::Exited(status) if applied.place != Place::Here && was_sent(status - 128) => Ok(reach(applied)),
        End::Exited(OWN_FAILURE) if without_front => Ok(reach(applied)),
        End::Hung => bail!("procpool did not end"),
        _ => bail!("procpool {end}, but {}", Expected { natural, applied }),
    }
}

/// KILL, STOP and TSTP don't ask procpool to end, so it could not prepare for its end.
fn reach(applied: &AppliedAttack) -> Reach {
    let tells_nothing = |targeted: &TargetedSignal| {
        matches!(targeted.kind, SignalKind::Kill | SignalKind::Stop | SignalKind::Tstp)
    };
    if applied.signals.iter().all(tells_nothing) {
        Reach::Killed
    } else {
        Reach::Told { settled: applied.settled }
    }
}

/// The signal as rustix names it.
pub(crate) fn signal(kind: SignalKind) -> Signal {
    match kind {
        SignalKind::Kill => Signal::KILL,
        SignalKind::Term => Signal::TERM,
        SignalKind::Int => Signal::INT,
        SignalKind::Hup => Signal::HUP,
        SignalKind::Quit => Signal::QUIT,
        SignalKind::Stop => Signal::STOP,
        SignalKind::Tstp => Signal::TSTP,
    }
}

struct Expected<'a> {
    natural: Option<i32>,
    applied: &'a AppliedAttack,
}

impl fmt::Display for Expected<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.natural {
            Some(status) => write!(f, "{status} would be right if it had been left alone")?,
            None => write!(f, "it could not have ended by itself")?,
        }
        match &self.applied.signals[..] {
            [] => write!(f, ", and it was"),
            signals => write!(f, ", and it was sent {}", names(signals)),
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
    use crate::place::{Namespace, ProcView, UnshareEnd};
    use crate::target::Target;

    fn applied(target: Target, kinds: &[SignalKind]) -> AppliedAttack {
        AppliedAttack {
            signals: kinds.iter().map(|kind| TargetedSignal { kind: *kind, target }).collect(),
            place: Place::Here,
            settled: 5,
        }
    }

    fn died(kind: SignalKind) -> End {
        End::Died(signal(kind).as_raw())
    }

    #[test]
    fn left_alone_it_exits_with_the_status_that_the_jobs_make() {
        let nothing = AppliedAttack::default();
        assert_eq!(judge(End::Exited(1), Some(1), &nothing).unwrap(), Reach::Complete);
        for wrong in [End::Exited(0), End::Exited(3), End::Died(9), End::Hung] {
            judge(wrong, Some(1), &nothing).unwrap_err();
        }
    }

    #[test]
    fn it_dies_of_the_signal_or_had_ended_before() {
        for target in Target::EVERY {
            for kind in
                [SignalKind::Kill, SignalKind::Term, SignalKind::Int, SignalKind::Hup, SignalKind::Quit]
            {
                let applied = applied(target, &[kind]);
                let reach = judge(died(kind), Some(1), &applied).unwrap();
                assert_eq!(reach == Reach::Killed, kind == SignalKind::Kill);
                assert_eq!(judge(End::Exited(1), Some(1), &applied).unwrap(), Reach::Complete);
                judge(End::Exited(0), Some(1), &applied).unwrap_err();
                judge(End::Exited(0), None, &applied).unwrap_err();
                judge(End::Died(11), Some(1), &applied).unwrap_err();
            }
        }
    }

    #[test]
    fn who_was_told_first_and_killed_then_had_been_told() {
        let applied = applied(Target::Pool, &[SignalKind::Term, SignalKind::Kill]);
        for kind in [SignalKind::Term, SignalKind::Kill] {
            assert_eq!(judge(died(kind), None, &applied).unwrap(), Reach::Told { settled: 5 });
        }
        judge(died(SignalKind::Int), None, &applied).unwrap_err();
    }

    #[test]
    fn only_a_front_that_lives_can_tell_that_the_work_is_not_done() {
        let own_failure = End::Exited(OWN_FAILURE);
        judge(own_failure, Some(0), &applied(Target::Pool, &[SignalKind::Kill])).unwrap();
        judge(own_failure, Some(0), &applied(Target::Keeper, &[SignalKind::Kill])).unwrap();
        judge(own_failure, Some(0), &applied(Target::Pool, &[SignalKind::Term])).unwrap_err();
        judge(own_failure, Some(0), &applied(Target::Front, &[SignalKind::Kill])).unwrap_err();
        judge(own_failure, Some(0), &applied(Target::Group, &[SignalKind::Kill])).unwrap_err();
    }

    #[test]
    fn in_a_namespace_the_signal_may_be_told_by_the_status() {
        let namespace = Namespace {
            proc: ProcView::Own,
            first: NamespaceInit::Harness,
            parent: UnshareEnd::Plain,
        };
        let mut applied = applied(Target::Front, &[SignalKind::Term]);
        judge(End::Exited(143), None, &applied).unwrap_err();
        applied.place = Place::Namespace(namespace);
        judge(End::Exited(143), None, &applied).unwrap();
        judge(End::Exited(130), None, &applied).unwrap_err();
    }

    #[test]
    fn without_a_proc_of_its_own_only_the_end_of_the_namespace_ends_what_jobs_have_started() {
        let promise = |proc, first| {
            let place = Place::Namespace(Namespace { proc, first, parent: UnshareEnd::Plain });
            AppliedAttack { place, ..applied(Target::All, &[SignalKind::Kill]) }.promise()
        };
        assert_eq!(promise(ProcView::Own, NamespaceInit::Procpool), Promise::All);
        assert_eq!(promise(ProcView::Foreign, NamespaceInit::Procpool), Promise::All);
        assert_eq!(promise(ProcView::Own, NamespaceInit::Harness), Promise::Jobs);
        let place = Place::Namespace(Namespace {
            proc: ProcView::Foreign,
            first: NamespaceInit::Harness,
            parent: UnshareEnd::Plain,
        });
        assert_eq!(AppliedAttack { place, ..AppliedAttack::default() }.promise(), Promise::Jobs);
    }

    #[test]
    fn nothing_outlives_procpool_unless_none_of_the_three_is_left_who_could_act() {
        let promise = |signals: &[(SignalKind, Target)]| {
            let signals = signals.iter().map(|&(kind, target)| TargetedSignal { kind, target }).collect();
            AppliedAttack { signals, ..AppliedAttack::default() }.promise()
        };
        for target in Target::EVERY {
            let all = if target == Target::All { Promise::Jobs } else { Promise::All };
            assert_eq!(promise(&[(SignalKind::Kill, target)]), all, "{target}");
            assert_eq!(promise(&[(SignalKind::Term, target)]), Promise::All, "{target}");
        }
        let stopped_then_killed =
            |stopped, killed| promise(&[(SignalKind::Stop, stopped), (SignalKind::Kill, killed)]);
        assert_eq!(stopped_then_killed(Target::Group, Target::Group), Promise::All);
        assert_eq!(stopped_then_killed(Target::Group, Target::Pool), Promise::All);
        assert_eq!(stopped_then_killed(Target::Group, Target::KeeperAndPool), Promise::Jobs);
        assert_eq!(stopped_then_killed(Target::Keeper, Target::Front), Promise::All);
        assert_eq!(stopped_then_killed(Target::Keeper, Target::Group), Promise::All);
        assert_eq!(stopped_then_killed(Target::Keeper, Target::Pool), Promise::Jobs);
    }
}
