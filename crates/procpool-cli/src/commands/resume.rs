//! `procpool resume`: makes a run of the recorded options and those that are typed now.

use std::env;
use std::ffi::OsString;

use anyhow::Context;
use rustix::io::Errno;

use crate::args::{self, ChangedFrom, NegatedOptions, ResumeArgs, RunRequest, RunSource};
use procpool_journal::files::folder::{Folder, Purpose};
use procpool_journal::format::text::Text;
use procpool_journal::read::history;

/// The run to be resumed. Changes to the directory where it was started.
///
/// # Errors
/// If no run is recorded there, or its directory is gone.
pub(crate) fn request(
    args: &ResumeArgs,
    options: Vec<OsString>,
    negated: &NegatedOptions,
) -> anyhow::Result<RunRequest> {
    let shown = format!("{:?}", args.directory);
    let nothing = || format!("{shown}: no run is recorded there; `procpool run --journal DIR …` begins one");
    let folder = Folder::open(&args.directory, Purpose::Run).with_context(|| shown.clone())?;
    let folder = folder.ok_or(Errno::NOENT).with_context(|| shown.clone())?;
    let run = history::last_run(&folder).with_context(|| shown.clone())?.with_context(nothing)?;
    let directory = run.directory.into_os_string();
    let there = || format!("{shown}: the run was started in {directory:?}, which can't be entered now");
    env::set_current_dir(&directory).with_context(there)?;
    let mut journal = OsString::from("--journal=");
    journal.push(folder.path());
    let resume = match (args.unrun, args.failed) {
        (true, _) => "--resume=unrun",
        (false, true) => "--resume=failed",
        (false, false) => "--resume",
    };
    let recorded: Vec<OsString> = run.options.into_iter().map(Text::into_os_string).collect();
    let typed = options.into_iter().chain([journal, resume.into()]).collect();
    let changed = if args.changed.is_some() { ChangedFrom::ThisRun } else { ChangedFrom::RecordedRun };
    Ok(RunRequest {
        args: args::parse_run(recorded.clone(), typed, negated)?,
        // Options that are typed now hold for this resume only.
        options: recorded,
        source: RunSource::Journal { changed },
    })
}
