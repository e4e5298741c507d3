//! What one round does: which jobs, how many at once, from which input, and which signals. All of it
//! follows from a seed.

use std::fmt;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::attack::Attack;
use crate::job::{Job, Life, Maker, Naming};
use crate::place::Place;

/// A round of the torture.
pub(crate) struct Plan {
    pub(crate) limit: usize,
    pub(crate) order: Order,
    pub(crate) source: Source,
    pub(crate) jobs: Vec<Job>,
    pub(crate) attack: Option<Attack>,
    pub(crate) place: Place,
}

/// The order in which outputs must come.
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
    /// Lines of a standard input that stays open.
    OpenLines,
    /// A job file.
    File,
}

impl Plan {
    /// The same seed makes the same plan; only the machine's timing differs.
    pub(crate) fn random(seed: u64) -> Plan {
        let random = &mut StdRng::seed_from_u64(seed);
        let attack = Attack::random(random);
        let source = Source::random(random, attack.as_ref());
        // A job may hang only if something ends it.
        let life = match (&attack, source) {
            (_, Source::File) => Life::UntilTimeout,
            (Some(_), _) => Life::UntilStopped,
            (None, _) => Life::Brief,
        };
        // Without a signal the round waits for all jobs.
        let most = if attack.is_some() { 20 } else { 8 };
        let naming = if source == Source::File { Naming::ByNumber } else { Naming::ByWords };
        let mut maker = Maker::new(naming, life);
        Plan {
            jobs: (1..=random.random_range(1..=most)).map(|number| maker.job(number, random)).collect(),
            limit: random.random_range(1..=16),
            order: if random.random_bool(0.5) { Order::OfInput } else { Order::AsTheyEnd },
            source,
            attack,
            place: Place::random(random),
        }
    }

    /// The exit status if nobody sends a signal; None where such a run never ends.
    pub(crate) fn natural_status(&self) -> Option<i32> {
        let hangs = self.source == Source::OpenLines || self.jobs.iter().any(Job::hangs);
        (!hangs).then(|| self.jobs.iter().any(Job::fails).into())
    }
}

impl Source {
    fn random(random: &mut StdRng, attack: Option<&Attack>) -> Source {
        match (random.random_range(0..8), attack) {
            (0..3, _) => Source::Values,
            (3, Some(_)) => Source::OpenLines,
            (3..5, _) => Source::Lines,
            _ => Source::File,
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plan { limit, order, source, jobs, attack, place } = self;
        write!(f, "{place}: {} jobs from {source:?}, -j{limit}, {order:?}", jobs.len())?;
        match attack {
            None => write!(f, ", no signal"),
            Some(attack) => write!(f, ", {attack}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::Duration;

    use super::*;
    use crate::attack::{ATTACKS, LATEST, Moment, SignalKind, TargetedSignal};
    use crate::target::Target;

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
    fn every_blow_comes_at_everybody_and_sometimes_none() {
        let attacks: Vec<Vec<TargetedSignal>> = (0..2000)
            .map(|seed| Plan::random(seed).attack.map(|attack| attack.signals).unwrap_or_default())
            .collect();
        let seen: HashSet<Vec<SignalKind>> =
            attacks.iter().map(|signals| signals.iter().map(|targeted| targeted.kind).collect()).collect();
        assert_eq!(seen.len(), ATTACKS.len() + 1, "{seen:?}");
        for kind in [
            SignalKind::Kill,
            SignalKind::Term,
            SignalKind::Int,
            SignalKind::Hup,
            SignalKind::Stop,
            SignalKind::Tstp,
        ] {
            let signals = attacks.iter().flatten().filter(|targeted| targeted.kind == kind);
            let targets: HashSet<Target> = signals.map(|targeted| targeted.target).collect();
            let all = if kind == SignalKind::Kill { Target::EVERY.len() } else { Target::ASKED.len() };
            assert_eq!(targets.len(), all, "{kind:?}");
        }
    }

    #[test]
    fn a_round_without_a_signal_ends_by_itself() {
        let quiet: Vec<Plan> = plans().filter(|plan| plan.attack.is_none()).collect();
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
        let moments = plans().filter_map(|plan| plan.attack.map(|attack| attack.moment));
        let moments: Vec<_> = moments.collect();
        let is_early = |moment: &&Moment| match moment {
            Moment::Started(after) => *after < LATEST / 4,
            Moment::Forked(_) => true,
        };
        assert!(moments.iter().filter(is_early).count() * 2 > moments.len());
        assert!(moments.contains(&Moment::Started(Duration::ZERO)));
    }
}
