//! The torture: rounds of nasty jobs and random signals to procpool's processes, and a look at what they
//! leave: descendants, temporary files, output, and bystanders that were hurt.
//!
//! Each round is played in a process of its own, because it adopts and reaps every orphan.

mod attack;
mod bystanders;
pub mod census;
mod ending;
mod folder;
mod job;
mod journal;
mod judge;
pub mod lanes;
mod namespace_init;
mod pipe_reader;
mod place;
mod plan;
mod report;
mod round;
mod running;
mod send;
mod target;

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use sleeper::needs::Need;

use crate::bystanders::Bystanders;
use crate::journal::Hardness;
use crate::journal::scenario::{self, ScenarioSet};
use crate::place::Realm;
use crate::report::{RoundReport, Total};

/// The options of `cargo xtask torture`.
#[derive(Args)]
pub struct Options {
    /// How many rounds to play
    #[arg(long, default_value_t = 50)]
    rounds: u64,
    /// Instead of rounds: kill long runs with a journal again and again, and resume them
    #[arg(long, conflicts_with = "rounds")]
    journal: bool,
    /// How often each of these runs is killed
    #[arg(long, value_name = "N", default_value_t = 1000, requires = "journal")]
    kills: u64,
    /// How many jobs each of them has
    #[arg(long, value_name = "N", default_value_t = 5000, requires = "journal")]
    jobs: usize,
    /// Instead of those: play this many short runs that are killed, changed, tampered with and resumed
    #[arg(long, value_name = "N", requires = "journal", conflicts_with_all = ["kills", "jobs"])]
    scenarios: Option<u64>,
    /// Repeat an earlier torture: each round has the seed after that of the one before [default: random]
    #[arg(long)]
    seed: Option<u64>,
    /// How many rounds run at once
    #[arg(long, value_name = "N", default_value_t = 4)]
    lanes: usize,
    /// Torture this procpool [default: the one of this workspace]
    #[arg(long, value_name = "FILE")]
    procpool: Option<PathBuf>,
    /// Play the first round only, in this process, and print its report as JSON
    #[arg(long, hide = true)]
    alone: bool,
    /// Play no round in a PID namespace
    #[arg(long)]
    here: bool,
    /// Be the first process of a PID namespace, and report in this folder
    #[arg(long, hide = true, value_name = "FOLDER")]
    company: Option<PathBuf>,
    /// The process ID after which its children's begin
    #[arg(long, hide = true, default_value_t = 0)]
    last_number: u32,
    /// The command that runs in it
    #[arg(last = true, hide = true)]
    command: Vec<OsString>,
}

impl Options {
    /// What CI plays, one after the other: rounds, long runs with a journal, and short scenarios with one.
    #[must_use]
    pub fn for_ci() -> [Options; 3] {
        let rounds = || Options {
            rounds: 50,
            journal: false,
            kills: 50,
            jobs: 400,
            scenarios: None,
            seed: None,
            lanes: 4,
            procpool: None,
            alone: false,
            here: false,
            company: None,
            last_number: 0,
            command: Vec::new(),
        };
        let journals = || Options { journal: true, ..rounds() };
        [rounds(), journals(), Options { scenarios: Some(60), ..journals() }]
    }

    fn realm(&self) -> Realm {
        if self.here { Realm::Here } else { Realm::Anywhere }
    }
}

/// Plays all rounds and prints a summary. `build` builds procpool where the options name none.
///
/// # Errors
/// Names the first round in which something was wrong, and how to play it again.
pub fn run(options: &Options, build: impl FnOnce() -> Result<PathBuf>) -> Result<()> {
    if let Some(folder) = &options.company {
        return namespace_init::keep(folder, options.last_number, &options.command);
    }
    let seed = options.seed.unwrap_or_else(|| rand::random_range(0..1_000_000));
    let procpool = options.procpool.clone().map_or_else(build, Ok)?;
    if let Some(scenarios) = options.scenarios {
        let number = ScenarioSet { scenarios, seed, lanes: options.lanes };
        return if options.alone {
            scenario::run_alone(&procpool, seed)
        } else {
            scenario::run(&procpool, number)
        };
    }
    if options.journal {
        return journal::run(&procpool, Hardness { kills: options.kills, jobs: options.jobs, seed });
    }
    if options.alone {
        println!("{}", serde_json::to_string(&round::run(seed, &procpool, options.realm())?)?);
        return Ok(());
    }
    // Prints a message where no namespace can be made.
    let realm = if Need::are_met(&[Need::Pids]) { options.realm() } else { Realm::Here };
    println!("seed {seed}: {} rounds, {} at once", options.rounds, options.lanes);
    let begun = Instant::now();
    let reports = lanes::each(options.lanes, seed..seed + options.rounds, |seed| {
        let report = play(&procpool, seed, realm).with_context(|| format!("the round of seed {seed}"))?;
        if !report.is_good() {
            println!("{report}");
        }
        Ok(report)
    })?;
    let total = Total(&reports);
    println!("{total}; {:.1} s", begun.elapsed().as_secs_f64());
    let Some(bad) = total.bad().next() else {
        return Ok(());
    };
    bail!(
        "{} of {} rounds were bad; the first of them again: `cargo xtask torture --rounds 1 --seed {}`",
        total.bad().count(),
        options.rounds,
        bad.seed
    )
}

/// Plays one round in a process of its own, with bystanders around it.
fn play(procpool: &Path, seed: u64, realm: Realm) -> Result<RoundReport> {
    let mut command = Command::new(env::current_exe().context("can't find this program")?);
    command.args(["torture", "--alone", "--seed", &seed.to_string(), "--procpool"]).arg(procpool);
    command.args((realm == Realm::Here).then_some("--here"));
    command.stdin(Stdio::null()).stderr(Stdio::inherit());
    let bystanders = Bystanders::start()?;
    let is_over = AtomicBool::new(false);
    let (output, hurt) = thread::scope(|scope| {
        let around = scope.spawn(|| bystanders.watch_until(|| is_over.load(Ordering::Acquire)));
        let output = command.output();
        is_over.store(true, Ordering::Release);
        (output, around.join().expect("BUG: the watcher of bystanders panicked"))
    });
    let (output, hurt) = (output?, hurt?);
    ensure!(output.status.success(), "it could not be played: {}", output.status);
    let mut report: RoundReport =
        serde_json::from_slice(&output.stdout).context("its report can't be read")?;
    report.bystanders.extend(hurt);
    Ok(report)
}
