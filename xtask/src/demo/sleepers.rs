//! The demo's five jobs: how long each sleeps, whether it fails, and how it is started.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use procpool_core::{Command, Job};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sleeper::fate;

/// The jobs of a demo; all of it follows from the seed.
pub(crate) struct Sleepers {
    seed: u64,
    fail_rate: f64,
    all: Vec<Sleeper>,
}

struct Sleeper {
    key: String,
    /// As in its command line.
    seconds: String,
    time: Duration,
}

const COUNT: usize = 5;

impl Sleepers {
    /// Five sleepers of 2 to 10 seconds, times `scale`.
    pub(crate) fn random(seed: u64, scale: f64, fail_rate: f64) -> Result<Sleepers> {
        ensure!(scale > 0.0 && scale <= 100.0, "a scale of {scale} is not between 0 and 100");
        ensure!((0.0..=1.0).contains(&fail_rate), "a fail rate of {fail_rate} is not from 0 to 1");
        let mut random = StdRng::seed_from_u64(seed);
        let sleeper = |number| {
            let time = Duration::from_millis(random.random_range(2_000..=10_000)).mul_f64(scale);
            // The rounded text counts, because the stamps are compared with it.
            let seconds = format!("{:.3}", time.as_secs_f64());
            let time = Duration::from_secs_f64(seconds.parse().unwrap_or_default());
            Sleeper { key: format!("process{number}"), seconds, time }
        };
        Ok(Sleepers { seed, fail_rate, all: (0..COUNT).map(sleeper).collect() })
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(|sleeper| sleeper.key.as_str())
    }

    pub(crate) fn times(&self) -> Vec<Duration> {
        self.all.iter().map(|sleeper| sleeper.time).collect()
    }

    /// The line that each prints.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (&str, String)> {
        self.all.iter().map(|sleeper| (&*sleeper.key, format!("time slept:{}", sleeper.seconds)))
    }

    /// The keys that fail, in input order.
    pub(crate) fn doomed(&self) -> Vec<&str> {
        self.keys().filter(|key| fate::fails(self.seed, key.as_bytes(), self.fail_rate)).collect()
    }

    /// These keys in input order.
    pub(crate) fn sorted(&self, keys: &[String]) -> Vec<&str> {
        self.keys().filter(|key| keys.iter().any(|other| other == key)).collect()
    }

    /// The jobs for the library.
    pub(crate) fn jobs(&self, stamps: &Path) -> Vec<Job> {
        let job = |sleeper: &Sleeper| {
            let command = Command::new(sleeper::binary()).args(self.arguments(sleeper));
            Job::new(sleeper.key.as_str(), command.arg("--stamp").arg(stamps))
        };
        self.all.iter().map(job).collect()
    }

    /// A job file for the command: a plain dictionary from keys to arguments.
    pub(crate) fn job_file(&self, stamps: &Path) -> Result<String> {
        let program = sleeper::binary();
        let (program, stamps) = (program.to_str(), stamps.to_str());
        let (program, stamps) = program.zip(stamps).context("a path that is not UTF-8 can't be in JSON")?;
        let mut jobs = serde_json::Map::new();
        for sleeper in &self.all {
            let mut words = vec![program.to_owned()];
            words.extend(self.arguments(sleeper));
            words.extend(["--stamp", stamps].map(str::to_owned));
            jobs.insert(sleeper.key.clone(), words.into());
        }
        Ok(serde_json::to_string_pretty(&jobs)?)
    }

    fn arguments(&self, sleeper: &Sleeper) -> Vec<String> {
        let (seed, rate) = (self.seed.to_string(), self.fail_rate.to_string());
        [&*sleeper.seconds, "--key", &sleeper.key, "--seed", &seed, "--fail-rate", &rate]
            .map(str::to_owned)
            .into()
    }
}

impl fmt::Display for Sleepers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, sleeper) in self.all.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{} sleeps {}s", sleeper.key, sleeper.seconds)?;
        }
        Ok(())
    }
}
