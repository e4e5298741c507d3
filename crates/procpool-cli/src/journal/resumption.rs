//! What a resume finds: how each job of the list stands, what is to be run, and what has yet to be printed.
//! Knows nothing of how either is done.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use anyhow::{Context, bail};
use procpool_core::{Job, Key};

use crate::journal::brief::{Brief, CameOfIt};
use crate::journal::decision::{Changed, Class, Counts, Decision, Resume};
use crate::journal::entry::Entry;
use crate::journal::folder::{Folder, WriterFiles};
use crate::journal::identity::{Hash, Identity};
use crate::journal::line::{self, CHECK};
use crate::journal::list::{self, Ledger, Line, identity_of};
use crate::journal::past::{Past, Standing};
use crate::journal::positions::Positions;
use crate::journal::printed::{Before, Partial};
use crate::journal::record::sealed;
use crate::journal::running::{Entry as Started, Holder};
use crate::journal::scan::{Found, Scanner};
use crate::work::Work;

/// What was typed about it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    pub(crate) resume: Resume,
    pub(crate) changed: Option<Changed>,
}

/// How a list stands.
#[derive(Debug, Default)]
pub(crate) struct Resumption {
    pub(crate) counts: Counts,
    pub(crate) to_run: Positions,
    /// Those whose output is to be printed, though they are not run.
    pub(crate) to_print: HashMap<Hash, u64>,
    /// What has been printed, by the list as it is now.
    pub(crate) printed: Before,
    /// How many bytes of the list are whole, and whether that is all of it.
    pub(crate) length: u64,
    pub(crate) is_whole: bool,
    /// Some of those that are known with another command.
    asked: Vec<(u64, Key)>,
    asked_more: u64,
}

/// So many are named.
const NAMED: usize = 3;

/// Takes note, in what is known of the past, of the last list: who stands on it, what of it ran when all came to an end, and
/// what of it has not been printed.
///
/// # Errors
/// Where it can't be read.
pub(crate) fn note_last_list(
    past: &mut Past,
    folder: &Folder,
    ran: Option<&(Holder, Vec<Started>)>,
) -> anyhow::Result<(Option<Hash>, Partial)> {
    let nothing = (None, Partial::default());
    let Some(run) = &past.run else { return Ok(nothing) };
    let (number, generation) = (run.list, run.generation);
    let before = Before::read(&folder.printed(generation)).context("can't read what was printed")?;
    let running: HashMap<u64, (u32, u32)> = ran
        .into_iter()
        .flat_map(|(holder, table)| table.iter().map(|entry| (entry.seq, (holder.generation, entry.attempt))))
        .collect();
    let Some(mut reader) = ListReader::open(folder, number)? else { return Ok(nothing) };
    let partial = before.partial();
    let mut half_printed = None;
    let mut position = 0;
    while let Some(body) = reader.next()? {
        let Some(identity) = identity_of(body) else { continue };
        position += 1;
        let standing = past.jobs.entry(identity.job).or_insert(Standing::listed());
        standing.is_listed = true;
        standing.is_unprinted = !before.has(position);
        if let Some((generation, attempt)) = running.get(&position) {
            standing.was_running |= standing.lacks(*generation, *attempt);
        }
        if position == partial.position {
            half_printed = Some(identity.job);
        }
    }
    Ok((half_printed, partial))
}

/// Takes the jobs of a list one by one, in order.
pub(crate) struct Reckoning<'a> {
    past: &'a Past,
    wish: Wish,
    found: Resumption,
    seen: u64,
    position: u64,
    /// What was being printed when all came to an end, and which job that is.
    partial: (Option<Hash>, Partial),
}

impl<'a> Reckoning<'a> {
    pub(crate) fn new(past: &'a Past, wish: Wish, partial: (Option<Hash>, Partial)) -> Reckoning<'a> {
        Reckoning {
            past,
            wish,
            found: Resumption::default(),
            seen: 0,
            position: 0,
            partial,
        }
    }

    /// The next job. `key` is asked for only where it is to be named.
    pub(crate) fn take(&mut self, identity: &Identity, key: impl FnOnce() -> Key) {
        self.position += 1;
        let standing = self.past.jobs.get(&identity.job);
        self.seen += u64::from(standing.is_some());
        let class = Class::of(standing, identity);
        let decision = class.decide(self.wish.resume, self.wish.changed);
        let found = &mut self.found;
        found.counts.note(class, decision);
        match decision {
            Decision::Run => found.to_run.add(self.position),
            Decision::Leave if standing.is_some_and(|standing| standing.is_unprinted) => {
                found.to_print.insert(identity.job, self.position);
                if self.partial.0 == Some(identity.job) {
                    found.printed.set_partial(Partial { position: self.position, ..self.partial.1 });
                }
            }
            Decision::Leave => found.printed.add(self.position),
            Decision::Ask if found.asked.len() < NAMED => found.asked.push((self.position, key())),
            Decision::Ask => found.asked_more += 1,
        }
    }

    /// There are no more.
    ///
    /// # Errors
    /// Where the run can't begin without a word on jobs that have changed.
    pub(crate) fn end(mut self, length: u64, is_whole: bool) -> anyhow::Result<Resumption> {
        self.found.counts.gone = (self.past.jobs.len() as u64).saturating_sub(self.seen);
        self.found.length = length;
        self.found.is_whole = is_whole;
        if self.found.asked.is_empty() {
            return Ok(self.found);
        }
        let named: Vec<String> =
            self.found.asked.iter().map(|(position, key)| format!("\"{key}\" (job {position})")).collect();
        let more = match self.found.asked_more {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        bail!(
            "{}{more}: recorded with another command, directory, variables or input than now; --changed rerun runs such \
             jobs again, --changed skip leaves them as they are",
            named.join(", ")
        )
    }
}

/// Reads a stored list again as it is, for a resume by the journal alone.
///
/// # Errors
/// Where it can't be read.
pub(crate) fn reckon_stored(
    folder: &Folder,
    number: u32,
    mut reckoning: Reckoning<'_>,
) -> anyhow::Result<Resumption> {
    let missing = || format!("the journal's list of jobs, {:?}, is gone", folder.list(number));
    let mut reader = ListReader::open(folder, number)?.with_context(missing)?;
    while let Some(body) = reader.next()? {
        match identity_of(body) {
            Some(identity) => reckoning.take(&identity, || match list::parse(body) {
                Some(Line::Job(job)) => job.key(),
                _ => Key::from(""),
            }),
            None => reader.is_whole = true,
        }
    }
    let (length, is_whole) = (reader.length, reader.is_whole);
    reckoning.end(length, is_whole)
}

/// Writes a new list down, whole, before anything of it is run.
///
/// # Errors
/// Where it can't be written.
pub(crate) fn write_list(
    jobs: impl Iterator<Item = Job<Work>>,
    file: &mut impl io::Write,
    ledger: &Ledger,
    reckoning: &mut Reckoning<'_>,
) -> io::Result<u64> {
    let mut length = 0;
    let mut put = |line: &[u8]| {
        length += line.len() as u64;
        file.write_all(line)
    };
    let mut count = 0;
    for job in jobs {
        count += 1;
        let (line, identity) = ledger.line(&job, count)?;
        put(&line)?;
        reckoning.take(&identity, || job.key.clone());
    }
    put(&sealed(&Line::End { jobs: count }))?;
    file.flush()?;
    Ok(length)
}

/// The lines of a list.
pub(crate) struct ListReader {
    scanner: Scanner<File>,
    /// How much of it is whole so far.
    length: u64,
    is_whole: bool,
}

impl ListReader {
    /// `None` where there is no such list.
    pub(crate) fn open(folder: &Folder, number: u32) -> anyhow::Result<Option<ListReader>> {
        let path = folder.list(number);
        match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            file => {
                let file = file.with_context(|| format!("can't read {path:?}"))?;
                Ok(Some(ListReader { scanner: Scanner::new(file), length: 0, is_whole: false }))
            }
        }
    }

    /// What stands in the next line. A torn one was never run, and is left out.
    ///
    /// # Errors
    /// Where the list is damaged before its end.
    pub(crate) fn next(&mut self) -> anyhow::Result<Option<&[u8]>> {
        match self.scanner.next().context("can't read the journal's list of jobs")? {
            Found::Line { offset, body } => {
                // With the check before and the newline after it.
                self.length = offset + (body.len() + CHECK + 1) as u64;
                Ok(Some(body))
            }
            Found::End { .. } | Found::Torn { .. } => Ok(None),
            Found::Damaged { offset } => {
                bail!(
                    "the journal's list of jobs is damaged at byte {offset}, and whole lines follow; nothing was changed"
                )
            }
        }
    }
}

/// Where a record is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RecordPlace {
    /// Of the writers, in their order.
    writer: usize,
    offset: u64,
    length: usize,
    rank: (u32, bool, u32),
}

impl RecordPlace {
    /// Reads it, and says in which file its outputs are.
    ///
    /// # Errors
    /// Where it can't be read any more.
    pub(crate) fn read(&self, writers: &[WriterFiles]) -> io::Result<(Entry, PathBuf)> {
        let gone = || io::Error::new(io::ErrorKind::InvalidData, "a record in the journal is gone");
        let files = writers.get(self.writer).ok_or_else(gone)?;
        let mut line = vec![0; self.length];
        File::open(&files.journal)?.read_exact_at(&mut line, self.offset)?;
        let entry = line::open(&line).and_then(Entry::parse).ok_or_else(gone)?;
        Ok((entry, files.outputs.clone()))
    }
}

/// Where the records are of the outcomes of these jobs, those that count.
///
/// # Errors
/// Where a file can't be read.
pub(crate) fn find_outcomes(
    writers: &[WriterFiles],
    wanted: &HashMap<Hash, u64>,
) -> io::Result<HashMap<Hash, RecordPlace>> {
    let mut places: HashMap<Hash, RecordPlace> = HashMap::new();
    if wanted.is_empty() {
        return Ok(places);
    }
    for (writer, files) in writers.iter().enumerate() {
        let mut scanner = Scanner::new(File::open(&files.journal)?);
        while let Found::Line { offset, body } = scanner.next()? {
            let Some(brief) = Brief::of(body) else { continue };
            let job = brief.identity.job;
            if !wanted.contains_key(&job) {
                continue;
            }
            let rank = (brief.generation, brief.came_of_it == CameOfIt::Succeeded, brief.attempt);
            if places.get(&job).is_none_or(|last| last.rank <= rank) {
                places.insert(job, RecordPlace { writer, offset, length: body.len() + CHECK, rank });
            }
        }
    }
    Ok(places)
}
