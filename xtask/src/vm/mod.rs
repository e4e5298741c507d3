//! Small virtual machines, for what can't be tried on this one: to be the first process, to run out of
//! memory or without /proc, to lose power. Each runs in qemu, with Debian's kernel, from files in cargo's
//! target directory.

mod archive;
mod builder;
mod case;
mod cases;
mod console;
mod cuts;
mod disk;
mod kernel;
mod libraries;
mod machine;
mod trial;
mod userland;

use std::env;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::verdict::Verdict;
use crate::vm::builder::{MachineBuilder, Materials};
use crate::vm::cases::Name;
use crate::vm::cuts::{CutOptions, Durability};

/// How many power cuts CI plays.
const CUTS: u64 = 20;

// Same name as `bench::Options`: each subcommand has its options, and is named with them.
/// The options of `cargo xtask vm`.
#[derive(Args)]
pub(crate) struct Options {
    /// Run only these cases, and no power cuts
    #[arg(value_enum, value_name = "CASE", conflicts_with = "cuts")]
    cases: Vec<Name>,
    /// Run no cases, but a list with a journal, and cut the power N times
    ///
    /// After each cut the machine is started again, and the run is resumed. Then nothing that was recorded
    /// or shown may be lost, nothing may be recorded that wasn't done, and no more jobs may run again than
    /// were running.
    #[arg(long, value_name = "N")]
    cuts: Option<u64>,
    /// Repeat earlier cuts [default: random]
    #[arg(long)]
    seed: Option<u64>,
    /// Run without --durable, to see that losses are noticed
    #[arg(long, requires = "cuts")]
    careless: bool,
    /// Try this procpool [default: the one of this workspace]
    #[arg(long, value_name = "FILE")]
    procpool: Option<PathBuf>,
}

impl Options {
    fn orders(&self, cuts: u64) -> CutOptions {
        let seed = self.seed.unwrap_or_else(|| rand::random_range(0..1_000_000));
        let durability = if self.careless { Durability::Careless } else { Durability::Durable };
        CutOptions { cuts, seed, durability }
    }
}

/// Runs cases or power cuts, or both where neither is asked for.
pub(crate) fn run(root: &Path, options: &Options) -> Result<()> {
    let builder = Materials::get(root)?.prepare(root, options.procpool.as_deref())?;
    match options.cuts {
        Some(cuts) => cuts::run(&builder, options.orders(cuts)),
        None if options.cases.is_empty() => run_all(&builder, options),
        None => trial::run(&builder, &options.cases),
    }
}

fn run_all(builder: &MachineBuilder, options: &Options) -> Result<()> {
    trial::run(builder, Name::value_variants())?;
    cuts::run(builder, options.orders(CUTS))
}

/// The step of CI. Where no machine can be made it says why.
pub(crate) fn check(root: &Path) -> Result<Verdict> {
    let materials = match Materials::get(root) {
        Ok(materials) => materials,
        Err(error) => return refuse(error, env::var("PROCPOOL_TESTS").ok().as_deref()),
    };
    let options = Options {
        cases: Vec::new(),
        cuts: None,
        seed: None,
        careless: false,
        procpool: None,
    };
    run_all(&materials.prepare(root, None)?, &options)?;
    Ok(Verdict::Checked)
}

/// Leaves the step out, unless all steps must run.
fn refuse(error: anyhow::Error, tests: Option<&str>) -> Result<Verdict> {
    if tests == Some("all") {
        return Err(error.context("PROCPOOL_TESTS=all leaves nothing out, and no machine can be made here"));
    }
    println!("vm: NOT CHECKED: {error:#}");
    Ok(Verdict::NotChecked)
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn where_no_machine_can_be_made_the_step_is_left_out_unless_all_have_to_run() {
        assert_eq!(refuse(anyhow!("no qemu"), None).unwrap(), Verdict::NotChecked);
        let error = format!("{:#}", refuse(anyhow!("no qemu"), Some("all")).unwrap_err());
        assert!(error.contains("PROCPOOL_TESTS=all") && error.contains("no qemu"), "{error}");
    }
}
