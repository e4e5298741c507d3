//! A run on a cluster, by what was typed.
//! Knows nothing of how it goes on.

use std::env;
use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use clap::ValueEnum;
use procpool_cluster::{
    Allocation, ArrayId, Engine, EngineError, EngineThread, Processors, Requeue, Settings, Sizing, Slurm,
    State, SubmittedArray,
};
use procpool_core::{Capture, Limit, LocalProcess, Run};

use crate::args::{ClusterArgs, ScheduleArgs, Where};
use crate::cluster::courier::{Means, Starts};
use crate::cluster::head::drive;
use crate::cluster::post::{Post, Stay, Terms, Watched};
use crate::guard::KeeperGate;
use crate::guard::leave_running::LeaveRunning;
use crate::input::Fault;
use crate::job::labels::Labels;
use crate::journal::outset::Outset;
use crate::journal::session::Session;
use crate::plan::{schedule, spooling};
use crate::run::StartRun;
use crate::terminal::shown;
use procpool_journal::os::threads;
use procpool_journal::read::history::PastRound;

/// What it takes beside what was typed.
pub(super) struct Given<'a> {
    pub(super) run: &'a str,
    pub(super) session: Arc<Session>,
    pub(super) outset: Outset,
    pub(super) labels: Option<Arc<Labels>>,
    pub(super) starts: Starts,
    pub(super) fault: Fault,
    /// What was typed, as a resume goes by it.
    pub(super) options: Vec<OsString>,
    pub(super) grace: Duration,
    pub(super) watched: Watched,
    pub(super) keeper_gate: KeeperGate,
    pub(super) leave: LeaveRunning,
}

/// Tried once more than that a job is lost.
const MOST_TRIES: u32 = 3;

/// How much longer than the grace time a slice may take to end itself.
const MORE_PATIENCE: Duration = Duration::from_secs(4);

/// How much longer than that it may take until all of them are seen to be gone.
const TO_BE_SEEN: Duration = Duration::from_secs(16);

/// How long a run may take to end that was told to.
pub(super) fn patience(grace: Duration) -> Duration {
    grace + MORE_PATIENCE + TO_BE_SEEN
}

/// The one place where engines are chosen; none for jobs that run here.
fn engine_at(on: Where, arguments: &[OsString]) -> Option<Box<dyn Engine>> {
    match on {
        Where::Local => None,
        Where::Slurm => Some(Box::new(Slurm::new(arguments.iter().cloned()))),
    }
}

/// The engine that was asked for; where jobs run here, the one to which an earlier run has handed its jobs in.
///
/// # Errors
/// Where its commands are not here, or don't take what was typed for them.
pub(super) fn engine(args: &ClusterArgs) -> anyhow::Result<Box<dyn Engine>> {
    // So far there was no other.
    let on = args.cluster().unwrap_or(Where::Slurm);
    let engine = engine_at(on, &args.sbatch_arg).expect("BUG: a cluster without an engine");
    // It may name what was typed.
    engine.check().map_err(|error| anyhow!("{}: {}", on.flag(), shown::name(error.to_string())))?;
    Ok(engine)
}

/// The engine that has started this process, and what it has given it.
pub(super) fn allocation() -> Option<(Box<dyn Engine>, Allocation)> {
    let variable = |name: &str| env::var(name).ok();
    let mut engines = Where::value_variants().iter().filter_map(|on| engine_at(*on, &[]));
    engines.find_map(|engine| engine.allocation(&variable).map(|own| (engine, own)))
}

/// How the jobs are set going.
///
/// # Errors
/// Where the cluster can't be used.
pub(super) fn start(
    args: &ClusterArgs,
    scheduling: &ScheduleArgs,
    given: Given<'_>,
) -> anyhow::Result<StartRun> {
    let engine = engine(args)?;
    let name = engine.name();
    let limit = limit_of_slices(&given.options, scheduling.limit);
    let settings = Settings {
        sizing: Sizing {
            elements: args.slices.map(Into::into),
            limit,
            at_once: args.nodes.map(Into::into),
        },
        most_tries: if args.at_most_once { 1 } else { MOST_TRIES },
        patience: given.grace + MORE_PATIENCE,
        ..Settings::new(format!("procpool-{}", given.run), name)
    };
    let terms = Terms {
        run: given.run.to_owned(),
        settings,
        at_once: args.nodes.map(Into::into),
        processors: limit.map_or(Processors::WholeNode, Processors::Exactly),
        requeue: if args.at_most_once { Requeue::No } else { Requeue::Yes },
        time: args.time,
        bad_node: args.bad_node.into(),
        options: given.options,
        halt_rule: schedule::halt_rule(scheduling),
        retries: scheduling.retries,
        watched: given.watched,
        stay: if args.detach { Stay::Detached } else { Stay::ToTheEnd },
    };
    let means = Means {
        session: given.session,
        keeper: spooling::spooling(LocalProcess::new(), Capture::Spool)?,
        labels: given.labels,
        retries: schedule::retries(scheduling),
        starts: given.starts,
    };
    let limit = scheduling.limit;
    let (outset, fault, keeper_gate, leave) = (given.outset, given.fault, given.keeper_gate, given.leave);
    Ok(Box::new(move |_| {
        let engine_thread =
            EngineThread::new(engine, || {}).context("can't start a thread that asks the cluster")?;
        learn_own_end(&leave);
        let post = Post {
            terms,
            means,
            outset,
            engine_thread,
            keeper_gate,
            leave,
            fault,
        };
        Ok(Run::driven(limit, move |driver| drive(post, driver))?)
    }))
}

/// Where procpool runs in a job of a cluster itself, its end there is not meant for what it has handed in.
fn learn_own_end(leave: &LeaveRunning) {
    let Some((engine, own)) = allocation() else { return };
    let leave = leave.clone();
    let ask = move || engine.end_of(&own).ok().flatten().into_iter().for_each(|end| leave.set_end(end));
    // Without it TERM cancels the run, as everywhere.
    let _ = threads::start("procpool-end", ask);
}

/// How many jobs run at once in a slice, where that doesn't follow from its node.
fn limit_of_slices(options: &[OsString], limit: Limit) -> Option<u32> {
    let typed = options.iter().rev().find_map(|option| option.to_str()?.strip_prefix("--limit="));
    let is_number = typed.is_none_or(|typed| typed.bytes().all(|byte| byte.is_ascii_digit()));
    is_number.then(|| u32::try_from(limit.get()).unwrap_or(u32::MAX))
}

/// Makes sure that nothing of an earlier round goes on that this run would know nothing of.
///
/// # Errors
/// Where it does, or nobody can tell.
pub(super) fn refuse_unseen(args: &ClusterArgs, outset: &Outset) -> anyhow::Result<()> {
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

/// Whether slices of this round are still at work, or nobody can tell.
///
/// # Errors
/// Where the cluster's commands are not here.
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
