//! The signals of a round: which ones, to which processes, and when. All of it follows from a seed, so that
//! a round can be played again.

use std::fmt;
use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;

use crate::target::{Member, Target};

/// The signals that a round sends.
#[derive(Debug)]
pub(crate) struct Attack {
    /// One signal, or two with `pause` between them.
    pub(crate) signals: Vec<TargetedSignal>,
    pub(crate) pause: Duration,
    pub(crate) moment: Moment,
}

/// A signal and the processes that get it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TargetedSignal {
    pub(crate) kind: SignalKind,
    pub(crate) target: Target,
}

/// A signal that ends procpool, or stops it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum SignalKind {
    Kill,
    Term,
    Int,
    Hup,
    Quit,
    Stop,
    Tstp,
}

/// When the first signal is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// This long after the start.
    Started(Duration),
    /// This long after procpool was first seen to have a child.
    Forked(Duration),
}

/// How many of a hundred rounds send each of these; the other rounds send no signal.
pub(crate) const ATTACKS: [(u32, &[SignalKind]); 12] = [
    (42, &[SignalKind::Kill]),
    (6, &[SignalKind::Term]),
    (6, &[SignalKind::Int]),
    (5, &[SignalKind::Int, SignalKind::Int]),
    (3, &[SignalKind::Hup]),
    (2, &[SignalKind::Quit]),
    (2, &[SignalKind::Term, SignalKind::Int]),
    // KILL comes in the middle of the grace time.
    (8, &[SignalKind::Term, SignalKind::Kill]),
    (5, &[SignalKind::Int, SignalKind::Kill]),
    (2, &[SignalKind::Hup, SignalKind::Term]),
    (6, &[SignalKind::Stop, SignalKind::Kill]),
    (6, &[SignalKind::Tstp, SignalKind::Kill]),
];

pub(crate) const LATEST: Duration = Duration::from_millis(400);

impl Attack {
    pub(crate) fn random(random: &mut StdRng) -> Option<Attack> {
        let mut chance = random.random_range(0..100);
        let (_, kinds) = ATTACKS.into_iter().find(|(share, _)| {
            let is_it = chance < *share;
            chance = chance.saturating_sub(*share);
            is_it
        })?;
        // Two requests to end go to the same processes.
        let asked = Target::random(&Target::ASKED, random);
        let killed = Target::random(&Target::EVERY, random);
        let targeted = |kind: &SignalKind| TargetedSignal {
            kind: *kind,
            target: if *kind == SignalKind::Kill { killed } else { asked },
        };
        Some(Attack {
            signals: kinds.iter().map(targeted).collect(),
            pause: Duration::from_micros(random.random_range(0..50_000)),
            moment: Moment::random(random),
        })
    }
}

impl Moment {
    /// Early moments are likelier, because procpool's processes are being started then.
    fn random(random: &mut StdRng) -> Moment {
        let part: f64 = random.random_range(0.0..1.0);
        match random.random_range(0..8) {
            0 => Moment::Started(Duration::ZERO),
            1 | 2 => Moment::Forked(Duration::from_millis(4).mul_f64(part)),
            _ => Moment::Started(LATEST.mul_f64(part * part)),
        }
    }
}

impl TargetedSignal {
    pub(crate) fn kills(self, member: Member) -> bool {
        self.kind == SignalKind::Kill && self.target.has(member)
    }

    /// Whether this signal leaves `member` stopped. Only STOP stops a process that catches TSTP, but the
    /// front stops itself once the pool has stopped.
    pub(crate) fn stops(self, member: Member) -> bool {
        match self.kind {
            SignalKind::Stop => {
                self.target.has(member) || member == Member::Front && self.target.has(Member::Pool)
            }
            SignalKind::Tstp => member != Member::Keeper,
            _ => false,
        }
    }
}

impl SignalKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            SignalKind::Kill => "KILL",
            SignalKind::Term => "TERM",
            SignalKind::Int => "INT",
            SignalKind::Hup => "HUP",
            SignalKind::Quit => "QUIT",
            SignalKind::Stop => "STOP",
            SignalKind::Tstp => "TSTP",
        }
    }
}

/// A list for people; the target is named once where several signals have the same.
pub(crate) fn names(signals: &[TargetedSignal]) -> String {
    let parts = signals.chunk_by(|one, other| one.target == other.target).map(|signals| {
        let kinds: Vec<_> = signals.iter().map(|targeted| targeted.kind.name()).collect();
        format!("{} to {}", kinds.join(" "), signals[0].target)
    });
    parts.collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Attack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Attack { signals, pause, moment } = self;
        write!(f, "{} ({pause:.1?} between), {moment:.1?}", names(signals))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_listed_with_those_that_they_are_for() {
        let targeted = |kind, target| TargetedSignal { kind, target };
        let twice = [targeted(SignalKind::Int, Target::Group), targeted(SignalKind::Int, Target::Group)];
        assert_eq!(names(&twice), "INT INT to the group");
        let harder = [targeted(SignalKind::Term, Target::Front), targeted(SignalKind::Kill, Target::All)];
        assert_eq!(names(&harder), "TERM to the front, KILL to all three");
    }

    #[test]
    fn the_chances_of_all_blows_leave_some_for_none() {
        assert_eq!(ATTACKS.iter().map(|(share, _)| share).sum::<u32>(), 93);
    }
}
