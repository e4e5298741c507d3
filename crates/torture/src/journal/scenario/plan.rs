//! What a scenario is: which jobs, printed how and to where, killed when, and what else is done in between.
//! All of it follows from a seed.

use std::fmt;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use crate::journal::folder::StartedBy;
use crate::journal::kill_plan::{PlannedKill, Remaining};
use crate::journal::scenario::tampering::Tampering;
use crate::plan::Order;

/// How many jobs run at once.
pub(crate) const LIMIT: u64 = 4;

/// A list of jobs that is run, killed and resumed.
pub(crate) struct Scenario {
    pub(crate) outlet: Outlet,
    /// The last is not killed.
    pub(crate) runs: Vec<Run>,
}

/// One start of procpool.
pub(crate) struct Run {
    pub(crate) jobs: Vec<ScenarioJob>,
    pub(crate) shape: Shape,
    pub(crate) way: StartedBy,
    pub(crate) failed: Failed,
    pub(crate) changed: Changed,
    pub(crate) planned: Option<PlannedKill>,
    /// What is done to the journal before this run.
    pub(crate) tampering: Option<Tampering>,
}

/// A job of a list.
#[derive(Clone, Debug)]
pub(crate) struct ScenarioJob {
    pub(crate) key: String,
    /// How many lines it writes to standard output and to standard error.
    pub(crate) lines: [u64; 2],
    line_bytes: usize,
    pace_milliseconds: u32,
    nap_milliseconds: u32,
    /// How many of its first attempts fail.
    fail_first: u32,
    pub(crate) retries: u32,
    /// What it does to the journal first, once.
    pub(crate) tampering: Option<Tampering>,
}

/// Where procpool's two streams go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Outlet {
    Files,
    Pipes,
    OneFile,
    OnePipe,
    Terminal,
}

/// How outputs are printed.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) mode: Mode,
    pub(crate) order: Order,
    tag: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Grouped,
    Lines,
}

/// What happens to failed jobs on a resume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failed {
    RunAgain,
    StayAsTheyAre,
}

/// What happens to jobs with another command on a resume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Changed {
    Rerun,
    Skip,
}

const TAGS: [Option<&str>; 6] = [None, None, Some(""), Some("x"), Some("a longer one"), Some("<{#}> {key}")];

/// Whether `label` may stand before the lines of this job.
pub(crate) fn is_label(label: &[u8], key: &str) -> bool {
    let Some(label) = label.strip_suffix(b"\t") else { return label.is_empty() };
    let Ok(label) = std::str::from_utf8(label) else { return false };
    let position = label.strip_prefix('<').and_then(|label| label.strip_suffix(key)?.strip_suffix("> "));
    label == key
        || TAGS.contains(&Some(label))
        || position.is_some_and(|position| position.parse::<u64>().is_ok())
}

impl Scenario {
    /// The same seed makes the same scenario; only the machine's timing differs.
    pub(crate) fn random(seed: u64, who: Who) -> Scenario {
        let random = &mut StdRng::seed_from_u64(seed);
        let mut jobs: Vec<ScenarioJob> =
            (1..=random.random_range(12..=36)).map(|number| ScenarioJob::random(number, random)).collect();
        let outlets = [Outlet::Files, Outlet::Pipes, Outlet::OneFile, Outlet::OnePipe, Outlet::Terminal];
        let outlet = outlets[random.random_range(0..outlets.len())];
        let kills = random.random_range(1..=3);
        let mut runs = Vec::new();
        let mut shape = Shape::random(random);
        for run in 0..=kills {
            if run > 0 && random.random_bool(0.4) {
                shape = Shape::random(random);
            }
            if run > 0 && random.random_bool(0.35) {
                change(&mut jobs, random);
            }
            let left = Remaining {
                jobs: jobs.len() as u64,
                kills,
                way_to_first_job: Duration::from_millis(40),
            };
            runs.push(Run {
                jobs: jobs.clone(),
                shape: shape.clone(),
                way: if run > 0 && random.random_bool(0.5) { StartedBy::Journal } else { StartedBy::Command },
                failed: if random.random_bool(0.2) { Failed::StayAsTheyAre } else { Failed::RunAgain },
                changed: if random.random_bool(0.3) { Changed::Skip } else { Changed::Rerun },
                planned: (run < kills).then(|| PlannedKill::random(random, LIMIT, left)),
                tampering: None,
            });
        }
        tamper(&mut runs, who, random);
        Scenario { outlet, runs }
    }
}

/// The user who runs procpool here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// One who can give files to another user.
    Root,
    Anybody,
}

/// In four of ten scenarios the journal is tampered with, by hand before a run or by a job.
fn tamper(runs: &mut [Run], who: Who, random: &mut StdRng) {
    let number = random.random_range(1..runs.len());
    match random.random_range(0..10) {
        0 | 1 => runs[number].tampering = Some(Tampering::by_hand(random)),
        2 if who == Who::Root => runs[number].tampering = Some(Tampering::by_another_user(random)),
        3 => {
            let tampering = Tampering::by_job(random);
            let job = random.random_range(0..12);
            let first = runs[0].jobs.get(job).map(|job| job.key.clone());
            for run in runs {
                for job in run.jobs.iter_mut().filter(|job| Some(&job.key) == first.as_ref()) {
                    job.tampering = Some(tampering.clone());
                }
            }
        }
        _ => {}
    }
}

/// Removes some jobs, adds some, moves some, and gives some another command.
fn change(jobs: &mut Vec<ScenarioJob>, random: &mut StdRng) {
    if random.random_bool(0.5) {
        jobs.retain(|_| random.random_bool(0.85));
    }
    if random.random_bool(0.5) {
        for number in 0..random.random_range(1..=4) {
            let place = random.random_range(0..=jobs.len());
            let number = 1000 + number + 10 * random.random_range(0..100);
            if jobs.iter().all(|job| job.key != key(number)) {
                jobs.insert(place, ScenarioJob::random(number, random));
            }
        }
    }
    if random.random_bool(0.4) {
        jobs.shuffle(random);
    }
    if random.random_bool(0.3) {
        for job in jobs.iter_mut().filter(|_| random.random_bool(0.2)) {
            // Another number of lines tells which command printed them.
            job.lines = job.lines.map(|count| count + 1);
        }
    }
}

fn key(number: u32) -> String {
    format!("job-{number}")
}

impl ScenarioJob {
    fn random(number: u32, random: &mut StdRng) -> ScenarioJob {
        let mut count = |chances: [u32; 3]| match random.random_range(0..100) {
            chance if chance < chances[0] => 0,
            chance if chance < chances[1] => random.random_range(1..6),
            chance if chance < chances[2] => random.random_range(50..300),
            _ => random.random_range(1000..4000),
        };
        let lines = [count([15, 60, 92]), count([60, 85, 98])];
        let is_long = lines.iter().all(|count| *count < 20);
        ScenarioJob {
            key: key(number),
            lines,
            line_bytes: match random.random_range(0..10) {
                0..5 => 60,
                5..9 => random.random_range(30..200),
                _ if is_long => random.random_range(4000..80_000),
                _ => 100,
            },
            pace_milliseconds: if random.random_bool(0.3) { 5 } else { 0 },
            nap_milliseconds: random.random_range(0..30),
            fail_first: if random.random_bool(0.15) { random.random_range(1..4) } else { 0 },
            retries: random.random_bool(0.15).into(),
            tampering: None,
        }
    }

    /// The sleeper's arguments, as one word.
    pub(crate) fn words(&self, log: &str) -> String {
        let ScenarioJob {
            lines: [stdout, stderr],
            line_bytes,
            pace_milliseconds,
            nap_milliseconds,
            fail_first,
            ..
        } = self;
        format!(
            "0.{nap_milliseconds:03} --quiet --stamp {log} --stdout-lines {stdout} --stderr-lines {stderr} \
             --line-bytes {line_bytes} --pace {pace_milliseconds} --fail-first {fail_first}"
        )
    }
}

impl Shape {
    fn random(random: &mut StdRng) -> Shape {
        Shape {
            mode: if random.random_bool(0.4) { Mode::Lines } else { Mode::Grouped },
            order: if random.random_bool(0.35) { Order::OfInput } else { Order::AsTheyEnd },
            tag: TAGS[random.random_range(0..TAGS.len())],
        }
    }

    pub(crate) fn words(&self) -> Vec<&str> {
        let mut words = match self.mode {
            Mode::Grouped => vec!["--output", "grouped"],
            Mode::Lines => vec!["--output", "lines"],
        };
        words.extend((self.order == Order::OfInput).then_some("--keep-order"));
        match self.tag {
            None => {}
            Some("") => words.push("--tag"),
            Some(text) => words.extend(["--tag-with", text]),
        }
        words
    }
}

impl Outlet {
    /// Whether both streams go to one place.
    pub(crate) fn is_one(self) -> bool {
        !matches!(self, Outlet::Files | Outlet::Pipes)
    }

    /// Whether a resume can see what was written.
    pub(crate) fn is_file(self) -> bool {
        matches!(self, Outlet::Files | Outlet::OneFile)
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.outlet)?;
        for Run { jobs, shape, way, failed, changed, planned, tampering } in &self.runs {
            write!(
                f,
                "\n  {way:?}: {} jobs, {}, {failed:?}, {changed:?}",
                jobs.len(),
                shape.words().join(" ")
            )?;
            if let Some(tampering) = tampering {
                write!(f, ", after {tampering:?}")?;
            }
            if let Some(tampering) = jobs.iter().find_map(|job| Some((&job.key, job.tampering.as_ref()?))) {
                write!(f, ", {tampering:?}")?;
            }
            if let Some(planned) = planned {
                write!(f, ", {planned:?}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_and_everything_comes() {
        let told = |seed| Scenario::random(seed, Who::Root).to_string();
        assert_eq!(told(7), told(7));
        let scenarios: Vec<Scenario> = (0..300).map(|seed| Scenario::random(seed, Who::Root)).collect();
        let outlets: HashSet<Outlet> = scenarios.iter().map(|scenario| scenario.outlet).collect();
        assert_eq!(outlets.len(), 5);
        let runs: Vec<&Run> = scenarios.iter().flat_map(|scenario| &scenario.runs).collect();
        assert!(runs.iter().filter(|run| run.tampering.is_some()).count() > 50);
        let keys = |run: &Run| run.jobs.iter().map(|job| job.key.clone()).collect::<HashSet<_>>();
        assert!(runs.iter().all(|run| keys(run).len() == run.jobs.len()), "a key comes twice");
        assert!(
            scenarios.iter().all(|scenario| scenario.runs.last().is_some_and(|run| run.planned.is_none()))
        );
    }
}
