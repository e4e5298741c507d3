//! Chooses the engine that a run is submitted to, and asks engines about this process and about earlier
//! rounds. Another engine needs a line in `engine_at` and a value of `--on`.

use std::env;
use std::ffi::OsString;

use anyhow::{Context, anyhow, bail};
use clap::ValueEnum;
use procpool_cluster::{Allocation, ArrayId, Engine, EngineError, Slurm, State, SubmittedArray};
use procpool_journal::read::history::PastRound;

use crate::args::{ClusterArgs, EngineChoice};
use crate::journal::resume_state::ResumeState;
use crate::terminal::shown;

/// `None` for jobs that run on this machine.
fn engine_at(on: EngineChoice, arguments: &[OsString]) -> Option<Box<dyn Engine>> {
    match on {
        EngineChoice::Local => None,
        EngineChoice::Slurm => Some(Box::new(Slurm::new(arguments.iter().cloned()))),
    }
}

/// The engine that was asked for; if jobs run on this machine, the engine to which an earlier run has
/// submitted its jobs.
///
/// # Errors
/// If its commands are missing here, or reject the arguments that were typed for them.
pub(super) fn engine(args: &ClusterArgs) -> anyhow::Result<Box<dyn Engine>> {
    // An earlier run can only have used Slurm, the only engine so far.
    let on = args.cluster().unwrap_or(EngineChoice::Slurm);
    let engine = engine_at(on, &args.sbatch_arg).expect("BUG: a cluster without an engine");
    // The error may quote what was typed.
    engine.check().map_err(|error| anyhow!("{}: {}", on.flag(), shown::name(error.to_string())))?;
    Ok(engine)
}

/// The engine that has started this process, and what it has allocated to it.
pub(super) fn allocation() -> Option<(Box<dyn Engine>, Allocation)> {
    let variable = |name: &str| env::var(name).ok();
    let mut engines = EngineChoice::value_variants().iter().filter_map(|on| engine_at(*on, &[]));
    engines.find_map(|engine| engine.allocation(&variable).map(|own| (engine, own)))
}

/// Makes sure that no earlier round is still running that this run would not follow.
///
/// # Errors
/// If one is, or if that can't be determined.
pub(super) fn refuse_unseen(args: &ClusterArgs, outset: &ResumeState) -> anyhow::Result<()> {
    let Some(last) = &outset.round else { return Ok(()) };
    let advice = match (args.cluster(), last.round.list == outset.list) {
        (Some(_), true) => return Ok(()),
        (Some(_), false) => "the list of jobs is another one now: `procpool resume DIR` goes on with it",
        (None, _) => "resume with --on slurm to go on with it",
    };
    let name = &last.round.name;
    let unknown = || format!("it can't be known whether array job {name} of it still runs");
    if is_live(&*engine(args).with_context(unknown)?, last).with_context(unknown)? {
        bail!("array job {name} of it still runs: {advice}, or end it with `scancel --name {name}`");
    }
    Ok(())
}

/// Whether slices of this round are running, or may be because the engine doesn't answer.
///
/// # Errors
/// If the cluster's commands are missing here.
pub(super) fn may_be_live(args: &ClusterArgs, round: &PastRound) -> anyhow::Result<bool> {
    Ok(is_live(&*engine(args)?, round).unwrap_or(true))
}

fn is_live(engine: &dyn Engine, last: &PastRound) -> Result<bool, EngineError> {
    let name = last.round.name.clone();
    let id = match &last.id {
        Some(id) => ArrayId::new(id),
        None => match engine.find(&name)? {
            Some(id) => id,
            None => return Ok(false),
        },
    };
    let seen = engine.poll(&SubmittedArray { id, name })?;
    Ok(seen.elements.iter().any(|element| !matches!(element.state, State::Ended(_))))
}
