//! One round: starts procpool, strikes it, and looks for whom and what it left.
//! It does not know other rounds.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use rustix::process::{Resource, getrlimit, setrlimit};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::flag;

use crate::torture::census::{self, Family};
use crate::torture::ending::{self, End, names};
use crate::torture::job::Job;
use crate::torture::judge::{self, Block, Excuse, Reach};
use crate::torture::plan::{Plan, Target};
use crate::torture::report::Report;
use crate::torture::stage::{Procpool, Stage};
use crate::torture::strike::{Strike, strike};

/// Nothing that a run started may outlive procpool by more.
const LIMIT: Duration = Duration::from_secs(1);

/// What a run may take that nobody has killed: jobs that time out one after the other, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);

/// Plays the round of this seed. Nothing else may run in this process: it adopts and reaps whatever is an orphan.
pub(crate) fn run(seed: u64, procpool: &Path) -> Result<Report> {
    prepare()?;
    let plan = Plan::random(seed);
    let stage = Stage::new(seed)?;
    let running = stage.start(&plan, procpool)?;
    let played = play(&plan, &stage, &running);
    // Whatever went wrong, nobody may be left on this machine.
    census::kill_all(Duration::from_secs(10))?;
    let Played { strike, end, clean_up, survivors } = played?;

    let complaints = stage.complaints()?;
    let reached = if complaints.contains("panicked at") {
        Err(anyhow!("procpool panicked"))
    } else {
        ending::judge(end, plan.natural_status(), &strike.struck)
    };
    let (reach, wrong_end) = match reached {
        Ok(reach) => (reach, None),
        Err(error) => (Reach::Told { settled: strike.struck.settled }, Some(error.to_string())),
    };
    let output = judge::judge(&blocks(&plan), plan.order, reach, &running.output());
    let mut report = Report {
        seed,
        plan: plan.to_string(),
        blow: describe(&strike),
        clean_up,
        survivors,
        files: stage.temporary_files()?,
        wrong_output: output.err().map(|error| error.to_string()),
        wrong_end,
        last_words: Vec::new(),
    };
    if !report.is_good() {
        let lines: Vec<&str> = complaints.lines().collect();
        report.last_words = lines[lines.len().saturating_sub(5)..].iter().map(|&line| line.into()).collect();
    }
    Ok(report)
}

struct Played {
    strike: Strike,
    end: End,
    /// In milliseconds.
    clean_up: Option<f64>,
    survivors: Vec<String>,
}

fn play(plan: &Plan, stage: &Stage, procpool: &Procpool) -> Result<Played> {
    let strike = plan.blow.as_ref().map(|blow| strike(blow, procpool)).transpose()?.unwrap_or_default();
    let deadline = strike.killed.map_or(Instant::now() + PATIENCE, |killed| killed + LIMIT);
    let end = procpool.process.wait(deadline)?;
    let is_over = strike.killed.unwrap_or_else(Instant::now);
    let family = match end {
        End::Hung => Family::Left,
        _ => census::wait_until_gone(is_over + LIMIT)?,
    };
    let clean_up = (family == Family::Gone).then(|| is_over.elapsed().as_secs_f64() * 1000.0);
    let mut survivors = census::descendants();
    survivors.extend(census::marked(&stage.marker)?);
    Ok(Played {
        strike,
        end,
        clean_up,
        survivors: survivors.into_values().collect(),
    })
}

/// Procpool is to find things as a user's shell would leave them, wherever this runs.
pub(crate) fn prepare() -> Result<()> {
    // What this process ignores, its children would: `nohup`, or a shell's background. What it catches is set
    // back for them, and here the default is done all the same.
    for signal in [SIGHUP, SIGINT, SIGQUIT, SIGTERM] {
        flag::register_conditional_default(signal, Arc::new(true.into())).context("can't catch signals")?;
    }
    // QUIT leaves a core file else.
    let mut core = getrlimit(Resource::Core);
    core.current = Some(0);
    setrlimit(Resource::Core, core).context("can't limit core files")?;
    census::adopt_orphans()
}

fn blocks(plan: &Plan) -> Vec<Block> {
    let block = |job: &Job| Block {
        bytes: job.output(),
        excuse: if job.timeout.is_some() { Excuse::TimedOut } else { Excuse::None },
    };
    plan.jobs.iter().map(block).collect()
}

fn describe(strike: &Strike) -> String {
    let names = names(&strike.struck.kinds);
    match strike.struck.target {
        None => "nothing".to_owned(),
        Some(Target::Guardian) => format!("{names} to the guardian"),
        Some(Target::Pool) => format!("{names} to the pool"),
    }
}
