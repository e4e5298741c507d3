//! The torture of journals by many short scenarios: lists that change, outputs in changing shapes, to
//! files, pipes and terminals, and somebody who tampers with the journal. Not a single line may be lost,
//! doubled, mixed or torn.
//!
//! Each scenario is played in a process of its own, because it adopts and reaps every orphan.

mod attempt;
mod folder;
mod judge;
mod lines;
mod plan;
mod play;
mod tampering;

use std::env;
use std::fmt;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::geteuid;
use serde::{Deserialize, Serialize};

use crate::census;
use crate::journal::scenario::folder::ScenarioFolder;
use crate::journal::scenario::judge::{Verdict, judge};
use crate::journal::scenario::lines::{Repeats, read};
use crate::journal::scenario::plan::{Scenario, Who};
use crate::journal::scenario::play::{Finish, play};
use crate::lanes;
use crate::round;

/// The most that procpool writes to a pipe at once, which may come twice after a kill.
const PIECE: usize = 4096;

/// How many scenarios, the first seed, and how many at once.
#[derive(Clone, Copy)]
pub(crate) struct ScenarioSet {
    pub(crate) scenarios: u64,
    pub(crate) seed: u64,
    pub(crate) lanes: usize,
}

/// The result of a scenario, or the sum of many.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct ScenarioReport {
    seed: u64,
    plan: String,
    kills: u64,
    refused: u64,
    lines: u64,
    lost: u64,
    doubled: u64,
    mixed: u64,
    torn: u64,
    early: u64,
    twice: u64,
    faults: Vec<String>,
}

/// Plays all scenarios and prints a summary.
pub(crate) fn run(procpool: &Path, number: ScenarioSet) -> Result<()> {
    let ScenarioSet { scenarios, seed, lanes } = number;
    println!("seed {seed}: {scenarios} scenarios, {lanes} at once");
    let begun = Instant::now();
    let reports = lanes::each(lanes, seed..seed + scenarios, |seed| {
        let report =
            play_elsewhere(procpool, seed).with_context(|| format!("the scenario of seed {seed}"))?;
        if !report.faults.is_empty() {
            println!("{}", Bad(&report));
        }
        Ok(report)
    })?;
    let total = reports.iter().fold(ScenarioReport::default(), ScenarioReport::and);
    println!("{total}; {:.1} s", begun.elapsed().as_secs_f64());
    let Some(bad) =
        reports.iter().filter(|report| !report.faults.is_empty()).min_by_key(|report| report.seed)
    else {
        return Ok(());
    };
    let count = reports.iter().filter(|report| !report.faults.is_empty()).count();
    bail!(
        "{count} of {scenarios} scenarios were bad; the first of them again: \
         `cargo xtask torture --journal --scenarios 1 --seed {}`",
        bad.seed
    )
}

/// Plays one scenario in a process of its own.
fn play_elsewhere(procpool: &Path, seed: u64) -> Result<ScenarioReport> {
    let mut command = Command::new(env::current_exe().context("can't find this program")?);
    command.args([
        "torture",
        "--journal",
        "--alone",
        "--scenarios",
        "1",
        "--seed",
        &seed.to_string(),
        "--procpool",
    ]);
    let output = command.arg(procpool).stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "it could not be played: {}", output.status);
    serde_json::from_slice(&output.stdout).context("its report can't be read")
}

/// Plays the scenario of this seed in this process, and prints its report as JSON.
pub(crate) fn run_alone(procpool: &Path, seed: u64) -> Result<()> {
    round::prepare()?;
    let procpool = procpool.canonicalize().context("no procpool")?;
    let who = if geteuid().is_root() { Who::Root } else { Who::Anybody };
    let scenario = Scenario::random(seed, who);
    let mut folder = ScenarioFolder::new(scenario.outlet)?;
    let played = play(&procpool, &scenario, &mut folder);
    // Whatever went wrong, no process may be left on this machine.
    census::kill_all(Duration::from_secs(10))?;
    let mut heard = Vec::new();
    let mut report = ScenarioReport {
        seed,
        plan: scenario.to_string(),
        ..ScenarioReport::default()
    };
    match played {
        Err(error) => report.faults.push(format!("{error:#}")),
        Ok(played) => {
            let repeats = if scenario.outlet.is_file() { Repeats::None } else { Repeats::UpTo(PIECE) };
            let came: Vec<_> = played.streams.iter().map(|segments| read(segments, repeats)).collect();
            for (stream, segments) in played.streams.iter().enumerate() {
                let named = segments.iter().enumerate();
                heard.extend(
                    named.map(|(run, segment)| (format!("came-{stream}-{run}"), segment.bytes.clone())),
                );
            }
            report.kills = played.kills;
            report.refused = u64::from(played.end == Finish::Refused);
            report.twice = came.iter().map(|came| came.repeats).sum();
            report.note(judge(&came, &played.evidence));
        }
    }
    if !report.faults.is_empty() {
        let folder = folder.keep();
        for (name, bytes) in heard {
            fs::write(folder.join(name), bytes)?;
        }
        report.faults.push(format!("its folder stays: {folder:?}"));
    }
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}

impl ScenarioReport {
    fn note(&mut self, verdict: Verdict) {
        let is_good = verdict.is_good();
        let Verdict { lines, lost, doubled, mixed, torn, early, first } = verdict;
        (self.lines, self.lost, self.doubled) = (lines, lost, doubled);
        (self.mixed, self.torn, self.early) = (mixed, torn, early);
        if !is_good {
            self.faults.push(format!(
                "{lost} lost, {doubled} doubled, {mixed} mixed, {torn} torn, {early} not recorded"
            ));
            self.faults.extend(first);
        }
    }

    fn and(self, other: &ScenarioReport) -> ScenarioReport {
        ScenarioReport {
            seed: self.seed + 1,
            plan: String::new(),
            kills: self.kills + other.kills,
            refused: self.refused + other.refused,
            lines: self.lines + other.lines,
            lost: self.lost + other.lost,
            doubled: self.doubled + other.doubled,
            mixed: self.mixed + other.mixed,
            torn: self.torn + other.torn,
            early: self.early + other.early,
            twice: self.twice + other.twice,
            faults: Vec::new(),
        }
    }
}

/// The sum of all.
impl fmt::Display for ScenarioReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ScenarioReport {
            seed: count,
            kills,
            refused,
            lines,
            lost,
            doubled,
            mixed,
            torn,
            early,
            twice,
            ..
        } = self;
        write!(
            f,
            "{count} scenarios, {kills} kills, {refused} refused what somebody had touched; {lines} lines: "
        )?;
        write!(f, "{lost} lost, {doubled} doubled, {mixed} mixed, {torn} torn, {early} not recorded; ")?;
        write!(f, "{twice} pieces came twice where they may")
    }
}

/// Shows a scenario in which something was wrong.
struct Bad<'a>(&'a ScenarioReport);

impl fmt::Display for Bad<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ScenarioReport { seed, plan, faults, .. } = self.0;
        write!(f, "seed {seed}: {plan}")?;
        faults.iter().try_for_each(|fault| write!(f, "\n    | {fault}"))
    }
}
