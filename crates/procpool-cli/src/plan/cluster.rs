//! Plans a run on a cluster: the configuration of its head, and a folder if the user named no journal.
//! `engines.rs` chooses the engine.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use procpool_cluster::{EngineThread, Processors, Requeue, Settings, Sizing};
use procpool_core::{Capture, Limit, LocalProcess, Run};
use procpool_journal::os::threads;

use crate::args::RunRequest;
use crate::cluster::head::drive;
use crate::cluster::head_config::{HeadConfig, HeadContext, Stay};
use crate::cluster::outcome_forwarder::ForwarderContext;
use crate::cluster::own_folder::{self, OwnFolder};
use crate::exit::ExitStatus;
use crate::guard::Guard;
use crate::guard::leave_running::LeaveRunning;
use crate::input::Jobs;
use crate::job::launch;
use crate::journal::session::Unlisted;
use crate::plan::draft::{self, Draft, Journaled};
use crate::plan::{Plan, engines, schedule, spooling, telling};
use crate::run::Begun;

/// A job whose slice was lost this many times is reported as lost.
const MOST_TRIES: u32 = 3;

/// How much longer than the grace time a slice may take to end.
const MORE_PATIENCE: Duration = Duration::from_secs(4);

/// How much longer than that it may take until all slices are seen to have ended.
const TO_BE_SEEN: Duration = Duration::from_secs(16);

/// How long a run may take to end when it is asked to.
fn patience(grace: Duration) -> Duration {
    grace + MORE_PATIENCE + TO_BE_SEEN
}

/// Plans a run on a cluster: a folder for it, if the user named no journal, and a head that follows its
/// slices.
///
/// # Errors
/// If the options are invalid, or a file that they name, or the cluster can't be used.
pub(super) fn plan(mut request: RunRequest, guard: Option<&Guard>) -> anyhow::Result<Plan> {
    let args = &mut request.args;
    let run = launch::name_run();
    let own_folder = match &args.journal.journal {
        None => Some(OwnFolder::of(&run)),
        Some(_) => None,
    };
    let directory = match &own_folder {
        Some(own) => own.path().to_owned(),
        None => args.journal.journal.clone().unwrap_or_default(),
    };
    args.journal.journal = Some(directory.clone());
    let leave = LeaveRunning::new(args.cluster.on_term.map(Into::into).unwrap_or_default());
    let is_detached = args.cluster.detach;
    let left = leave.clone();
    let afterwards = move |status| match own_folder {
        Some(folder) => folder.settle(is_detached, status),
        None if left.is_asked() => own_folder::tell(&directory),
        None if is_detached && status == ExitStatus::Success => own_folder::tell(&directory),
        None => {}
    };
    let draft = draft::draft(request, run, |wanted, local| (wanted.limit, local))?;
    let processes = draft.room.local.processes();
    let keeper_gate = guard.map(|guard| guard.keeper_gate.clone()).unwrap_or_default();
    let grace = draft.jobs.grace;
    let engine = engines::engine(&draft.cluster)?;
    let config = head_config(&draft, engine.name());
    let keeper = spooling::spooling(LocalProcess::new(), Capture::Spool)?;
    let Draft {
        input,
        journal,
        outputs,
        sinks,
        telling,
        heartbeat,
        starts,
        schedule,
        ..
    } = draft;
    let Journaled { session, resume_state } = journal.expect("BUG: a run on a cluster without a journal");
    let (fault, limit, retries) = (input.fault.clone(), schedule.limit, schedule::retries(&schedule));
    let of_head = leave.clone();
    let begin = move || {
        let (session, unlisted) = session.begin()?;
        let session = Arc::new(session);
        let sinks = sinks.in_order(Some(&session), outputs.printer);
        let forwarder_context = ForwarderContext { session, keeper, labels: outputs.labels, retries, starts };
        let start = move |_: Jobs| {
            unlisted.map_or(Ok(()), Unlisted::take_down)?;
            let engine_thread =
                EngineThread::new(engine, || {}).context("can't start a thread that asks the cluster")?;
            learn_own_end(&of_head);
            let context = HeadContext {
                config,
                forwarder_context,
                resume_state,
                engine_thread,
                keeper_gate,
                leave: of_head,
                fault,
            };
            Ok(Run::driven(limit, move |driver| drive(context, driver))?)
        };
        Ok(Begun { start: Box::new(start), sinks })
    };
    Ok(Plan {
        input,
        begin: Box::new(begin),
        telling,
        heartbeat,
        processes,
        link: guard.map(Guard::link),
        grace: patience(grace),
        leave,
        afterwards: Box::new(afterwards),
    })
}

fn head_config(draft: &Draft, engine: &'static str) -> HeadConfig {
    let Draft { cluster: args, schedule, options, jobs, .. } = draft;
    let limit = limit_of_slices(options, schedule.limit);
    let settings = Settings {
        sizing: Sizing {
            elements: args.slices.map(Into::into),
            limit,
            at_once: args.nodes.map(Into::into),
        },
        most_tries: if args.at_most_once { 1 } else { MOST_TRIES },
        patience: jobs.grace + MORE_PATIENCE,
        ..Settings::new(format!("procpool-{}", draft.run), engine)
    };
    HeadConfig {
        run: draft.run.clone(),
        settings,
        at_once: args.nodes.map(Into::into),
        processors: limit.map_or(Processors::WholeNode, Processors::Exactly),
        requeue: if args.at_most_once { Requeue::No } else { Requeue::Yes },
        time: args.time,
        bad_node: args.bad_node.into(),
        options: options.clone(),
        halt_rule: schedule::halt_rule(schedule),
        retries: schedule.retries,
        watched: telling::watched(&draft.telling, args),
        stay: if args.detach { Stay::Detached } else { Stay::ToTheEnd },
    }
}

/// If procpool itself runs in a job of the cluster, finds out when that job's time is over: a TERM at that
/// time must not cancel the jobs that procpool has submitted.
fn learn_own_end(leave: &LeaveRunning) {
    let Some((engine, own)) = engines::allocation() else { return };
    let leave = leave.clone();
    let ask = move || engine.end_of(&own).ok().flatten().into_iter().for_each(|end| leave.set_end(end));
    // Without this thread TERM cancels the run, as everywhere else.
    let _ = threads::start("procpool-end", ask);
}

/// How many jobs a slice runs at once; `None` if that depends on its node.
fn limit_of_slices(options: &[OsString], limit: Limit) -> Option<u32> {
    let typed = options.iter().rev().find_map(|option| option.to_str()?.strip_prefix("--limit="));
    let is_number = typed.is_none_or(|typed| typed.bytes().all(|byte| byte.is_ascii_digit()));
    is_number.then(|| u32::try_from(limit.get()).unwrap_or(u32::MAX))
}
