//! The fences: refuses procpool each system call that it makes, with each error, and judges each run. The
//! result is docs/fences.md, or is compared with it.

mod call;
mod error;
mod judge;
mod recording;
mod runner;
mod scene;
mod table;
mod tools;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::Args;
use torture::lanes;

use crate::built;
use crate::fences::call::Call;
use crate::fences::error::Error;
use crate::fences::judge::{Cell, Trial, judge};
use crate::fences::runner::{Fence, SceneRunner};
use crate::fences::scene::{SCENES, Scene};
use crate::fences::table::Cells;
use crate::fences::tools::Tools;
use crate::verdict::Verdict;

const PAGE: &str = "docs/fences.md";

// Same name as `bench::Options`: each subcommand has its options, and is named with them.
/// The options of `cargo xtask fences`.
#[derive(Args)]
pub(crate) struct Options {
    /// Compare with docs/fences.md instead of writing it
    #[arg(long)]
    check: bool,
    /// Refuse only these calls, and print the result of each run; nothing is written
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    call: Vec<String>,
    /// Refuse only the calls that real sandboxes refuse, with EPERM and ENOSYS, and compare
    #[arg(long, conflicts_with_all = ["check", "call"])]
    quick: bool,
    /// How many runs are played at once
    #[arg(long, value_name = "N", default_value_t = 3)]
    lanes: usize,
    /// Refuse calls to this procpool [default: the one of this workspace]
    #[arg(long, value_name = "FILE")]
    procpool: Option<PathBuf>,
}

/// The calls that containers, sandboxes and older kernels really refuse.
const IN_EARNEST: [&str; 32] = [
    "clone",
    "clone3",
    "close_range",
    "copy_file_range",
    "eventfd2",
    "fallocate",
    "fcntl",
    "flock",
    "fsync",
    "fdatasync",
    "getrandom",
    "ioctl",
    "kill",
    "madvise",
    "memfd_create",
    "pidfd_open",
    "pidfd_send_signal",
    "pipe2",
    "poll",
    "ppoll",
    "prctl",
    "prlimit64",
    "rseq",
    "sched_getaffinity",
    "setpgid",
    "setsid",
    "signalfd4",
    "socketpair",
    "splice",
    "statx",
    "unshare",
    "waitid",
];

impl Options {
    fn for_ci() -> Options {
        Options {
            check: false,
            call: Vec::new(),
            quick: true,
            lanes: 3,
            procpool: None,
        }
    }

    fn wants(&self, call: &str) -> bool {
        if self.quick {
            IN_EARNEST.contains(&call)
        } else {
            self.call.is_empty() || self.call.iter().any(|name| name == call)
        }
    }

    fn errors(&self, call: &str) -> Vec<Error> {
        let errors = Error::of(call);
        if self.quick { vec![Error::Eperm, Error::Enosys] } else { errors }
    }
}

/// A run with one call refused.
struct FencedRun {
    scene: Scene,
    call: Call,
    error: Error,
}

/// The quick part, where this machine can run it.
pub(crate) fn check(root: &Path) -> Result<Verdict> {
    let has = |program: &str| Command::new(program).arg("--version").output().is_ok();
    if !(has("strace") && has("cc")) {
        let all = env::var_os("PROCPOOL_TESTS").is_some_and(|tests| tests == "all");
        ensure!(!all, "fences need strace and gcc, and nothing may be skipped (PROCPOOL_TESTS=all)");
        println!("skipped, because fences need strace and gcc (apt-get install strace gcc libc6-dev)");
        return Ok(Verdict::NotChecked);
    }
    run(root, &Options::for_ci()).map(|()| Verdict::Checked)
}

/// Runs all scenes and writes the table, or compares it with the page.
pub(crate) fn run(root: &Path, options: &Options) -> Result<()> {
    let begun = Instant::now();
    let procpool = options.procpool.clone().map_or_else(|| built::procpool(root), Ok)?;
    let folder = tempfile::tempdir().context("no folder for the runs")?;
    let tools = Tools::build(folder.path())?;
    let runner = SceneRunner { procpool: &procpool, tools: &tools, folder: folder.path() };
    let mut free = BTreeMap::new();
    let mut tries = Vec::new();
    for scene in SCENES {
        free.insert(scene.name, runner.play(scene, None)?);
        let calls = runner.record(scene)?.into_iter().filter(|call| options.wants(call));
        for call in calls.flat_map(|name| Call::all_of(&name)) {
            let errors = options.errors(&call.name).into_iter();
            tries.extend(errors.map(|error| FencedRun { scene, call: call.clone(), error }));
        }
    }
    let count = tries.len();
    let cells = play_all(&runner, &free, tries, options)?;
    println!("{count} runs in {:.0} s: {}", begun.elapsed().as_secs_f64(), table::counts(&cells));
    settle(&root.join(PAGE), &cells, options)
}

fn settle(page: &Path, cells: &Cells, options: &Options) -> Result<()> {
    for ((call, error), verdict) in cells {
        if matches!(verdict, Cell::Broken(_)) {
            println!("{} {error}: {verdict}", call.told());
        }
    }
    if options.check || options.quick {
        let written = fs::read_to_string(page).with_context(|| format!("can't read {}", page.display()))?;
        let differences = table::differences(&written, cells);
        for line in &differences {
            println!("{line}");
        }
        ensure!(differences.is_empty(), "{PAGE} says otherwise; `cargo xtask fences` writes it anew");
    } else if options.call.is_empty() {
        fs::write(page, table::page(cells)).with_context(|| format!("can't write {}", page.display()))?;
    }
    ensure!(!cells.values().any(|verdict| matches!(verdict, Cell::Broken(_))), "there are broken cells");
    Ok(())
}

/// Each cell is the worst of its runs.
fn play_all(
    runner: &SceneRunner,
    free: &BTreeMap<&str, Trial>,
    tries: Vec<FencedRun>,
    options: &Options,
) -> Result<Cells> {
    let verdicts = lanes::each(options.lanes, tries, |FencedRun { scene, call, error }| {
        let fence = Fence { call: &call, error: error.number() };
        let trial = runner.play(scene, Some(fence)).context("a run could not be played")?;
        let verdict = judge(&call, &free[scene.name], &trial);
        if !options.call.is_empty() {
            println!("{} {error} {}: {verdict}", call.told(), scene.name);
        }
        let verdict = match verdict {
            Cell::Broken(why) => Cell::Broken(format!("{}: {why}", scene.name)),
            other => other,
        };
        Ok(((call, error), verdict))
    })?;
    let mut cells = Cells::new();
    for (place, verdict) in verdicts {
        let cell = cells.entry(place).or_insert(Cell::Works);
        if *cell < verdict {
            *cell = verdict;
        }
    }
    Ok(cells)
}
