//! A recorded run, in two types: prepared, when nothing may have been changed yet, and begun. `begin`
//! consumes the prepared one, so nothing begins twice.

use std::io;
use std::path::Path;
use std::process;
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::{Context, bail};

use crate::input::{Fault, Jobs};
use crate::journal::recorder::{PrintedAgain, Recorder};
use crate::os::errors::copy_of_chain;
use crate::terminal::screen;
use procpool_journal::files::created_files::CreatedFiles;
use procpool_journal::files::folder::Folder;
use procpool_journal::files::leftovers::{self, Leftover};
use procpool_journal::files::run_lock::{Holder, Leaks, RunLock, StartedProcess};
use procpool_journal::files::whereabouts::Whereabouts;
use procpool_journal::format::attempt::time;
use procpool_journal::format::record::{Record, Run};
use procpool_journal::read::history::Length;
use procpool_journal::write::journal_writer::{Durability, JournalWriter};
use procpool_journal::write::list_file::ListFile;
use procpool_journal::write::print_log::PrintLog;
use procpool_journal::write::stored_jobs::ListFailure;

/// A run that will be recorded. Everything is decided, and nothing is written except files that are deleted
/// if the run never begins.
pub(crate) struct PreparedSession {
    pub(crate) folder: Folder,
    /// Declared before `running`: fields drop in this order, so these files are deleted while their lock is held.
    pub(crate) claim: CreatedFiles,
    pub(crate) running: RunLock,
    pub(crate) run: Run,
    pub(crate) durability: Durability,
    pub(crate) leaks: Leaks,
    pub(crate) printed: Arc<PrintLog>,
    /// Jobs that earlier runs have printed and that run again.
    pub(crate) printed_again: Option<PrintedAgain>,
    pub(crate) listing: Arc<ListFile>,
    /// Why the list could not be read back, if it couldn't.
    pub(crate) trouble: ListFailure,
    pub(crate) from: Origin,
}

/// Where the jobs of a run come from.
pub(crate) enum Origin {
    /// There is no journal yet. The list is written as the input yields jobs.
    Input { jobs: Jobs, fault: Fault },
    /// A journal of this length. `before`: its previous holder, and the attempts of that run that have no
    /// outcome.
    Journal { length: Length, before: Option<(Holder, Vec<StartedProcess>)>, says: String },
}

/// A recorded run that has begun.
pub(crate) struct Session {
    pub(crate) folder: Folder,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) printed: Arc<PrintLog>,
    pub(crate) listing: Arc<ListFile>,
    trouble: ListFailure,
}

/// The jobs of an input that are not on the list yet.
pub(crate) struct Unlisted {
    listing: Arc<ListFile>,
    jobs: Jobs,
    fault: Fault,
}

impl Unlisted {
    /// Starts a thread that reads them and writes them to the list.
    ///
    /// # Errors
    /// If the thread can't be started.
    pub(crate) fn take_down(self) -> anyhow::Result<()> {
        let Unlisted { listing, jobs, fault } = self;
        let is_faulty = move || fault.get().is_some();
        listing.write_in_background(jobs, is_faulty).context("can't start a thread for the list of jobs")
    }
}

impl PreparedSession {
    /// Begins the run: from here on there is something to resume.
    ///
    /// # Errors
    /// If the files can't be written, or something of an earlier run is still running.
    pub(crate) fn begin(self) -> anyhow::Result<(Session, Option<Unlisted>)> {
        // `claim` comes last: it is dropped first, and deletes its files while the lock is held.
        let PreparedSession { running, folder, run, from, listing, claim, .. } = self;
        let in_folder = || format!("can't write to the journal in {:?}", folder.path());
        let (list, generation) = (run.list, run.generation);
        let header = Record::header().line();
        let holder = Holder {
            pid: run.pid,
            whereabouts: run.whereabouts.clone(),
            run: run.name.clone(),
            generation,
            ticks: StartedProcess::now(run.pid, 0, 0).ticks,
            leaks: self.leaks,
            record_at: match &from {
                Origin::Input { .. } => header.len() as u64,
                Origin::Journal { length, .. } => length.whole,
            },
            node: None,
        };
        say_what_is_weaker(&run.whereabouts);
        let run = Record::Run(Box::new(run));
        let (writer, unlisted) = match from {
            Origin::Input { jobs, fault } => {
                running.begin(&holder).with_context(in_folder)?;
                let lines = [header, run.line()].concat();
                let writer = JournalWriter::create(folder.own_files(), &lines, self.durability);
                let writer = writer.with_context(in_folder)?;
                (writer, Some(Unlisted { listing: Arc::clone(&listing), jobs, fault }))
            }
            Origin::Journal { length, before, says } => {
                screen::say(&says);
                say_what_was_torn(length);
                if let Some((holder, table)) = &before {
                    leave_nothing(holder, table)?;
                }
                running.begin(&holder).with_context(in_folder)?;
                let writer = JournalWriter::resume(folder.own_files(), length, self.durability);
                let writer = writer.with_context(in_folder)?;
                writer.append(&run.line()).with_context(in_folder)?;
                (writer, None)
            }
        };
        claim.keep();
        folder.forget_all_but(list, generation);
        let recorder = Recorder::new(generation, running, writer);
        let recorder = match self.printed_again {
            Some(again) => recorder.over(again),
            None => recorder,
        };
        let session = Session {
            folder,
            recorder: Arc::new(recorder),
            printed: self.printed,
            listing,
            trouble: self.trouble,
        };
        Ok((session, unlisted))
    }
}

impl Session {
    /// Where to store an error that keeps the run from being carried on. `settle` returns it.
    pub(crate) fn trouble(&self) -> ListFailure {
        self.trouble.clone()
    }

    /// Waits, when the run is over, until the rest of the list is written.
    ///
    /// # Errors
    /// If the list could not be written, or the run could not be carried on.
    pub(crate) fn settle(&self) -> anyhow::Result<()> {
        self.listing.settle();
        if let Some(error) = self.trouble.get() {
            return Err(copy_of_chain(error));
        }
        let folder = self.folder.path();
        match self.listing.take_failure() {
            None => Ok(self.listing.check_place()?),
            Some(error) => Err(error)
                .with_context(|| format!("can't write the list of jobs to the journal in {folder:?}")),
        }
    }
}

fn say_what_was_torn(length: Length) {
    if length.torn > 0 {
        screen::say(&format!(
            "procpool: the journal's last {} bytes were torn off while they were written, and are dropped\n",
            length.torn
        ));
    }
}

/// Warns about what a resume can't do after a kill, if too little is known about this machine.
fn say_what_is_weaker(whereabouts: &Whereabouts) {
    let Some(lack) = whereabouts.lack() else { return };
    // A resume needs this path to read a file that is open only for writing.
    let again =
        if Path::new("/proc/self/fd").exists() { "" } else { ", and may print part of an output again" };
    screen::say(&format!(
        "procpool: {lack}: should this run be killed, a resume finds no processes that it leaves{again}\n"
    ));
}

/// Kills the processes that an earlier run has left from these attempts, and reports them. Also reports what
/// may still be running where it can't be seen from here.
///
/// # Errors
/// If such a process is still running: its job must not run beside it.
pub(crate) fn leave_nothing(holder: &Holder, table: &[StartedProcess]) -> anyhow::Result<()> {
    let found = leftovers::end(holder, table);
    let run = &holder.run;
    for Leftover { pid, seq, .. } in &found.ended {
        screen::say(&format!(
            "procpool: process {pid} of job {seq} still ran since run {run}, and was ended\n"
        ));
    }
    for Leftover { pid, seq, name } in &found.unproven {
        screen::say(&format!(
            "procpool: process {pid} ({name}) is in the session of job {seq} of run {run}, and nothing proves that it is \
             of that job: it was left alone\n"
        ));
    }
    if let Some(place) = found.unseen.filter(|_| !table.is_empty()) {
        screen::say(&format!(
            "procpool: run {run} ended without the outcomes of {}; what is left of them may still run {place}\n",
            jobs(table.len())
        ));
    }
    if let Some(Leftover { pid, seq, .. }) = found.stay.first() {
        bail!("process {pid} of job {seq} still runs since run {run}, and can't be ended");
    }
    match found.doubtful.first() {
        None => Ok(()),
        Some(Leftover { pid, seq, name }) => bail!(
            "process {pid} ({name}) has the number and the start of job {seq} of run {run}, which has no outcome, but no \
             mark of it that can be read: it is not ended from here, and the job is not run beside it. End it, as with \
             `kill {pid}`, or wait for its end, then resume"
        ),
    }
}

fn jobs(count: usize) -> String {
    match count {
        1 => "1 job".to_owned(),
        count => format!("{count} jobs"),
    }
}

/// The record of this run, without the command line.
pub(crate) fn this_run(name: &str, generation: u32, list: u32) -> io::Result<Run> {
    use std::os::unix::ffi::OsStrExt as _;
    let directory = std::env::current_dir()?;
    Ok(Run {
        generation,
        name: name.to_owned(),
        pid: process::id(),
        whereabouts: Whereabouts::own(),
        started: time(SystemTime::now()),
        limit: 0,
        directory: procpool_journal::format::text::Text(directory.as_os_str().as_bytes().to_vec().into()),
        words: Vec::new(),
        options: Vec::new(),
        names: None,
        list,
    })
}
