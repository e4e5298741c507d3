//! A run on this machine, by what was typed.
//! Knows nothing of where its jobs come from.

use std::sync::Arc;

use procpool_core::{Capture, Limit, LocalProcess, Pool, Processes};

use crate::args::{JobArgs, ScheduleArgs};
use crate::cluster::courier::Starts;
use crate::guard::Guard;
use crate::job::labels::Labels;
use crate::job::launch::Launcher;
use crate::journal::session::Session;
use crate::plan::machine::{self, Beside};
use crate::plan::outputs::News;
use crate::plan::schedule;
use crate::run::StartRun;
use procpool_journal::files::live;

/// What it takes beside what was typed.
pub(super) struct Given<'a> {
    pub(super) run: String,
    pub(super) limit: Limit,
    pub(super) beside: Beside,
    pub(super) local: LocalProcess,
    pub(super) guard: Option<&'a Guard>,
    pub(super) session: Option<Arc<Session>>,
    pub(super) capture: Capture,
    pub(super) labels: Option<Arc<Labels>>,
    pub(super) starts: Starts,
    pub(super) news: News,
}

/// How the jobs are set going, and what runs then.
pub(super) fn start(scheduling: &ScheduleArgs, jobs: &JobArgs, given: Given<'_>) -> (StartRun, Processes) {
    let Given {
        run,
        limit,
        beside,
        local,
        guard,
        session,
        capture,
        labels,
        starts,
        news,
    } = given;
    let launcher =
        Launcher::new(local, run, jobs.on_leak.into(), guard.map(|guard| Arc::clone(&guard.orphans)))
            .record(session.as_ref().map(|session| Arc::clone(&session.recorder) as _))
            .capture(capture)
            .labels(labels);
    let processes = launcher.processes();
    let pool = schedule::schedule(scheduling, Pool::with_runner(limit, launcher));
    let pool = if starts == Starts::Told { pool.announce_starts() } else { pool };
    let pool = if news == News::Wanted { pool.follow_outputs() } else { pool };
    let start = move |jobs| {
        machine::check_room(beside)?;
        // Of slices that were killed, if it was begun on a cluster.
        if let Some(session) = &session {
            live::forget(&session.folder, "");
        }
        Ok(pool.run(jobs)?)
    };
    (Box::new(start), processes)
}
