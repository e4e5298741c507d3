//! An index of all attempts in the journals of a folder, by job, and which of them counts. It keeps only the
//! places of their records, not the contents: there may be millions.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::BuildHasherDefault;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use procpool_core::Key;

use crate::files::file::JournalFile;
use crate::files::folder::WriterFiles;
use crate::format::brief::OutcomeClass;
use crate::format::identity::Hash;
use crate::format::record::{Record, Run};
use crate::read::hashed::AsItIs;
use crate::read::history::{JournalLine, Length, MOST_AT_FIRST, walk};
use crate::read::standing::{FileAttempts, Standing, TrackedJob};

/// Where the record of an attempt begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The index of the writer.
    pub(crate) writer: u16,
    pub(crate) offset: u64,
}

/// What is known of a job. Kept small: there may be millions.
#[derive(Clone, Copy, Debug)]
pub struct IndexedJob {
    standing: Standing,
    /// Indices into `Outcomes::attempts`: the attempt that counts, and the last one.
    counts: u32,
    last: u32,
}

/// An attempt, linked to the one before it of the same job.
struct Link {
    offset: u64,
    before: u32,
    writer: u16,
}

/// An index that no attempt has.
const NONE: u32 = u32::MAX;

/// When a run began, and when its last attempt so far ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) began: SystemTime,
    ended: SystemTime,
}

/// What was read from the files of all writers.
#[derive(Default)]
pub struct Outcomes {
    jobs: HashMap<Hash, IndexedJob, BuildHasherDefault<AsItIs>>,
    attempts: Vec<Link>,
    /// The run that began last.
    pub(crate) run: Option<Run>,
    spans: BTreeMap<u32, Span>,
    /// The generation of the last round of slices, unless that is over.
    pub(crate) round: Option<u32>,
    /// The files of slices that have recorded their end.
    pub(crate) over: HashSet<PathBuf>,
    /// The nodes of slices, by their writer's index.
    pub(crate) nodes: HashMap<usize, String>,
    /// How much of each file is whole.
    pub(crate) lengths: Vec<Length>,
}

impl IndexedJob {
    pub fn came_of_it(&self) -> Option<OutcomeClass> {
        self.standing.outcome
    }

    /// As [`Standing::lacks`].
    pub(crate) fn lacks(&self, generation: u32, attempt: u32) -> bool {
        self.standing.lacks(generation, attempt)
    }
}

impl TrackedJob<u32> for IndexedJob {
    fn state(&mut self) -> &mut Standing {
        &mut self.standing
    }

    fn counts_at(&mut self, number: u32) {
        self.counts = number;
    }
}

impl Outcomes {
    /// # Errors
    /// As [`walk`].
    pub(crate) fn read(writers: &[WriterFiles]) -> anyhow::Result<Outcomes> {
        let mut outcomes = Outcomes::default();
        for (writer, files) in (0..).zip(writers) {
            let length = outcomes.read_file(files, writer)?;
            outcomes.lengths.push(length);
        }
        Ok(outcomes)
    }

    fn read_file(&mut self, files: &WriterFiles, writer: u16) -> anyhow::Result<Length> {
        if writer == 0 {
            // The shortest record has about 500 bytes. Room for all is reserved at once: growing would take
            // half as much memory again.
            let size = files.journal.stat().map_or(0, |stat| u64::try_from(stat.st_size).unwrap_or_default());
            let attempts = usize::try_from(size / 500).unwrap_or_default().min(MOST_AT_FIRST);
            self.jobs.reserve(attempts);
            self.attempts.reserve(attempts);
        }
        let mut attempts = FileAttempts::of(writer.into());
        let length = walk(&files.journal, |offset, line| match line {
            JournalLine::Attempt(brief) => {
                let number = u32::try_from(self.attempts.len()).expect("BUG: a journal that no memory holds");
                let noted = self.jobs.entry(brief.identity.job).or_insert(IndexedJob {
                    standing: Standing::unlisted(),
                    counts: NONE,
                    last: NONE,
                });
                attempts.note(&brief, number, noted);
                self.attempts.push(Link { offset, before: noted.last, writer });
                noted.last = number;
                if let (Some(span), Some(ended)) =
                    (self.spans.get_mut(&brief.generation), moment(brief.ended))
                {
                    span.ended = span.ended.max(ended);
                }
            }
            JournalLine::Other(body) => self.note_other(&body, &files.journal, writer),
        })?;
        attempts.finish(&mut self.jobs);
        Ok(length)
    }

    fn note_other(&mut self, body: &[u8], file: &JournalFile, writer: u16) {
        let run = match Record::parse(body) {
            Some(Record::Run(run)) => run,
            Some(Record::Round(round)) => {
                self.round = Some(round.generation);
                return;
            }
            Some(Record::Slice(begin)) => {
                // Older versions of procpool recorded only the host name.
                let node = begin.node.unwrap_or(begin.host);
                self.nodes.insert(writer.into(), node);
                return;
            }
            Some(Record::RoundOver(_)) => {
                self.round = None;
                return;
            }
            Some(Record::End(_)) => {
                self.over.insert(file.path());
                return;
            }
            _ => return,
        };
        if let Ok(began) = humantime::parse_rfc3339(&run.started) {
            self.spans.insert(run.generation, Span { began, ended: began });
        }
        if self.run.as_ref().is_none_or(|last| last.generation <= run.generation) {
            self.run = Some(*run);
        }
    }

    /// How many jobs are no longer on the list. Only right once all jobs of the list were
    /// [taken](Outcomes::take_listed).
    pub(crate) fn unlisted_jobs(&self) -> usize {
        self.jobs.values().filter(|noted| !noted.standing.is_listed).count()
    }

    /// What is known of a job of the list, which is marked as listed. Jobs that are never asked for are
    /// [unlisted](Outcomes::unlisted_jobs).
    pub(crate) fn take_listed(&mut self, job: Hash) -> Option<IndexedJob> {
        let noted = self.jobs.get_mut(&job)?;
        noted.standing.is_listed = true;
        Some(*noted)
    }

    /// What is known of the job with this key.
    pub fn of(&self, key: &Key) -> Option<IndexedJob> {
        self.jobs.get(&Hash::of_key(key)).copied()
    }

    /// All attempts of jobs that are no longer on the list, in the order of their records.
    pub fn unlisted(&self) -> Vec<Place> {
        let jobs = self.jobs.values().filter(|noted| !noted.standing.is_listed);
        let mut places: Vec<Place> = jobs.flat_map(|noted| self.attempts(noted)).collect();
        places.sort_unstable();
        places
    }

    /// The place of the attempt that counts.
    pub fn counting(&self, noted: &IndexedJob) -> Place {
        self.place(noted.counts)
    }

    /// How many attempts the job has.
    pub fn tries(&self, noted: &IndexedJob) -> usize {
        self.backwards(noted).count()
    }

    /// The places of the job's attempts, in the order of their records.
    pub fn attempts(&self, noted: &IndexedJob) -> Vec<Place> {
        let mut places: Vec<Place> = self.backwards(noted).map(|number| self.place(number)).collect();
        places.reverse();
        places
    }

    fn backwards(&self, noted: &IndexedJob) -> impl Iterator<Item = u32> {
        let existing = |number: u32| (number != NONE).then_some(number);
        std::iter::successors(existing(noted.last), move |number| {
            existing(self.attempts[*number as usize].before)
        })
    }

    fn place(&self, number: u32) -> Place {
        let Link { offset, writer, .. } = self.attempts[number as usize];
        Place { writer, offset }
    }

    /// When the first run began, and how long all runs took together.
    pub fn time(&self) -> (SystemTime, Duration) {
        let began = self.spans.values().next().map_or(SystemTime::UNIX_EPOCH, |span| span.began);
        let took = |span: &Span| span.ended.duration_since(span.began).unwrap_or_default();
        (began, self.spans.values().map(took).sum())
    }
}

/// The time that these decimal digits give: year, month, day, hour, minute, second, millisecond.
fn moment(digits: u64) -> Option<SystemTime> {
    let (date, time) = (digits / 1_000_000_000, digits % 1_000_000_000);
    let (year, month, day) = (date / 10_000, date / 100 % 100, date % 100);
    let (hour, minute, second) = (time / 10_000_000, time / 100_000 % 100, time / 1000 % 100);
    let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", time % 1000);
    humantime::parse_rfc3339(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_read_from_its_digits() {
        let text =
            moment(20_260_102_030_405_678).map(|moment| humantime::format_rfc3339_millis(moment).to_string());
        assert_eq!(text.as_deref(), Some("2026-01-02T03:04:05.678Z"));
        assert_eq!(moment(0), None);
    }
}
