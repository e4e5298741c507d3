//! The signals of a round: which, when, and for whom. All of it from a seed.
//! It does not know any process, nor what is right.

use std::fmt;
use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;

use crate::target::{Member, Target};

/// Signals for procpool's processes.
#[derive(Debug)]
pub(crate) struct Blow {
    /// One, or one and another after the pause.
    pub(crate) strokes: Vec<Stroke>,
    pub(crate) pause: Duration,
    pub(crate) moment: Moment,
}

/// A signal, and for whom it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stroke {
    pub(crate) kind: Kind,
    pub(crate) target: Target,
}

/// A signal that ends procpool, or stops it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
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
    /// So long after the start.
    Started(Duration),
    /// So long after procpool was first seen to have a child.
    Forked(Duration),
}

/// With how many chances of a hundred each comes; in what is left there is no signal.
pub(crate) const BLOWS: [(u32, &[Kind]); 12] = [
    (42, &[Kind::Kill]),
    (6, &[Kind::Term]),
    (6, &[Kind::Int]),
    (5, &[Kind::Int, Kind::Int]),
    (3, &[Kind::Hup]),
    (2, &[Kind::Quit]),
    (2, &[Kind::Term, Kind::Int]),
    // In the middle of the grace time.
    (8, &[Kind::Term, Kind::Kill]),
    (5, &[Kind::Int, Kind::Kill]),
    (2, &[Kind::Hup, Kind::Term]),
    (6, &[Kind::Stop, Kind::Kill]),
    (6, &[Kind::Tstp, Kind::Kill]),
];

pub(crate) const LATEST: Duration = Duration::from_millis(400);

impl Blow {
    pub(crate) fn random(random: &mut StdRng) -> Option<Blow> {
        let mut chance = random.random_range(0..100);
        let (_, kinds) = BLOWS.into_iter().find(|(share, _)| {
            let is_it = chance < *share;
            chance = chance.saturating_sub(*share);
            is_it
        })?;
        // Who is told to end once and again is told so in one way.
        let asked = Target::random(&Target::ASKED, random);
        let killed = Target::random(&Target::EVERY, random);
        let stroke = |kind: &Kind| Stroke {
            kind: *kind,
            target: if *kind == Kind::Kill { killed } else { asked },
        };
        Some(Blow {
            strokes: kinds.iter().map(stroke).collect(),
            pause: Duration::from_micros(random.random_range(0..50_000)),
            moment: Moment::random(random),
        })
    }
}

impl Moment {
    /// Early ones are likelier: that is when processes are being made.
    fn random(random: &mut StdRng) -> Moment {
        let part: f64 = random.random_range(0.0..1.0);
        match random.random_range(0..8) {
            0 => Moment::Started(Duration::ZERO),
            1 | 2 => Moment::Forked(Duration::from_millis(4).mul_f64(part)),
            _ => Moment::Started(LATEST.mul_f64(part * part)),
        }
    }
}

impl Stroke {
    pub(crate) fn kills(self, member: Member) -> bool {
        self.kind == Kind::Kill && self.target.has(member)
    }

    /// Whether a member stands still afterwards. Only STOP does that to one that catches TSTP; but the front stops by itself
    /// once the pool has.
    pub(crate) fn stops(self, member: Member) -> bool {
        match self.kind {
            Kind::Stop => self.target.has(member) || member == Member::Front && self.target.has(Member::Pool),
            Kind::Tstp => member != Member::Keeper,
            _ => false,
        }
    }
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Kill => "KILL",
            Kind::Term => "TERM",
            Kind::Int => "INT",
            Kind::Hup => "HUP",
            Kind::Quit => "QUIT",
            Kind::Stop => "STOP",
            Kind::Tstp => "TSTP",
        }
    }
}

/// As one would list them: who is signalled stands once where it is the same each time.
pub(crate) fn names(strokes: &[Stroke]) -> String {
    let parts = strokes.chunk_by(|one, other| one.target == other.target).map(|strokes| {
        let kinds: Vec<_> = strokes.iter().map(|stroke| stroke.kind.name()).collect();
        format!("{} to {}", kinds.join(" "), strokes[0].target)
    });
    parts.collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Blow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Blow { strokes, pause, moment } = self;
        write!(f, "{} ({pause:.1?} between), {moment:.1?}", names(strokes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_listed_with_those_that_they_are_for() {
        let stroke = |kind, target| Stroke { kind, target };
        let twice = [stroke(Kind::Int, Target::Group), stroke(Kind::Int, Target::Group)];
        assert_eq!(names(&twice), "INT INT to the group");
        let harder = [stroke(Kind::Term, Target::Front), stroke(Kind::Kill, Target::All)];
        assert_eq!(names(&harder), "TERM to the front, KILL to all three");
    }

    #[test]
    fn the_chances_of_all_blows_leave_some_for_none() {
        assert_eq!(BLOWS.iter().map(|(share, _)| share).sum::<u32>(), 93);
    }
}
