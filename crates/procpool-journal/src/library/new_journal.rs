//! Writes the journal of a new run: the list first, then each attempt when it has ended. What was written
//! survives the end of this process at any moment; `procpool resume` runs what is missing.

use std::collections::HashSet;
use std::env;
use std::io::{self, BufWriter};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::process;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use procpool_core::{Command, Completion, Job, Limit, Retried};

use crate::files::created_files::CreatedFiles;
use crate::files::folder::{Contents, Folder, Made};
use crate::files::inputs::Inputs;
use crate::files::run_lock::{Holder, LockResult, RunLock, StartedProcess};
use crate::files::whereabouts::Whereabouts;
use crate::format::attempt::{Attempt, Kind, time};
use crate::format::codec::{Defaults, JobCodec, Keep};
use crate::format::identity::Identity;
use crate::format::record::{Circumstances, End, Outputs, Record, Run, attempt_line};
use crate::format::text::Text;
use crate::library::error::{Error, ErrorKind};
use crate::read::history::Past;
use crate::resume::decision::Resume;
use crate::resume::last_list::Noted;
use crate::resume::resumption::{ResumePlanner, Wish, write_list};
use crate::write::journal_writer::{Durability, JournalWriter};
use crate::write::print_history::PrintHistory;
use crate::write::print_log::PrintLog;

/// The journal of a run in this process. `procpool ls`, `show` and `export` can read it at any time. When
/// this process has ended, for whatever reason, `procpool resume` runs what hasn't succeeded.
///
/// It is locked as long as this value exists. Outputs count as delivered once they are recorded: a resume
/// doesn't print them. Processes that jobs leave behind are not recorded, so a resume doesn't end them.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use procpool_core::{Command, Event, Job, Limit, Pool};
/// use procpool_journal::NewJournal;
/// # let temporary = tempfile::tempdir()?;
/// # let path = temporary.path().join("nightly");
///
/// let jobs = ["a", "b", "c"].map(|name| Job::new(name, Command::new("echo").args(["hello", name])));
/// let limit = Limit::new(2)?;
///
/// let journal = NewJournal::create(&path, &jobs, limit)?;
/// let mut run = Pool::new(limit).run(jobs)?;
/// while let Some(event) = run.next_event() {
///     match event {
///         Event::Retried(retried) => journal.retried(&retried)?,
///         Event::Completed(done) => journal.completed(&done)?,
///         _ => {}
///     }
/// }
/// journal.finish(0)?;
/// # Ok(())
/// # }
/// ```
pub struct NewJournal {
    identities: Vec<Identity>,
    writer: JournalWriter,
    printed: PrintLog,
    /// Dropped last, when everything is written.
    _lock: RunLock,
}

/// A new journal has one run, over its first list.
const FIRST: u32 = 1;

impl NewJournal {
    /// Begins the journal of a run over these jobs, in a folder that is created if it is missing. The
    /// position of a job is that in the slice, from 1.
    ///
    /// # Errors
    /// If the folder isn't empty, another process writes to it ([`Error::is_in_use`]), two jobs have the same
    /// key, or the folder can't be written to.
    pub fn create(
        directory: impl AsRef<Path>,
        jobs: &[Job<Command>],
        limit: Limit,
    ) -> Result<NewJournal, Error> {
        let directory = directory.as_ref();
        let mut keys = HashSet::with_capacity(jobs.len());
        if let Some(twice) = jobs.iter().find(|job| !keys.insert(job.key.as_bytes())) {
            return Err(ErrorKind::DuplicateKey(twice.key.clone()).into());
        }
        let (folder, made) = Folder::make(directory).map_err(Error::failed)?;
        let mut created = CreatedFiles::default();
        if made == Made::Now {
            created.add_folder(&folder);
        }
        let check = || match folder.contents() {
            Ok(Contents::Nothing) => Ok(()),
            Ok(_) => Err(Error::from(ErrorKind::Occupied(directory.to_owned()))),
            Err(error) => Err(Error::failed(error)),
        };
        // Checked before anything is created there, and again under the lock, when nobody else can begin
        // there.
        check()?;
        let lock = match RunLock::lock(&folder).map_err(Error::failed)? {
            LockResult::Taken(lock) => lock,
            LockResult::Held(holder) => {
                let holder = holder.map(|holder| holder.whereabouts.describe(holder.pid));
                return Err(ErrorKind::InUse { directory: directory.to_owned(), holder }.into());
            }
        };
        check()?;
        let begun = NewJournal::begin(&folder, &mut created, jobs, limit, lock);
        let in_folder = || format!("can't write to the journal in {directory:?}");
        let journal = begun.with_context(in_folder).map_err(Error::failed)?;
        created.keep();
        Ok(journal)
    }

    fn begin(
        folder: &Folder,
        created: &mut CreatedFiles,
        jobs: &[Job<Command>],
        limit: Limit,
        lock: RunLock,
    ) -> anyhow::Result<NewJournal> {
        for file in [
            folder.running(),
            folder.list(FIRST),
            folder.inputs(FIRST),
            folder.printed(FIRST),
            folder.shape(FIRST),
            folder.rows(FIRST),
        ] {
            created.add(file);
        }
        let printed = PrintLog::create(&folder.printed(FIRST), &PrintHistory::default())?;
        let identities = write_jobs(folder, jobs)?;
        let (header, run) = (Record::header().line(), this_run(limit)?);
        lock.begin(&holder(&run, header.len()))?;
        let lines = [header, Record::Run(Box::new(run)).line()].concat();
        let writer = JournalWriter::create(folder.own_files(), &lines, Durability::Process)?;
        Ok(NewJournal { identities, writer, printed, _lock: lock })
    }

    /// Records the last attempt of a job. When this returns, the record survives the end of this process, and
    /// the job counts as done. A job that was never started, because the run was over, has no record.
    ///
    /// # Errors
    /// If it can't be written, or somebody else has changed the files. Nothing more can be recorded then.
    pub fn completed(&self, completion: &Completion<Command>) -> Result<(), Error> {
        let attempt = Attempt::last(completion);
        if Kind::of(attempt.outcome) == Kind::NeverReached {
            return Ok(());
        }
        self.record(attempt)?;
        self.printed.done(completion.seq.get()).map_err(Error::failed)
    }

    /// Records an attempt after which the job is retried.
    ///
    /// # Errors
    /// As [`completed`](NewJournal::completed).
    pub fn retried(&self, retried: &Retried) -> Result<(), Error> {
        self.record(Attempt::from(retried))
    }

    fn record(&self, attempt: Attempt<'_>) -> Result<(), Error> {
        let seq = attempt.seq.get();
        let index = usize::try_from(seq - 1).ok();
        let identity = index.and_then(|index| self.identities.get(index)).copied();
        let circumstances = Circumstances {
            generation: FIRST,
            identity: identity.ok_or(ErrorKind::UnlistedJob(seq))?,
            ended: SystemTime::now(),
            waited_for: None,
        };
        self.append(attempt, &circumstances)
            .with_context(|| format!("can't record the outcome of \"{}\"", attempt.key))
            .map_err(Error::failed)
    }

    fn append(&self, attempt: Attempt<'_>, circumstances: &Circumstances) -> io::Result<()> {
        let outputs = match attempt.outcome {
            procpool_core::Outcome::Ran(ran) => {
                Outputs::new(self.writer.keep_output(&ran.stdout)?, self.writer.keep_output(&ran.stderr)?)
            }
            _ => Outputs::default(),
        };
        self.writer.append(&attempt_line(attempt, circumstances, &outputs))
    }

    /// Records that the run has ended by itself, with this exit status.
    ///
    /// # Errors
    /// If it can't be written, or the files are no longer where they were created.
    pub fn finish(self, status: i32) -> Result<(), Error> {
        let end = End {
            generation: FIRST,
            ended: time(SystemTime::now()),
            status,
            left: Vec::new(),
        };
        let written = self.writer.append(&Record::End(end).line()).and_then(|()| self.writer.check_place());
        written.and_then(|()| self.printed.check()).map_err(Error::failed)
    }
}

/// Writes the list, and returns the identity of each job.
fn write_jobs(folder: &Folder, jobs: &[Job<Command>]) -> anyhow::Result<Vec<Identity>> {
    let here = env::current_dir().context("the working directory is gone")?;
    let identities = jobs.iter().map(|job| Identity::of(&job.key, &job.work, &here)).collect();
    let codec = JobCodec {
        here,
        defaults: Defaults::default(),
        values: Keep::Nothing,
        inputs: Inputs::new(folder.inputs(FIRST)),
    };
    let (past, wish) = (Past::default(), Wish { resume: Resume::NotSucceeded, changed: None, goes_on: None });
    let mut file = BufWriter::new(folder.list(FIRST).make_anew()?);
    let mut reckoning = ResumePlanner::new(&past, wish, Noted::default());
    write_list(jobs.iter().cloned(), &mut file, &codec, &mut reckoning)?;
    Ok(identities)
}

/// The record of the run. A resume repeats its only option, the limit.
fn this_run(limit: Limit) -> anyhow::Result<Run> {
    let text = |word: std::ffi::OsString| Text(word.into_vec().into());
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(Run {
        generation: FIRST,
        name: format!("{:x}-{}", since.as_micros(), process::id()),
        pid: process::id(),
        whereabouts: Whereabouts::own(),
        started: time(SystemTime::now()),
        limit: limit.get(),
        directory: text(env::current_dir().context("the working directory is gone")?.into()),
        words: env::args_os().map(text).collect(),
        options: vec![text(format!("--limit={}", limit.get()).into())],
        names: None,
        list: FIRST,
    })
}

fn holder(run: &Run, record_at: usize) -> Holder {
    Holder {
        pid: run.pid,
        whereabouts: run.whereabouts.clone(),
        run: run.name.clone(),
        generation: run.generation,
        ticks: StartedProcess::now(run.pid, 0, 0).ticks,
        record_at: record_at as u64,
        ..Holder::default()
    }
}
