//! Reads what the journals of all writers in a folder say about its jobs. What a resume does about it is
//! decided in `resume`.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;

use anyhow::{Context, bail};

use crate::files::file::JournalFile;
use crate::files::folder::{Folder, WriterFiles};
use crate::files::run_lock;
use crate::format::brief::Brief;
use crate::format::identity::Hash;
use crate::format::record::{Record, Round, Run, VERSION};
use crate::read::ahead::{self, Rest};
use crate::read::hashed::AsItIs;
use crate::read::scan::{Found, Scanner};
use crate::read::standing::{FileAttempts, Standing};

/// Jobs by the hash of their key.
pub(crate) type Jobs = HashMap<Hash, Standing, BuildHasherDefault<AsItIs>>;

/// What was read from the files of all writers.
#[derive(Debug, Default)]
pub struct Past {
    pub jobs: Jobs,
    /// The run that began last.
    pub run: Option<Run>,
    /// How much of procpool's own file is whole.
    pub own: Length,
    pub(crate) attempts: u64,
    /// The last round of slices, unless it is over.
    pub round: Option<PastRound>,
    /// The last list that a run brought with it, and the working directory of that run: commands that name no
    /// directory are identified by it.
    brought: Option<(u32, PathBuf)>,
    /// How much of each other writer's file is whole.
    pub lengths: HashMap<PathBuf, u64>,
}

/// A round of slices, some of which may still run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastRound {
    pub round: Round,
    /// The engine's id of its array; `None` if it is unknown whether the engine has accepted it.
    pub id: Option<String>,
}

/// How much of a file is whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Length {
    pub whole: u64,
    pub torn: u64,
}

/// A line of a journal.
pub(super) enum JournalLine {
    Attempt(Brief),
    /// The body of any other record, without its length and checksum.
    Other(Vec<u8>),
}

impl Past {
    /// Reads the files of all writers.
    ///
    /// # Errors
    /// If one can't be read, has another version of the format, is no journal, or is damaged before its end.
    pub fn read(folder: &Folder) -> anyhow::Result<Past> {
        let mut past = Past::default();
        let own = folder.own_files();
        for (index, files) in folder.writers().context("can't read the folder")?.iter().enumerate() {
            let length = past.read_file(files, index)?;
            if *files == own {
                past.own = length;
            } else {
                past.lengths.insert(files.journal.path(), length.whole);
            }
        }
        Ok(past)
    }

    /// The working directory, as a path of that time, of the run that brought this list.
    #[must_use]
    pub fn directory_of(&self, list: u32) -> Option<PathBuf> {
        self.brought.as_ref().filter(|(brought, _)| *brought == list).map(|(_, directory)| directory.clone())
    }

    fn read_file(&mut self, files: &WriterFiles, index: usize) -> anyhow::Result<Length> {
        let path = &files.journal;
        if index == 0 {
            // The shortest record has about 500 bytes.
            let size = path.stat().map_or(0, |stat| u64::try_from(stat.st_size).unwrap_or_default());
            self.jobs.reserve(usize::try_from(size / 500).unwrap_or_default().min(MOST_AT_FIRST));
        }
        let mut attempts = FileAttempts::of(index);
        let length = walk(path, |_, line| self.take(line, &mut attempts))?;
        attempts.finish(&mut self.jobs);
        Ok(length)
    }

    fn take(&mut self, line: JournalLine, attempts: &mut FileAttempts<()>) {
        match line {
            JournalLine::Attempt(brief) => {
                self.attempts += 1;
                let standing = self.jobs.entry(brief.identity.job).or_insert(Standing::unlisted());
                attempts.note(&brief, (), standing);
            }
            JournalLine::Other(body) => self.note_other(&body),
        }
    }

    /// Notes a record that isn't of an attempt.
    fn note_other(&mut self, body: &[u8]) {
        match Record::parse(body) {
            Some(Record::Run(run))
                if self.run.as_ref().is_none_or(|last| last.generation <= run.generation) =>
            {
                // If several writers have recorded the list, the first one counts: the list is its own.
                let is_new = self.brought.as_ref().is_none_or(|(list, _)| *list < run.list);
                if run.list == run.generation && is_new {
                    self.brought = Some((run.list, run.directory.clone().into_os_string().into()));
                }
                self.run = Some(*run);
            }
            Some(Record::Round(round)) => self.round = Some(PastRound { round, id: None }),
            Some(Record::Array(array)) => {
                if let Some(last) = &mut self.round {
                    last.id = Some(array.id);
                }
            }
            Some(Record::RoundOver(_)) => self.round = None,
            _ => {}
        }
    }
}

/// Calls `take` for each record of a file, with the offset of its line. Returns how much of the file is
/// whole.
///
/// # Errors
/// If it can't be read, has another version of the format, is no journal, or is damaged before its end.
pub(super) fn walk(path: &JournalFile, mut take: impl FnMut(u64, JournalLine)) -> anyhow::Result<Length> {
    let file = path.open().with_context(|| format!("can't read {path:?}"))?;
    let size = file.metadata()?.len();
    let parse = |offset, body: &[u8]| (offset, JournalLine::of(offset, body));
    let read = ahead::read(file, parse, |(offset, line)| check(offset, line, path, &mut take));
    length(read.with_context(|| format!("can't read {path:?}"))?, size, path)
}

impl JournalLine {
    fn of(offset: u64, body: &[u8]) -> JournalLine {
        let brief = Brief::of(body).filter(|_| offset > 0);
        brief.map_or_else(|| JournalLine::Other(body.to_vec()), JournalLine::Attempt)
    }
}

/// Checks the first line, which must be the header, and passes all others to `take`.
fn check(
    offset: u64,
    line: JournalLine,
    path: &JournalFile,
    take: &mut impl FnMut(u64, JournalLine),
) -> anyhow::Result<()> {
    match line {
        JournalLine::Other(body) if offset == 0 => check_header(&body, path)?,
        line => take(offset, line),
    }
    Ok(())
}

/// How much of a file is whole, by what comes after its last whole line.
fn length(rest: Rest, size: u64, path: &JournalFile) -> anyhow::Result<Length> {
    match rest {
        Rest::Nothing { offset: 0 } => Err(empty(path)),
        Rest::Nothing { offset } => Ok(Length { whole: offset, torn: 0 }),
        Rest::Torn { offset: 0 } | Rest::Damaged { offset: 0 } => Err(foreign(path)),
        Rest::Torn { offset } => Ok(Length { whole: offset, torn: size.saturating_sub(offset) }),
        Rest::Damaged { offset } => Err(damaged(offset, path)),
    }
}

fn damaged(offset: u64, path: &JournalFile) -> anyhow::Error {
    anyhow::anyhow!(
        "{path:?} is damaged at byte {offset}, and whole records follow; nothing was changed. What stands before that \
         byte can be kept: `head -c {offset}` of it into another file"
    )
}

/// The last run of a journal; `None` if there is none.
///
/// # Errors
/// If it can't be read, or is no journal.
pub fn last_run(folder: &Folder) -> anyhow::Result<Option<Run>> {
    if let Some(run) = run_of_holder(folder) {
        return Ok(Some(run));
    }
    let mut past = Past::default();
    for files in folder.writers().context("can't read the folder")? {
        let path = &files.journal;
        let mut scanner = Scanner::new(path.open().with_context(|| format!("can't read {path:?}"))?);
        loop {
            match scanner.next_line().with_context(|| format!("can't read {path:?}"))? {
                Found::Line { offset: 0, body } => check_header(body, path)?,
                Found::Line { body, .. } if body.starts_with(br#""record":"run""#) => past.note_other(body),
                Found::Line { .. } => {}
                Found::End { offset: 0 } => return Err(empty(path)),
                Found::Torn { offset: 0 } | Found::Damaged { offset: 0 } => return Err(foreign(path)),
                Found::Damaged { offset } if past.run.is_none() => return Err(damaged(offset, path)),
                // The resume itself reports a torn or damaged end.
                Found::End { .. } | Found::Torn { .. } | Found::Damaged { .. } => break,
            }
        }
    }
    Ok(past.run)
}

/// The run of the last holder of the lock, read at the offset that the lock's file names. `None` if that
/// process was killed before it wrote its record, or if the lock's file is gone.
fn run_of_holder(folder: &Folder) -> Option<Run> {
    let holder = run_lock::holder(&folder.running().open().ok()?)?;
    let mut file = folder.own_files().journal.open().ok()?;
    file.seek(SeekFrom::Start(holder.record_at)).ok()?;
    let mut scanner = Scanner::new(file);
    let Ok(Found::Line { body, .. }) = scanner.next_line() else { return None };
    match Record::parse(body) {
        Some(Record::Run(run)) if run.name == holder.run => Some(*run),
        _ => None,
    }
}

/// The most entries that are reserved because of a file's length: any part of a sparse file may be a hole.
pub(super) const MOST_AT_FIRST: usize = 2_000_000;

/// In bytes; far longer than any header.
const LONGEST_HEADER: u64 = 64 * 1024;

fn check_header(body: &[u8], path: &JournalFile) -> anyhow::Result<()> {
    match Record::parse(body) {
        Some(Record::Journal(header)) if header.version == VERSION => Ok(()),
        Some(Record::Journal(header)) => bail!(
            "{path:?} was written by procpool {}, in version {} of the format; this one reads version {VERSION}",
            header.procpool,
            header.version
        ),
        _ => Err(foreign(path)),
    }
}

/// The error for an empty file. A file is created with its header, so somebody or a power cut has emptied
/// this one.
fn empty(path: &JournalFile) -> anyhow::Error {
    anyhow::anyhow!("{path:?} is empty, so that it is not known what has been run; name another folder")
}

/// The error for a file that doesn't begin like a journal. It may be of a later version, whose lines are
/// checked in another way.
fn foreign(path: &JournalFile) -> anyhow::Error {
    let version = || {
        // No more than the longest header, whatever the length of the file.
        let mut text = Vec::new();
        path.open().ok()?.take(LONGEST_HEADER).read_to_end(&mut text).ok()?;
        let line = text.split(|byte| *byte == b'\n').next()?;
        let value: serde_json::Value = serde_json::from_slice(line).ok()?;
        (value["record"] == "journal").then(|| value["version"].to_string())
    };
    match version() {
        Some(version) if version != VERSION.to_string() => anyhow::anyhow!(
            "{path:?} is a journal in version {version} of the format; this procpool reads version {VERSION}"
        ),
        _ => anyhow::anyhow!("{path:?} is no journal of procpool; name another folder"),
    }
}

#[cfg(test)]
mod damage;

#[cfg(test)]
mod tests;
