//! A run that is gone on with by its journal alone: what was typed then, and what is typed now, as one command.
//! Knows nothing of jobs; those are read when the run is planned.

use std::env;
use std::ffi::OsString;

use anyhow::Context;
use rustix::io::Errno;

use crate::args::{self, ListFrom, ResumeArgs, RunArgs, Said};
use procpool_journal::files::folder::{Folder, Purpose};
use procpool_journal::format::text::Text;
use procpool_journal::read::history;

/// What the run that a folder has the journal of was told, and what was typed now; in the directory where it was
/// started.
///
/// # Errors
/// Where there is no such run, or its directory is gone.
pub(crate) fn options(args: ResumeArgs) -> anyhow::Result<RunArgs> {
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
    let typed = args.options.into_iter().chain([journal, resume.into()]).collect();
    let mut all = args::parse_run(recorded.clone(), typed, &args.taken_back)?;
    if args.changed.is_none() {
        all.journal.changed_was_said = Said::ForAnEarlierRun;
    }
    all.journal.list = ListFrom::Journal;
    // Those of the first time: what is typed now is for now.
    all.journal.options = recorded;
    Ok(all)
}
