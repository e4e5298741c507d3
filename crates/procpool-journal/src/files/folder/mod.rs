//! The folder of a journal: the names of its files, and the check that only we may write to it if jobs are
//! run from it.

mod shared;

use std::fs::{self, DirBuilder};
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use rustix::fs::{CWD, Dir, FileType, Mode, OFlags, Stat, openat};
use rustix::io::Errno;

use crate::files::file::{JournalFile, OpenFolder, Trust};
use crate::files::trusted_owner::trusted_owner;

/// A folder that is open. Its path is absolute, for messages: a resume changes its working directory.
#[derive(Clone, Debug)]
pub struct Folder(Arc<OpenFolder>);

/// What a folder is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To run jobs from it, and to write to it.
    Run,
    /// To read it: it may be any user's.
    Read,
}

/// Whether a folder had to be created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// It was.
    Now,
    /// It existed.
    Before,
}

/// The files of one writer. Each writer has its own, so that several can write at once, on several machines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriterFiles {
    /// The records.
    pub journal: JournalFile,
    /// The outputs that are too long for a record.
    pub outputs: JournalFile,
}

/// What is in a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contents {
    /// Nothing, or only what a run creates before its first record.
    Nothing,
    /// A journal.
    Journal,
    /// Outputs of a journal, without its records.
    JournalGone,
    /// Something else.
    Other,
}

impl Folder {
    /// Opens a folder; `None` if it doesn't exist.
    ///
    /// # Errors
    /// If it can't be opened, or jobs are to be run from it and other users could write to it.
    pub fn open(path: &Path, purpose: Purpose) -> anyhow::Result<Option<Folder>> {
        let path = std::path::absolute(path)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = match openat(CWD, &path, flags, Mode::empty()) {
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::NOTDIR) if purpose == Purpose::Read => return Ok(None),
            directory => directory?,
        };
        let trust = match purpose {
            Purpose::Read => Trust::Anyone,
            Purpose::Run => Trust::Only(trusted_owner(&path, &directory)?),
        };
        Ok(Some(Folder(Arc::new(OpenFolder { path, directory, trust, outage: Arc::default() }))))
    }

    /// Opens a folder to run jobs; creates it, with mode 0700, if it is missing.
    ///
    /// # Errors
    /// If it can't be created, and as [`open`](Folder::open).
    pub fn make(path: &Path) -> anyhow::Result<(Folder, Made)> {
        let absolute = std::path::absolute(path)?;
        if let Some(parent) = absolute.parent() {
            fs::create_dir_all(parent)?;
        }
        let made = match DirBuilder::new().mode(0o700).create(&absolute) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Made::Before,
            result => result.map(|()| Made::Now)?,
        };
        let opened = Folder::open(path, Purpose::Run)
            .and_then(|folder| folder.context("the folder was taken away as soon as it was made"));
        if let (Err(_), Made::Now) = (&opened, made) {
            // Fails, rightly, if somebody has put something into it.
            let _ = fs::remove_dir(&absolute);
        }
        Ok((opened?, made))
    }

    /// Its absolute path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    fn file(&self, name: impl Into<String>) -> JournalFile {
        JournalFile::new(&self.0, name.into())
    }

    /// Opens the folder again, for a lock.
    ///
    /// # Errors
    /// If it can't be opened.
    pub(crate) fn open_again(&self) -> io::Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(openat(&self.0.directory, ".", flags, Mode::empty())?)
    }

    /// The files of procpool itself; slices have [others](Folder::files_of).
    #[must_use]
    pub fn own_files(&self) -> WriterFiles {
        WriterFiles {
            journal: self.file("journal.jsonl"),
            outputs: self.file("outputs"),
        }
    }

    /// The lock, its holder, and what runs.
    #[must_use]
    pub fn running(&self) -> JournalFile {
        self.file("running")
    }

    /// The list of jobs with this number.
    #[must_use]
    pub fn list(&self, number: u32) -> JournalFile {
        self.file(format!("list-{number}.jsonl"))
    }

    /// Which outputs this generation has printed.
    #[must_use]
    pub fn printed(&self, generation: u32) -> JournalFile {
        self.file(format!("printed-{generation}"))
    }

    /// The shape of the output that it was printing.
    #[must_use]
    pub fn shape(&self, generation: u32) -> JournalFile {
        shape_of(&self.printed(generation))
    }

    /// How far it has printed outputs whose lines it printed side by side.
    #[must_use]
    pub fn rows(&self, generation: u32) -> JournalFile {
        rows_of(&self.printed(generation))
    }

    /// The long standard inputs of the jobs of this list.
    #[must_use]
    pub fn inputs(&self, number: u32) -> JournalFile {
        self.file(format!("inputs-{number}"))
    }

    /// The files of a slice, or of any other writer with this name.
    #[must_use]
    pub fn files_of(&self, writer: &str) -> WriterFiles {
        WriterFiles {
            journal: self.file(format!("journal-{writer}.jsonl")),
            outputs: self.file(format!("outputs-{writer}")),
        }
    }

    /// What a slice runs.
    #[must_use]
    pub fn running_of(&self, writer: &str) -> JournalFile {
        self.file(format!("running-{writer}"))
    }

    /// Which slices a round has.
    #[must_use]
    pub fn slices(&self, round: &str) -> JournalFile {
        self.file(format!("slices-{round}.jsonl"))
    }

    /// What a running attempt has written so far.
    pub(crate) fn live(&self, name: &str) -> JournalFile {
        self.file(format!("live-{name}"))
    }

    /// Tells the slices of a round how to stop, if it exists.
    #[must_use]
    pub fn halt(&self, round: &str) -> JournalFile {
        self.file(format!("halt-{round}"))
    }

    /// The nodes that the slices of a round avoid.
    #[must_use]
    pub fn nodes(&self, round: &str) -> JournalFile {
        self.file(format!("nodes-{round}"))
    }

    /// Which array runs a round.
    #[must_use]
    pub fn array(&self, round: &str) -> JournalFile {
        self.file(format!("array-{round}"))
    }

    /// Which slice runs this piece of a round.
    #[must_use]
    pub fn claim(&self, round: &str, piece: usize) -> JournalFile {
        self.file(format!("claim-{round}-{piece:05}"))
    }

    /// The files whose names begin like this, each with the rest of its name.
    ///
    /// # Errors
    /// If the folder can't be read.
    pub fn logs(&self, beginning: &str) -> io::Result<Vec<(String, JournalFile)>> {
        let log = |name: String| Some((name.strip_prefix(beginning)?.to_owned(), self.file(&*name)));
        Ok(self.names()?.into_iter().filter_map(log).collect())
    }

    /// The names of all writers but procpool itself, sorted.
    ///
    /// # Errors
    /// If the folder can't be read.
    pub fn other_writers(&self) -> io::Result<Vec<String>> {
        let of_writer =
            |name: &String| name.strip_prefix("journal-")?.strip_suffix(".jsonl").map(ToOwned::to_owned);
        let mut writers: Vec<String> = self.names()?.iter().filter_map(of_writer).collect();
        writers.sort();
        Ok(writers)
    }

    /// The files of all writers, procpool's own first, the others sorted by name.
    ///
    /// # Errors
    /// If the folder can't be read.
    pub fn writers(&self) -> io::Result<Vec<WriterFiles>> {
        let own = self.own_files();
        let own = own.journal.stat_if_there()?.map(|_| own);
        let others = self.other_writers()?;
        Ok(own.into_iter().chain(others.iter().map(|writer| self.files_of(writer))).collect())
    }

    /// What is in the folder.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn contents(&self) -> io::Result<Contents> {
        let names = self.names()?;
        // What a run creates before its first record: it was killed before that.
        let is_made_first = |name: &String| {
            name == "running"
                || name == "journal.jsonl"
                || name == "journal.jsonl.new"
                || ["list-", "printed-", "inputs-"].iter().any(|part| name.starts_with(part))
        };
        // A power cut may leave an empty file of one that was just created.
        let is_there = |file: Stat| file.st_size > 0 || !FileType::from_raw_mode(file.st_mode).is_file();
        let has_journal = self.own_files().journal.stat_if_there()?.is_some_and(is_there);
        Ok(if has_journal {
            Contents::Journal
        } else if names.iter().any(|name| name == "outputs") {
            Contents::JournalGone
        } else if !names.iter().all(is_made_first) {
            Contents::Other
        } else {
            Contents::Nothing
        })
    }

    /// Removes all lists but this one, and the records of what other generations have printed.
    pub fn forget_all_but(&self, list: u32, generation: u32) {
        let of_list = [self.list(list), self.inputs(list)];
        let of_run = [self.printed(generation), self.shape(generation), self.rows(generation)];
        for name in self.names().unwrap_or_default() {
            let is_of_list = ["list-", "printed-", "inputs-"].iter().any(|part| name.starts_with(part));
            let file = self.file(name);
            if is_of_list && !of_list.contains(&file) && !of_run.contains(&file) {
                // If it stays it takes space, nothing else.
                let _ = file.remove();
            }
        }
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.0.directory)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if ![".", ".."].contains(&&*name) {
                names.push(name);
            }
        }
        Ok(names)
    }
}

impl AsFd for Folder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.directory.as_fd()
    }
}

/// The file of the shape that belongs to this file of what was printed.
pub(crate) fn shape_of(printed: &JournalFile) -> JournalFile {
    printed.with_suffix(".shape")
}

/// The file of the rows that belongs to it.
pub(crate) fn rows_of(printed: &JournalFile) -> JournalFile {
    printed.with_suffix(".rows")
}

/// Whether two files have the same contents.
///
/// # Errors
/// If one can't be read.
pub fn are_equal(one: &JournalFile, other: &JournalFile) -> io::Result<bool> {
    let (mut one, mut other) = (one.open()?, other.open()?);
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let mut pieces = [vec![0; PIECE], vec![0; PIECE]];
    loop {
        let count = one.read(&mut pieces[0])?;
        if count == 0 {
            return Ok(true);
        }
        other.read_exact(&mut pieces[1][..count])?;
        if pieces[0][..count] != pieces[1][..count] {
            return Ok(false);
        }
    }
}

/// How much is read at a time.
const PIECE: usize = 64 * 1024;

#[cfg(test)]
mod tests;
