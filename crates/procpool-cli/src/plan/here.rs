//! Plans a run on this machine. Only such a run decides on its priority, the room for its jobs, and the
//! launcher.

use std::sync::Arc;

use procpool_core::Pool;
use procpool_journal::files::live;

use crate::args::RunRequest;
use crate::guard::Guard;
use crate::guard::leave_running::LeaveRunning;
use crate::input::Jobs;
use crate::job::launch::{self, Launcher};
use crate::journal::session::Unlisted;
use crate::plan::draft::{self, Draft, MachineRoom};
use crate::plan::outputs::{News, Outputs};
use crate::plan::{Plan, machine, schedule};
use crate::run::Begun;
use crate::run::sink::Starts;

/// # Errors
/// If the options are invalid, or a file that they name.
pub(super) fn plan(request: RunRequest, guard: Option<&Guard>) -> anyhow::Result<Plan> {
    machine::renice(request.args.environment.nice)?;
    let draft = draft::draft(request, launch::name_run(), machine::make_room)?;
    let Draft {
        run,
        input,
        journal,
        outputs,
        sinks,
        telling,
        heartbeat,
        room,
        starts,
        schedule,
        jobs,
        ..
    } = draft;
    let Outputs { printer, capture, news, labels } = outputs;
    let MachineRoom { limit, local, beside } = room;
    let orphans = guard.map(|guard| Arc::clone(&guard.orphans));
    let launcher = Launcher::new(local, run, jobs.on_leak.into(), orphans).capture(capture).labels(labels);
    let processes = launcher.processes();
    let begin = move || {
        let begun = journal.map(|journal| journal.session.begin()).transpose()?;
        let (session, unlisted) = match begun {
            Some((session, unlisted)) => (Some(Arc::new(session)), unlisted),
            None => (None, None),
        };
        let sinks = sinks.in_order(session.as_ref(), printer);
        let start = move |jobs: Jobs| {
            machine::check_room(beside)?;
            // Output files of killed slices, if the run was begun on a cluster.
            if let Some(session) = &session {
                live::forget(&session.folder, "");
            }
            unlisted.map_or(Ok(()), Unlisted::take_down)?;
            let recorder = session.map(|session| Arc::clone(&session.recorder) as _);
            let pool = schedule::schedule(&schedule, Pool::with_runner(limit, launcher.record(recorder)));
            let pool = if starts == Starts::Told { pool.announce_starts() } else { pool };
            let pool = if news == News::Wanted { pool.follow_outputs() } else { pool };
            Ok(pool.run(jobs)?)
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
        grace: jobs.grace,
        leave: LeaveRunning::default(),
        afterwards: Box::new(|_| {}),
    })
}
