//! One run that is recorded, in two types: prepared, while nothing may have changed yet, and begun.
//! What was prepared is consumed by its begin, so that nothing begins twice.

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

/// A run that is to be recorded: all is decided, and nothing is written but what goes again if it never begins.
pub(crate) struct PreparedSession {
    pub(crate) folder: Folder,
    /// Locked. Dropped behind `claim`, whose files are deleted while this lock is held.
    pub(crate) running: RunLock,
    pub(crate) claim: CreatedFiles,
    pub(crate) run: Run,
    pub(crate) durability: Durability,
    pub(crate) leaks: Leaks,
    pub(crate) printed: Arc<PrintLog>,
    /// Of an earlier run.
    pub(crate) printed_again: Option<PrintedAgain>,
    pub(crate) listing: Arc<ListFile>,
    /// Why the list could not be read back.
    pub(crate) trouble: ListFailure,
    pub(crate) from: Origin,
}

/// Where a run comes from.
pub(crate) enum Origin {
    /// There is no journal yet. The list is written as the jobs come.
    Input { jobs: Jobs, fault: Fault },
    /// A journal of this length, with who held it before and what of theirs has no outcome.
    Journal { length: Length, before: Option<(Holder, Vec<StartedProcess>)>, says: String },
}

/// A run that is recorded.
pub(crate) struct Session {
    pub(crate) folder: Folder,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) printed: Arc<PrintLog>,
    pub(crate) listing: Arc<ListFile>,
    trouble: ListFailure,
}

/// The jobs of an input that are yet to be listed.
pub(crate) struct Unlisted {
    listing: Arc<ListFile>,
    jobs: Jobs,
    fault: Fault,
}

impl Unlisted {
    /// Begins to read them, and to list them as they come.
    ///
    /// # Errors
    /// Where there is no thread for it.
    pub(crate) fn take_down(self) -> anyhow::Result<()> {
        let Unlisted { listing, jobs, fault } = self;
        let is_faulty = move || fault.get().is_some();
        listing.write_in_background(jobs, is_faulty).context("can't start a thread for the list of jobs")
    }
}

impl PreparedSession {
    /// The run begins: from here on there is something to resume.
    ///
    /// # Errors
    /// Where the files can't be written, or something of an earlier run goes on.
    pub(crate) fn begin(self) -> anyhow::Result<(Session, Option<Unlisted>)> {
        // The claim comes last, so that it is dropped first.
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
    /// Where it is told why the run could not be carried on.
    pub(crate) fn trouble(&self) -> ListFailure {
        self.trouble.clone()
    }

    /// The run is over: waits for what of the list is still being written.
    ///
    /// # Errors
    /// Where that failed.
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

/// What a resume can't do after a kill, where too little is known here.
fn say_what_is_weaker(whereabouts: &Whereabouts) {
    let Some(lack) = whereabouts.lack() else { return };
    // A file that is open for writing only is read by that name.
    let again =
        if Path::new("/proc/self/fd").exists() { "" } else { ", and may print part of an output again" };
    screen::say(&format!(
        "procpool: {lack}: should this run be killed, a resume finds no processes that it leaves{again}\n"
    ));
}

/// Ends what an earlier run has left of these attempts, says what that was, and what may run where nobody here can see it.
///
/// # Errors
/// Where something of it runs on, beside which its job must not be run.
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

/// What a run says of itself, but for what was typed.
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
