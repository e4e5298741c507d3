//! The benchmark: procpool against bare spawning, against other programs and against itself, with goals for
//! the ratios.
//!
//! It compares whole processes in alternation, with their processor time and their peak memory, which
//! libraries for benchmarks of functions don't do.

mod bound;
mod case;
mod cases;
mod document;
mod folder;
mod goal;
mod machine;
mod peers;
mod process_info;
mod program;
mod proof;
mod record;
mod rounds;
mod setting;
mod statistics;
mod table;
mod thousands;
mod tools;

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};
use serde_json::json;

use crate::bench::case::Case;
use crate::bench::folder::BenchFolder;
use crate::bench::machine::MachineInfo;
use crate::bench::peers::Peers;
use crate::bench::record::{Record, Standing};
use crate::bench::setting::{Setting, Size};
use crate::shell;

/// The options of `cargo xtask bench`.
#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "switches as they are typed, no state")]
pub(crate) struct Options {
    /// Play only this case; repeatable. docs/benchmarks.md is not written then
    #[arg(long, value_name = "CASE")]
    only: Vec<Case>,
    /// List the cases, and play none
    #[arg(long)]
    list: bool,
    /// How many rounds count; docs/benchmarks.md is not written with fewer than 7
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..))]
    pairs: u16,
    /// Do little work in three rounds, and fail only if a result is wrong, or even the best pair is worse
    /// than twice the goal
    #[arg(long, conflicts_with = "pairs")]
    quick: bool,
    /// Fail if a goal isn't met or could not be measured
    #[arg(long)]
    strict: bool,
    /// Write the table and all samples to FILE [default: bench.json in cargo's target directory]
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// First build the programs that Debian doesn't package, by `cargo install` into cargo's target
    /// directory
    #[arg(long)]
    install_peers: bool,
}

const QUICK_ROUNDS: usize = 3;
/// With fewer rounds docs/benchmarks.md is not written.
const FEWEST_ROUNDS: u16 = 7;
const PAGE: &str = "docs/benchmarks.md";

impl Options {
    pub(crate) fn for_ci() -> Options {
        Options {
            only: Vec::new(),
            list: false,
            pairs: 7,
            quick: true,
            strict: false,
            json: None,
            install_peers: false,
        }
    }

    /// Whether the figures are written into docs/benchmarks.md.
    fn publishes(&self) -> bool {
        !self.quick && self.only.is_empty() && self.pairs >= FEWEST_ROUNDS
    }

    fn cases(&self) -> &[Case] {
        if self.only.is_empty() { Case::value_variants() } else { &self.only }
    }
}

/// Plays the cases and prints the figures.
pub(crate) fn run(root: &Path, options: &Options) -> Result<()> {
    if options.list {
        for case in Case::value_variants() {
            println!("{:<12} {}", case.name(), case.about());
        }
        return Ok(());
    }
    let target = shell::target_directory(root)?;
    if options.publishes() {
        // A page without a place for figures is an error now, not in half an hour.
        document::replace(read_page(root)?.as_deref(), "")?;
    }
    let (setting, machine) = prepare(root, &target, options)?;
    let mut records = Vec::new();
    let mut failed = Vec::new();
    for case in options.cases() {
        let begun = Instant::now();
        let result = case.play(&setting);
        println!("{:<12} {:>6.1} s", case.name(), begun.elapsed().as_secs_f64());
        match result {
            Ok(record) => records.push(record),
            // One failed case doesn't stop the others.
            Err(error) => {
                println!("error: {error:#}");
                failed.push(case.name());
            }
        }
    }
    println!("\n{}", table::as_text(&records));
    let json = json!({ "machine": machine, "rounds": setting.rounds, "cases": records });
    let file = options.json.clone().unwrap_or_else(|| target.join("bench.json"));
    fs::write(&file, serde_json::to_string_pretty(&json)? + "\n")
        .with_context(|| format!("can't write {}", file.display()))?;
    ensure!(failed.is_empty(), "these cases failed, and say why above: {}", failed.join(", "));
    if options.publishes() {
        let part = document::part(&machine, &records, setting.rounds);
        let page = document::replace(read_page(root)?.as_deref(), &part)?;
        fs::write(root.join(PAGE), page).with_context(|| format!("can't write {PAGE}"))?;
    }
    judge(&records, options)
}

/// Builds what is needed, and looks for the other programs.
fn prepare(root: &Path, target: &Path, options: &Options) -> Result<(Setting, MachineInfo)> {
    let mut build =
        shell::cargo(root, "build --quiet --locked --release --package procpool-cli --target-dir");
    shell::show(build.arg(target))?;
    let release = target.join("release");
    let own_peers = target.join("bench-peers");
    if options.install_peers {
        peers::install(root, &own_peers)?;
    }
    let folder = target.join("bench");
    fs::create_dir_all(&folder).with_context(|| format!("can't make {}", folder.display()))?;
    tools::build(&folder)?;
    let mut directories = vec![release.clone(), own_peers.join("bin")];
    directories.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    let peers = Peers::find(&directories);
    let machine = MachineInfo::look(root, &release.join("procpool"), peers.versions.clone())?;
    println!("\n{}", document::described(&machine));
    let (size, rounds) =
        if options.quick { (Size::Quick, QUICK_ROUNDS) } else { (Size::Full, usize::from(options.pairs)) };
    let folder = BenchFolder::new(folder, &directories)?;
    Ok((Setting { folder, peers, rounds, size }, machine))
}

/// None where there is no page yet.
fn read_page(root: &Path) -> Result<Option<String>> {
    match fs::read_to_string(root.join(PAGE)) {
        Ok(page) => Ok(Some(page)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("can't read {PAGE}")),
    }
}

fn judge(records: &[Record], options: &Options) -> Result<()> {
    if options.quick {
        let far: Vec<&str> = table::rows(records)
            .filter(|row| row.is_missed_by_far())
            .map(|row| row.measure.as_str())
            .collect();
        if !far.is_empty() {
            bail!("even the best pair is worse than twice the goal: {}", far.join("; "));
        }
    }
    let is_open = |standing| matches!(standing, Standing::NotMet | Standing::NotMeasured);
    if options.strict && table::rows(records).any(|row| is_open(row.standing())) {
        bail!("{}", table::last_line(records));
    }
    println!("{}", table::last_line(records));
    Ok(())
}
