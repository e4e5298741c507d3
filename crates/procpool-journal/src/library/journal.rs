//! Opens a journal for reading. This takes no lock and changes nothing, so a run may write to the journal
//! meanwhile.

use std::cell::{Ref, RefCell};
use std::path::{Path, PathBuf};

use procpool_core::Key;

use crate::files::folder::{Contents, Folder, Purpose};
use crate::library::error::Error;
use crate::library::jobs::{JournalJob, JournalJobs};
use crate::library::next_run::NextRun;
use crate::read::reading::Reading;
use crate::resume::decision::{Changed, Resume};

/// A journal that is open for reading.
///
/// It contains the attempts that had been recorded when it was opened, and no later ones, even if the run
/// goes on. It uses about 50 bytes of memory per job, and 16 per attempt.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use procpool_journal::Journal;
/// # let temporary = tempfile::tempdir()?;
/// # let path = temporary.path().join("nightly");
/// # procpool_journal::NewJournal::create(&path, &[], procpool_core::Limit::new(1)?)?.finish(0)?;
///
/// let journal = Journal::open(&path)?;
/// for job in journal.jobs()? {
///     let job = job?;
///     println!("{}: {:?}, {} attempts", job.key(), job.progress(), job.attempts().len());
/// }
/// # Ok(())
/// # }
/// ```
pub struct Journal {
    folder: Folder,
    // Reading a record moves a window over the file, which needs `&mut`, while jobs borrow the journal.
    reading: RefCell<Reading>,
}

impl Journal {
    /// Opens the journal in a folder, and finds the records of all attempts.
    ///
    /// # Errors
    /// If there is none ([`Error::is_missing`]), or it can't be read: it is damaged before its end, or of
    /// another version.
    pub fn open(directory: impl AsRef<Path>) -> Result<Journal, Error> {
        let directory = directory.as_ref();
        let folder = Folder::open(directory, Purpose::Read).map_err(Error::failed)?;
        let folder = folder.ok_or_else(|| Error::missing(directory))?;
        if folder.contents().map_err(Error::failed)? != Contents::Journal {
            return Err(Error::missing(directory));
        }
        let reading = RefCell::new(Reading::open(directory).map_err(Error::failed)?);
        Ok(Journal { folder, reading })
    }

    /// The jobs in the order of the list. The list may still grow while a run goes on.
    ///
    /// # Errors
    /// If the list can't be opened.
    pub fn jobs(&self) -> Result<JournalJobs<'_>, Error> {
        JournalJobs::of(&self.reading)
    }

    /// The job with this key, or `None` if the list has none. This reads the list from its start.
    ///
    /// # Errors
    /// If the list can't be read.
    pub fn job(&self, key: &Key) -> Result<Option<JournalJob<'_>>, Error> {
        let found = self.reading.borrow_mut().find(key).map_err(Error::failed)?;
        Ok(found.map(|listed| JournalJob::new(&self.reading, listed)))
    }

    /// What a resume would run now, without running it. `changed` says what to do about jobs that are
    /// recorded with another command than the list has.
    ///
    /// # Errors
    /// If the list or the records can't be read, or a job has changed and `changed` is `None`.
    pub fn next_run(&self, which: Resume, changed: Option<Changed>) -> Result<NextRun, Error> {
        NextRun::of(&self.folder, which, changed).map_err(Error::failed)
    }

    /// The name of the last run, which its jobs had in `PROCPOOL_RUN`.
    #[must_use]
    pub fn run_name(&self) -> String {
        self.reading().run.name.clone()
    }

    /// How many times the list was started: 1 after the first run, 2 after the first resume.
    #[must_use]
    pub fn generation(&self) -> u32 {
        self.reading().run.generation
    }

    /// The directory in which the last run was started. Jobs without a directory of their own ran there.
    #[must_use]
    pub fn directory(&self) -> PathBuf {
        self.reading().directory()
    }

    /// Remarks for people, for example that the last record was torn by a kill and is ignored.
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        self.reading().remarks.clone()
    }

    fn reading(&self) -> Ref<'_, Reading> {
        self.reading.borrow()
    }
}
