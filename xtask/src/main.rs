//! The project's own commands, run as `cargo xtask COMMAND`. Each has a module of its own.

mod bench;
mod built;
mod ci;
mod cluster;
mod debian;
mod demo;
mod fences;
mod fuzz;
mod msrv;
mod newcomer;
mod shell;
mod systems;
mod tidy;
mod verdict;
mod vm;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

/// The project's own commands.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure procpool against bare spawning, other programs and itself, and compare the ratios with goals
    Bench(bench::Options),
    /// Run everything that decides whether a change lands, or only the named steps
    Ci {
        #[arg(value_enum, value_name = "STEP")]
        steps: Vec<ci::Step>,
    },
    /// Run a real Slurm cluster on this machine for tests: Debian's packages, the loopback address, root
    Cluster(cluster::Options),
    /// Run five sleepers by the library and by the command, and judge both by the sleepers' own stamps
    Demo(demo::Options),
    /// Refuse procpool each system call that it makes, with each error, and write what happens
    Fences(fences::Options),
    /// Fuzz what reads files; needs cargo-fuzz and a nightly compiler
    Fuzz(fuzz::Options),
    /// Check what no compiler checks: layers of imports, type names, sizes, headers, README's help text
    Tidy {
        /// Write the help text into README.md instead of comparing
        #[arg(long)]
        bless: bool,
    },
    /// Kill procpool again and again over nasty jobs, and look for processes and files that it leaves, or
    /// hurts
    Torture(torture::Options),
    /// Try procpool on small virtual machines: as the first process, out of memory, without /proc, after
    /// power cuts
    Vm(vm::Options),
}

fn main() -> ExitCode {
    match run(&Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Not returned from `main`, which would print a backtrace where RUST_BACKTRACE is set.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &Command) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("BUG: xtask lies at the root")?;
    match command {
        Command::Bench(options) => bench::run(root, options),
        Command::Ci { steps } => ci::run(root, steps),
        Command::Cluster(options) => cluster::run(root, options),
        Command::Demo(options) => demo::run(root, options),
        Command::Fences(options) => fences::run(root, options),
        Command::Fuzz(options) => fuzz::run(root, options),
        Command::Tidy { bless: false } => tidy::run(root, tidy::Help::Compare),
        Command::Tidy { bless: true } => tidy::run(root, tidy::Help::Rewrite),
        Command::Torture(options) => torture::run(options, || built::procpool(root)),
        Command::Vm(options) => vm::run(root, options),
    }
}
