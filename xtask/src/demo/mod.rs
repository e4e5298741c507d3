//! The demo: five sleepers, four at a time, run by the library and then by the command. Both are judged by
//! the sleepers' own stamps.

mod judge;
mod sleepers;

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::Args;
use procpool_core::{Limit, Pool, Results};
use sleeper::stamp;

use crate::built;
use crate::demo::judge::RunTimes;
use crate::demo::sleepers::Sleepers;

// Same name as `bench::Options`: each subcommand has its options, and is named with them.
/// The options of `cargo xtask demo`.
#[derive(Args)]
pub(crate) struct Options {
    /// Multiply all times by this
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
    /// Repeat the times and failures of an earlier demo [default: random]
    #[arg(long)]
    seed: Option<u64>,
    /// The share of sleepers that fail, from 0 to 1
    #[arg(long, default_value_t = 0.2)]
    fail_rate: f64,
}

impl Options {
    /// A tenth of the time, and a seed with which some sleepers fail and the first ones all sleep long: a
    /// busy machine must not start the fourth when the first is done already.
    pub(crate) fn for_ci() -> Options {
        Options { scale: 0.1, seed: Some(44), fail_rate: 0.4 }
    }
}

const LIMIT: usize = 4;

/// Runs the demo twice and judges both runs.
pub(crate) fn run(root: &Path, options: &Options) -> Result<()> {
    let seed = options.seed.unwrap_or_else(|| rand::random_range(0..1_000_000));
    let sleepers = Sleepers::random(seed, options.scale, options.fail_rate)?;
    println!("seed {seed}: {sleepers}");
    let folder = tempfile::tempdir().context("no folder for the stamps")?;

    println!("\n== through the library, {LIMIT} at a time ==");
    let stamps = folder.path().join("library");
    let failed = through_the_library(&sleepers, &stamps)?;
    judge(&sleepers, &stamps, &failed)?;

    println!("\n== through the command, -j{LIMIT} ==");
    let stamps = folder.path().join("command");
    let failed = through_the_command(&sleepers, root, &stamps)?;
    judge(&sleepers, &stamps, &failed)
}

/// Runs the sleepers, prints one result by its key and then all, and returns the keys that failed.
fn through_the_library(sleepers: &Sleepers, stamps: &Path) -> Result<Vec<String>> {
    let results = Pool::new(Limit::new(LIMIT)?).run_all(sleepers.jobs(stamps))?;
    println!("process2 alone:");
    print(&results, "process2")?;
    println!("all:");
    for key in sleepers.keys() {
        print(&results, key)?;
    }
    let failed = results.iter().filter(|done| !done.outcome.is_success());
    Ok(failed.map(|done| done.key().to_string()).collect())
}

fn print(results: &Results, key: &str) -> Result<()> {
    let done = results.get(key).with_context(|| format!("there is no result for {key}"))?;
    let (stdout, stderr) = (done.stdout().to_string_lossy()?, done.stderr().to_string_lossy()?);
    println!("  {key}: {} after {:.2?}, stdout {stdout:?}, stderr {stderr:?}", done.outcome, done.elapsed());
    Ok(())
}

/// Runs the sleepers from a job file and returns the keys that failed, by what each wrote itself.
fn through_the_command(sleepers: &Sleepers, root: &Path, stamps: &Path) -> Result<Vec<String>> {
    let file = stamps.with_extension("json");
    std::fs::write(&file, sleepers.job_file(stamps)?).context("no job file")?;
    let line = format!("run -k --tag --limit {LIMIT} --file");
    println!("$ procpool {line} {}", file.display());
    let mut command = Command::new(built::procpool(root)?);
    let output = command.args(line.split(' ')).arg(&file).output().context("can't start procpool")?;
    let (stdout, stderr) = (String::from_utf8(output.stdout)?, String::from_utf8(output.stderr)?);
    print!("{stdout}{stderr}");

    let complaints = stderr.lines().filter(|line| line.contains("was told to fail"));
    let failed: Vec<String> =
        complaints.filter_map(|line| Some(line.split_once('\t')?.0.to_owned())).collect();
    let expected = i32::from(!failed.is_empty());
    ensure!(output.status.code() == Some(expected), "procpool ended with {}, not {expected}", output.status);
    for (key, line) in sleepers.lines() {
        ensure!(stdout.contains(&format!("{key}\t{line}\n")), "the output lacks the line {line:?} of {key}");
    }
    Ok(failed)
}

/// Compares the sleepers' stamps with what should have happened.
fn judge(sleepers: &Sleepers, stamps: &Path, failed: &[String]) -> Result<()> {
    let verdict = RunTimes::of(&sleepers.times(), LIMIT, &stamp::read(stamps)?);
    println!("{verdict}");
    verdict.check()?;
    let (failed, doomed) = (sleepers.sorted(failed), sleepers.doomed());
    ensure!(failed == doomed, "{failed:?} failed, but {doomed:?} were to");
    println!(
        "failed, as the seed has it: {}",
        if doomed.is_empty() { "nobody".into() } else { doomed.join(", ") }
    );
    Ok(())
}
