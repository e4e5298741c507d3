//! The files that a run reads and writes, so that no file is used for two purposes. Compares files, not
//! names, because a file may have several names.

use std::fs;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::path::{Path, PathBuf};

use anyhow::bail;
use rustix::fs::{FileType, Stat, fstat, stat};
use rustix::stdio;

use crate::record::results::is_result;
use procpool_journal::os::file_id::FileId;

/// Files that are already in use.
pub(super) struct ClaimedFiles(Vec<FileUse>);

/// A file, and what the run uses it for.
struct FileUse {
    /// What messages call it.
    who: String,
    /// `None` if it isn't a regular file: a device or a pipe may have several writers.
    number: Option<FileId>,
    /// Its path, if it is written to.
    written: Option<PathBuf>,
}

impl ClaimedFiles {
    /// Claims procpool's standard streams and the files that jobs are read from.
    pub(super) fn new(inputs: Vec<PathBuf>) -> ClaimedFiles {
        let standard_input = FileUse {
            who: "standard input".to_owned(),
            number: fstat(stdio::stdin()).ok().and_then(number),
            written: None,
        };
        let output = |name: &str, descriptor: BorrowedFd<'_>| FileUse::written(name.to_owned(), &descriptor);
        let outputs = [output("standard output", stdio::stdout()), output("standard error", stdio::stderr())];
        let inputs = inputs.into_iter().map(|path| FileUse {
            who: format!("the input {path:?}"),
            number: stat(&path).ok().and_then(number),
            written: None,
        });
        ClaimedFiles([standard_input].into_iter().chain(outputs).chain(inputs).collect())
    }

    /// Claims an open file for a record.
    ///
    /// # Errors
    /// If it is already in use.
    pub(super) fn take(&mut self, who: String, file: &impl AsFd) -> anyhow::Result<()> {
        self.add(FileUse::written(who, file))
    }

    /// Claims a file that a record will replace, or a name that a record will create.
    ///
    /// # Errors
    /// If it is already in use.
    pub(super) fn take_name(&mut self, who: String, path: &Path) -> anyhow::Result<()> {
        self.add(FileUse {
            who,
            number: stat(path).ok().and_then(number),
            written: place(path),
        })
    }

    fn add(&mut self, part: FileUse) -> anyhow::Result<()> {
        let is_same = |other: &&FileUse| part.number.is_some() && part.number == other.number;
        if let Some(other) = self.0.iter().find(is_same) {
            bail!("{} and {} are one file; name another for the record", part.who, other.who);
        }
        self.0.push(part);
        Ok(())
    }

    /// # Errors
    /// If something other than the journal is written inside the journal's folder.
    pub(super) fn refuse_in_journal(&self, journal: &Path, results: Option<&Path>) -> anyhow::Result<()> {
        let Ok(folder) = fs::canonicalize(journal) else { return Ok(()) };
        let is_within =
            |part: &&FileUse| part.written.as_ref().is_some_and(|place| place.starts_with(&folder));
        if let Some(part) = self.0.iter().find(is_within) {
            bail!("{} is in the folder of --journal {journal:?}; name another file for it", part.who);
        }
        if let Some(results) =
            results.filter(|results| place(results).is_some_and(|place| place.starts_with(&folder)))
        {
            bail!(
                "--results {results:?} is in the folder of --journal {journal:?}; name another folder for it"
            );
        }
        Ok(())
    }

    /// # Errors
    /// If a file that is written to has the path of a result.
    pub(super) fn refuse_within(&self, results: &Path) -> anyhow::Result<()> {
        let Ok(folder) = fs::canonicalize(results) else { return Ok(()) };
        for FileUse { who, written, .. } in &self.0 {
            let within = written.as_ref().and_then(|place| place.strip_prefix(&folder).ok());
            if within.is_some_and(is_result) {
                bail!("{who} has the place of a result in --results {results:?}; name another file for it");
            }
        }
        Ok(())
    }
}

impl FileUse {
    fn written(who: String, file: &impl AsFd) -> FileUse {
        let file = file.as_fd();
        FileUse {
            who,
            number: fstat(file).ok().and_then(number),
            written: fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok(),
        }
    }
}

fn number(stat: Stat) -> Option<FileId> {
    FileType::from_raw_mode(stat.st_mode).is_file().then(|| FileId::from(&stat))
}

/// The canonical path of a file that exists or will be created.
fn place(path: &Path) -> Option<PathBuf> {
    fs::canonicalize(path)
        .or_else(|_| {
            let path = std::path::absolute(path)?;
            let folder = path.parent().unwrap_or(Path::new("/")).canonicalize()?;
            Ok::<_, std::io::Error>(folder.join(path.file_name().unwrap_or_default()))
        })
        .ok()
}
