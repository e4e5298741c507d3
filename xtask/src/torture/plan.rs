//! What one round does: which jobs, how many at once, from where, and which signal when to whom; all of it from a seed.
//! It does not know any process, nor what is right.

use std::fmt;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::torture::job::{Job, Life, Maker, Naming};

/// A round of the torture.
pub(crate) struct Plan {
    pub(crate) limit: usize,
    pub(crate) order: Order,
    pub(crate) source: Source,
    pub(crate) jobs: Vec<Job>,
    pub(crate) blow: Option<Blow>,
}

/// In which order outputs are to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    AsTheyEnd,
    OfInput,
}

/// Where the jobs come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Values after `:::`.
    Values,
    /// Lines of standard input.
    Lines,
    /// The same, and no end of input comes after them.
    OpenLines,
    /// A job file.
    File,
}

/// Signals for one of procpool's two processes.
#[derive(Debug)]
pub(crate) struct Blow {
    /// One, or one and another after the pause.
    pub(crate) kinds: &'static [Kind],
    pub(crate) pause: Duration,
    pub(crate) target: Target,
    pub(crate) moment: Moment,
}

/// A signal that ends procpool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Kill,
    Term,
    Int,
    Hup,
    Quit,
}

/// Which process is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// The one that was started.
    Guardian,
    /// Its child that runs the jobs.
    Pool,
}

/// When the first signal is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// So long after the start.
    Started(Duration),
    /// So long after procpool was first seen to have a child.
    Forked(Duration),
}

/// With how many chances of a hundred each blow comes; in what is left there is none.
const BLOWS: [(u32, &[Kind]); 10] = [
    (45, &[Kind::Kill]),
    (10, &[Kind::Term]),
    (9, &[Kind::Int]),
    (8, &[Kind::Int, Kind::Int]),
    (4, &[Kind::Hup]),
    (4, &[Kind::Quit]),
    (2, &[Kind::Term, Kind::Int]),
    (3, &[Kind::Term, Kind::Kill]),
    (2, &[Kind::Int, Kind::Kill]),
    (2, &[Kind::Hup, Kind::Term]),
];

const LATEST: Duration = Duration::from_millis(400);

impl Plan {
    /// The same seed makes the same plan. Only what the machine makes of its times differs.
    pub(crate) fn random(seed: u64) -> Plan {
        let random = &mut StdRng::seed_from_u64(seed);
        let blow = Blow::random(random);
        let source = Source::random(random, blow.as_ref());
        // What hangs has to be ended by somebody.
        let life = match (&blow, source) {
            (_, Source::File) => Life::UntilTimeout,
            (Some(_), _) => Life::UntilStopped,
            (None, _) => Life::Brief,
        };
        // Without a blow all are waited for.
        let most = if blow.is_some() { 20 } else { 8 };
        let naming = if source == Source::File { Naming::ByNumber } else { Naming::ByWords };
        let mut maker = Maker::new(naming, life);
        Plan {
            jobs: (1..=random.random_range(1..=most)).map(|number| maker.job(number, random)).collect(),
            limit: random.random_range(1..=16),
            order: if random.random_bool(0.5) { Order::OfInput } else { Order::AsTheyEnd },
            source,
            blow,
        }
    }

    /// The exit status once all jobs have ended and nobody has sent a signal; none where that never comes.
    pub(crate) fn natural_status(&self) -> Option<i32> {
        let hangs = self.source == Source::OpenLines || self.jobs.iter().any(Job::hangs);
        (!hangs).then(|| self.jobs.iter().any(Job::fails).into())
    }
}

impl Source {
    fn random(random: &mut StdRng, blow: Option<&Blow>) -> Source {
        match (random.random_range(0..8), blow) {
            (0..3, _) => Source::Values,
            (3, Some(_)) => Source::OpenLines,
            (3..5, _) => Source::Lines,
            _ => Source::File,
        }
    }
}

impl Blow {
    fn random(random: &mut StdRng) -> Option<Blow> {
        let mut chance = random.random_range(0..100);
        let (_, kinds) = BLOWS.into_iter().find(|(share, _)| {
            let is_it = chance < *share;
            chance = chance.saturating_sub(*share);
            is_it
        })?;
        Some(Blow {
            kinds,
            pause: Duration::from_micros(random.random_range(0..50_000)),
            target: if random.random_bool(0.5) { Target::Guardian } else { Target::Pool },
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

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Kill => "KILL",
            Kind::Term => "TERM",
            Kind::Int => "INT",
            Kind::Hup => "HUP",
            Kind::Quit => "QUIT",
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plan { limit, order, source, jobs, blow } = self;
        write!(f, "{} jobs from {source:?}, -j{limit}, {order:?}", jobs.len())?;
        match blow {
            None => write!(f, ", no signal"),
            Some(Blow { kinds, pause, target, moment }) => {
                let names: Vec<_> = kinds.iter().map(|kind| kind.name()).collect();
                write!(f, ", {} ({pause:.1?} between) for the {target:?}, {moment:.1?}", names.join(" "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn plans() -> impl Iterator<Item = Plan> {
        (0..500).map(Plan::random)
    }

    #[test]
    fn the_same_seed_makes_the_same_plan_and_another_another() {
        let words = |plan: &Plan| plan.jobs.iter().map(|job| job.words.clone()).collect::<Vec<_>>();
        let (plan, same, other) = (Plan::random(7), Plan::random(7), Plan::random(8));
        assert_eq!((plan.to_string(), words(&plan)), (same.to_string(), words(&same)));
        assert_ne!(words(&plan), words(&other));
    }

    #[test]
    fn every_blow_comes_at_either_process_and_sometimes_none() {
        let seen: HashSet<String> = plans()
            .map(|plan| plan.blow.map(|blow| format!("{:?} {:?}", blow.kinds, blow.target)))
            .map(Option::unwrap_or_default)
            .collect();
        assert_eq!(seen.len(), BLOWS.len() * 2 + 1, "{seen:?}");
    }

    #[test]
    fn a_round_without_a_signal_ends_by_itself() {
        let quiet: Vec<Plan> = plans().filter(|plan| plan.blow.is_none()).collect();
        assert!(quiet.iter().all(|plan| plan.natural_status().is_some()));
        for status in [0, 1] {
            assert!(
                quiet.iter().any(|plan| plan.natural_status() == Some(status)),
                "none exits with {status}"
            );
        }
    }

    #[test]
    fn half_of_the_moments_lie_in_the_first_quarter_of_the_time() {
        let moments = plans().filter_map(|plan| plan.blow.map(|blow| blow.moment));
        let moments: Vec<_> = moments.collect();
        let is_early = |moment: &&Moment| match moment {
            Moment::Started(after) => *after < LATEST / 4,
            Moment::Forked(_) => true,
        };
        assert!(moments.iter().filter(is_early).count() * 2 > moments.len());
        assert!(moments.contains(&Moment::Started(Duration::ZERO)));
    }
}
