//! The nasty jobs of a round: what each tells the sleeper to do, and what it must print.

use rand::RngExt;
use rand::rngs::StdRng;
use sleeper::bytes::{self, Stream};

/// A job of a round.
pub(crate) struct Job {
    pub(crate) key: String,
    /// The sleeper's arguments, as one word.
    pub(crate) words: String,
    /// The job's timeout, as procpool takes it.
    pub(crate) timeout: Option<&'static str>,
    fate: Fate,
    seed: u64,
    byte_count: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Succeeds,
    Fails,
    /// It doesn't end by itself.
    Hangs,
}

/// What ends a job that hangs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// No job of the round hangs.
    Brief,
    /// Its own timeout.
    UntilTimeout,
    /// A signal to procpool.
    UntilStopped,
}

/// What the key of a job is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Naming {
    /// The sleeper's arguments.
    ByWords,
    /// The job's number; only a job file can set such a key.
    ByNumber,
}

/// Makes the jobs of a round.
pub(crate) struct Maker {
    naming: Naming,
    life: Life,
    quota: Quota,
}

/// How many more of each costly kind a round may have.
struct Quota {
    storms: u32,
    chains: u32,
    loud: u32,
    hanging: u32,
}

/// In seconds: processes that a job leaves behind live longer than any round.
const FOR_EVER: &str = "60";

const TIMEOUT: &str = "0.4";

struct Nasty {
    told: String,
    fate: Fate,
    byte_count: usize,
}

impl Maker {
    pub(crate) fn new(naming: Naming, life: Life) -> Maker {
        Maker {
            naming,
            life,
            quota: Quota { storms: 2, chains: 1, loud: 4, hanging: 6 },
        }
    }

    /// Makes the job of this number.
    pub(crate) fn job(&mut self, number: u64, random: &mut StdRng) -> Job {
        let Nasty { told, fate, byte_count } = self.nasty(random);
        // A seed of its own for each job, so that no two print the same.
        let seed = random.random_range(0..1 << 20) * 1000 + number;
        let words =
            format!("{told} --quiet --print-env PROCPOOL_KEY --stdout-bytes {byte_count} --byte-seed {seed}");
        Job {
            key: match self.naming {
                Naming::ByWords => words.clone(),
                // Leading zeros, because a JSON object is written in alphabetical order.
                Naming::ByNumber => format!("job {number:03}"),
            },
            words,
            timeout: (fate == Fate::Hangs && self.life == Life::UntilTimeout).then_some(TIMEOUT),
            fate,
            seed,
            byte_count,
        }
    }

    fn nasty(&mut self, random: &mut StdRng) -> Nasty {
        let quota = &mut self.quota;
        let mut fate = Fate::Succeeds;
        let mut byte_count = random.random_range(0..2000);
        let nap = format!("0.{:03}", random.random_range(0..200));
        let deaf = perhaps(" --deaf", 0.5, random);
        let told = match random.random_range(0..16) {
            0 | 1 if self.life != Life::Brief && take(&mut quota.hanging) => {
                fate = Fate::Hangs;
                let way = if random.random_bool(0.3) { "0 --stop-self" } else { FOR_EVER };
                format!("{way}{deaf}")
            }
            2 => {
                fate = Fate::Fails;
                let ways = ["--exit 3", "--exit 255", "--kill-self 9", "--kill-self 15"];
                format!("0 {}", ways[random.random_range(0..ways.len())])
            }
            3 | 4 => format!("{nap}{deaf}"),
            5 | 6 => format!("0 --hold-stdout {FOR_EVER}{deaf}{}", disguise(random)),
            7 | 8 => format!("{nap} --daemon {FOR_EVER}{deaf}{}", disguise(random)),
            9 => format!("{nap} --daemon {FOR_EVER} --keep-stdout{deaf}{}", disguise(random)),
            10 | 11 if take(&mut quota.storms) => {
                format!("{nap} --fork-storm {FOR_EVER} --deaf{}{}", grip(random), disguise(random))
            }
            12 if take(&mut quota.chains) => {
                format!("0 --fork-chain {FOR_EVER} --count 200{deaf}{}{}", grip(random), disguise(random))
            }
            13 | 14 if take(&mut quota.loud) => {
                byte_count = random.random_range(1_000_000..3_000_000);
                format!("0{deaf}")
            }
            _ => "0".to_owned(),
        };
        Nasty { told, fate, byte_count }
    }
}

fn take(left: &mut u32) -> bool {
    let is_left = *left > 0;
    *left = left.saturating_sub(1);
    is_left
}

fn perhaps(option: &'static str, chance: f64, random: &mut StdRng) -> &'static str {
    if random.random_bool(chance) { option } else { "" }
}

fn disguise(random: &mut StdRng) -> &'static str {
    perhaps(" --clear-env", 0.3, random)
}

fn grip(random: &mut StdRng) -> &'static str {
    perhaps(" --keep-stdout", 0.3, random)
}

impl Job {
    /// Whether the job fails when it ends by itself or by its timeout.
    pub(crate) fn fails(&self) -> bool {
        self.fate != Fate::Succeeds
    }

    /// Whether only a signal to procpool ends it.
    pub(crate) fn hangs(&self) -> bool {
        self.fate == Fate::Hangs && self.timeout.is_none()
    }

    /// All that it prints if nothing ends it early: a line with its key, then bytes of its own.
    pub(crate) fn output(&self) -> Vec<u8> {
        let bytes = bytes::all(self.seed, Stream::Stdout, self.byte_count);
        [self.key.as_bytes(), b"\n", &bytes].concat()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rand::SeedableRng;

    use super::*;

    /// One job of each of 2,000 rounds.
    fn jobs(life: Life) -> Vec<Job> {
        let random = &mut StdRng::seed_from_u64(7);
        (1..400).map(|number| Maker::new(Naming::ByWords, life).job(number, random)).collect()
    }

    #[test]
    fn every_misbehaviour_of_sleeper_is_asked_for() {
        let jobs = jobs(Life::UntilStopped);
        for option in [
            "--stop-self",
            "--exit",
            "--kill-self",
            "--deaf",
            "--hold-stdout",
            "--daemon",
            "--keep-stdout",
            "--fork-storm",
            "--fork-chain",
            "--clear-env",
        ] {
            assert!(jobs.iter().any(|job| job.words.contains(option)), "{option}");
        }
        assert!(jobs.iter().any(|job| job.byte_count >= 1_000_000));
    }

    #[test]
    fn no_two_jobs_print_the_same() {
        let outputs: HashSet<Vec<u8>> = jobs(Life::Brief).iter().map(Job::output).collect();
        assert_eq!(outputs.len(), 399);
    }

    #[test]
    fn who_hangs_has_a_timeout_or_somebody_who_stops_it() {
        assert!(!jobs(Life::Brief).iter().any(|job| job.fate == Fate::Hangs));
        let timed = jobs(Life::UntilTimeout);
        assert!(timed.iter().any(|job| job.timeout.is_some()) && !timed.iter().any(Job::hangs));
        assert!(timed.iter().all(|job| job.timeout.is_none() || job.fails()));
        assert!(jobs(Life::UntilStopped).iter().any(Job::hangs));
    }

    #[test]
    fn the_costly_ones_are_few() {
        let random = &mut StdRng::seed_from_u64(7);
        let mut maker = Maker::new(Naming::ByNumber, Life::Brief);
        let jobs: Vec<Job> = (1..400).map(|number| maker.job(number, random)).collect();
        let count = |option| jobs.iter().filter(|job| job.words.contains(option)).count();
        assert_eq!((count("--fork-storm"), count("--fork-chain")), (2, 1));
    }
}
