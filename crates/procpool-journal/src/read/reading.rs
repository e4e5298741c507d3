//! A read-only view of a journal, for `ls`, `show` and `export`: its jobs in the order of their list, and the
//! records of their attempts. It takes no lock and changes nothing, so the run may go on meanwhile.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use procpool_core::{Key, Source};

use crate::files::file::JournalFile;
use crate::files::folder::{Folder, Purpose, WriterFiles};
use crate::files::live::{self, LiveOutput};
use crate::files::started_attempts::{StartedAttempt, StartedAttempts};
use crate::format::brief::identity_of;
use crate::format::entry::Entry;
use crate::format::identity::Hash;
use crate::format::line;
use crate::format::list::{self, JobLine, Line};
use crate::format::record::Run;
use crate::read::list_reader::{ListLines, ListReader};
use crate::read::outcomes::{IndexedJob, Outcomes, Place};
use crate::read::window::Window;

/// What was read when the journal was opened, and the open files from which the rest is read on demand.
pub struct Reading {
    folder: Folder,
    pub(crate) run: Run,
    pub outcomes: Outcomes,
    pub records: Records,
    holding: StartedAttempts,
    /// The names of the slices that have not recorded their end, by their writer's index.
    slices: HashMap<usize, String>,
    /// Remarks about the files, for the user.
    pub remarks: Vec<String>,
}

/// A job of the list.
pub struct ListedJob {
    /// Its position in the list, from 1.
    pub position: u64,
    pub line: JobLine,
    pub noted: Option<IndexedJob>,
    pub stands: Stands,
}

/// The progress of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    /// It has not been started.
    NotRun,
    Running,
    /// It was started, and its run ended without recording an outcome.
    Interrupted,
    Ended,
}

/// Whether the list has all jobs of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListEnd {
    Whole,
    /// The input may have more jobs.
    Open,
}

/// The next line of a list.
pub(crate) enum NextLine {
    Job(Box<ListedJob>),
    End(ListEnd),
}

/// The records of all writers.
pub struct Records(Vec<Writer>);

/// The files of one writer.
struct Writer {
    window: Window,
    outputs: JournalFile,
    /// The node on which its slice ran. Older versions of procpool don't name it in each record.
    node: Option<String>,
}

/// The record of an attempt, and the file of its long outputs.
pub struct Recorded {
    pub entry: Entry,
    pub(crate) outputs: JournalFile,
}

/// How often to try to read a journal whose run is alive: the part that can't be read may be in the middle of
/// a write.
const TRIES: u32 = 3;

fn nothing_recorded() -> &'static str {
    "no run is recorded there; `procpool run --journal DIR …` records one"
}

impl Reading {
    /// # Errors
    /// If there is no journal, or it can't be read.
    pub fn open(directory: &Path) -> anyhow::Result<Reading> {
        let shown = || format!("{directory:?}");
        let folder = Folder::open(directory, Purpose::Read).with_context(shown)?;
        let folder = folder.with_context(nothing_recorded).with_context(shown)?;
        let mut tries = 1;
        loop {
            // Read before the records: in the other order, an attempt that ends in between would be in
            // neither of them.
            let holding = StartedAttempts::look(&folder);
            let is_alive = holding.is_alive;
            match Reading::read(folder.clone(), holding) {
                Err(_) if is_alive && tries < TRIES => tries += 1,
                result => return result.with_context(shown),
            }
        }
    }

    fn read(folder: Folder, mut holding: StartedAttempts) -> anyhow::Result<Reading> {
        let writers = folder.writers().context("can't read the folder")?;
        let mut outcomes = Outcomes::read(&writers)?;
        let Some(run) = outcomes.run.take() else { bail!(nothing_recorded()) };
        let mut slices = HashMap::new();
        if outcomes.round.is_some() {
            for name in folder.other_writers().context("can't read the folder")? {
                let files = folder.files_of(&name);
                // A slice that was created after `writers` was read has none of the records that were read.
                let writer = writers.iter().position(|writer| *writer == files);
                if let Some(writer) = writer.filter(|_| !outcomes.over.contains(&files.journal.path())) {
                    holding.add_slice(&folder.running_of(&name), writer);
                    slices.insert(writer, name);
                }
            }
        }
        let mut remarks: Vec<String> =
            holding.elsewhere.iter().map(|holder| format!("held by {holder}")).collect();
        for (files, length) in writers.iter().zip(&outcomes.lengths) {
            if length.torn > 0 && !holding.is_alive {
                remarks.push(format!(
                    "{:?}: its last {} bytes were torn off while they were written; they are left out",
                    files.journal, length.torn
                ));
            }
        }
        let records = Records::open(&writers, &outcomes.nodes)?;
        let reading = Reading { folder, run, outcomes, records, holding, slices, remarks };
        drop(reading.list()?);
        Ok(reading)
    }

    /// Calls `take` for each job of the list, in order.
    ///
    /// # Errors
    /// If the list can't be read, and those of `take`.
    pub fn each<E: From<anyhow::Error>>(
        &mut self,
        mut take: impl FnMut(&mut Reading, ListedJob) -> Result<(), E>,
    ) -> Result<ListEnd, E> {
        let mut lines = self.list()?;
        let mut position = 0;
        loop {
            match self.next_job(&mut lines, position)? {
                NextLine::Job(listed) => take(self, *listed)?,
                NextLine::End(end) => return Ok(end),
            }
            position += 1;
        }
    }

    /// The next job of the list, where `position` is the number of jobs before it.
    ///
    /// # Errors
    /// If the list can't be read.
    pub(crate) fn next_job(&mut self, lines: &mut ListLines, position: u64) -> anyhow::Result<NextLine> {
        let end = match lines.next()?.map(list::parse) {
            Some(Some(Line::Job(line))) => {
                return Ok(NextLine::Job(Box::new(self.listed(*line, position + 1)?)));
            }
            Some(Some(Line::End { .. })) => ListEnd::Whole,
            // A list that is still being written has no end yet.
            None if self.holding.is_alive => ListEnd::Whole,
            None => ListEnd::Open,
            Some(None) => {
                let list = self.folder.list(self.run.list);
                bail!("{list:?}: line {} can't be understood", position + 1)
            }
        };
        Ok(NextLine::End(end))
    }

    /// Whether any of its jobs ran in slices, on a cluster.
    #[must_use]
    pub fn has_slices(&self) -> bool {
        !self.outcomes.nodes.is_empty()
    }

    /// What a running job has written to an output so far. `None` if it isn't running, or there is no file of
    /// its live output.
    #[must_use]
    pub fn live(&self, job: &ListedJob, source: Source) -> Option<LiveOutput> {
        let begun = self.holding.attempt(job.position).filter(|_| job.stands == Stands::Running)?;
        let writer = self.slices.get(&begun.writer)?;
        live::read(&live::file(&self.folder, writer, (job.position, begun.attempt), source))
    }

    /// The node of a running or interrupted attempt, which has no record that names it. `None` if it didn't
    /// run in a slice.
    #[must_use]
    pub fn node_of_begun(&self, job: &ListedJob) -> Option<String> {
        let begun = self.holding.attempt(job.position)?;
        self.outcomes.nodes.get(&begun.writer).cloned()
    }

    /// Remarks about the list, for the user, once all its jobs were taken.
    #[must_use]
    pub fn remarks_at(&self, end: ListEnd) -> Vec<String> {
        let open = (end == ListEnd::Open)
            .then(|| "the list of jobs was not written to its end, so there may be more".to_owned());
        let unlisted = match self.outcomes.unlisted_jobs() {
            0 => None,
            1 => Some("1 more job is recorded that is no longer on the list".to_owned()),
            jobs => Some(format!("{jobs} more jobs are recorded that are no longer on the list")),
        };
        open.into_iter().chain(unlisted).collect()
    }

    /// The job of the list with this key.
    ///
    /// # Errors
    /// If the list can't be read.
    pub fn find(&mut self, key: &Key) -> anyhow::Result<Option<ListedJob>> {
        let wanted = Hash::of_key(key);
        let mut reader = self.list()?;
        let mut position = 0;
        while let Some(body) = reader.next()? {
            position += 1;
            let is_wanted = identity_of(body).is_some_and(|identity| identity.job == wanted);
            if let (true, Some(Line::Job(line))) = (is_wanted, list::parse(body)) {
                return self.listed(*line, position).map(Some);
            }
        }
        Ok(None)
    }

    /// The working directory of commands that don't name one.
    #[must_use]
    pub fn directory(&self) -> PathBuf {
        OsStr::from_bytes(&self.run.directory.0).into()
    }

    pub(crate) fn list(&self) -> anyhow::Result<ListLines> {
        ListReader::open(&self.folder, self.run.list).map(ListReader::lines)
    }

    fn listed(&mut self, line: JobLine, position: u64) -> anyhow::Result<ListedJob> {
        let identity =
            line.identity().with_context(|| format!("job {position} of the list has no identity"))?;
        let noted = self.outcomes.take_listed(identity.job);
        let stands = self.stands(noted.as_ref(), position);
        Ok(ListedJob { position, line, noted, stands })
    }

    fn stands(&self, noted: Option<&IndexedJob>, position: u64) -> Stands {
        let oldest = self.outcomes.round.unwrap_or(self.run.generation);
        let is_unrecorded = |begun: &StartedAttempt| {
            begun.generation >= oldest
                && noted.is_none_or(|noted| noted.lacks(begun.generation, begun.attempt))
        };
        match (self.holding.attempt(position).filter(is_unrecorded), noted) {
            (Some(begun), _) if begun.goes_on => Stands::Running,
            (Some(_), _) => Stands::Interrupted,
            (None, Some(_)) => Stands::Ended,
            (None, None) => Stands::NotRun,
        }
    }

    /// Reads the record of the attempt whose outcome counts.
    ///
    /// # Errors
    /// If it can't be read any more.
    pub fn counting(&mut self, noted: &IndexedJob) -> anyhow::Result<Recorded> {
        self.records.read(self.outcomes.counting(noted))
    }

    /// The places of all attempts of a job, in the order of their records.
    #[must_use]
    pub fn attempts_of(&self, key: &Key) -> Vec<Place> {
        self.outcomes.of(key).map(|noted| self.outcomes.attempts(&noted)).unwrap_or_default()
    }
}

impl Recorded {
    /// Reads an output from its start.
    ///
    /// # Errors
    /// If it can't be opened.
    pub fn open(&self, source: Source) -> anyhow::Result<Box<dyn Read>> {
        self.entry.open(source, &self.outputs).with_context(|| self.place(source))
    }

    /// Describes where an output is, for error messages.
    #[must_use]
    pub fn place(&self, source: Source) -> String {
        let name = match source {
            Source::Stdout => "standard output",
            Source::Stderr => "standard error",
        };
        let Entry { attempt, generation, .. } = self.entry;
        let key = self.entry.key();
        match self.entry.offset(source) {
            Some(offset) => format!(
                "{name} of attempt {attempt} of run {generation} of \"{key}\", at byte {offset} of {:?}",
                self.outputs
            ),
            None => format!("{name} of attempt {attempt} of run {generation} of \"{key}\""),
        }
    }
}

impl Records {
    fn open(writers: &[WriterFiles], nodes: &HashMap<usize, String>) -> anyhow::Result<Records> {
        let open = |(place, files): (usize, &WriterFiles)| {
            let path = &files.journal;
            let file = path.open().with_context(|| format!("can't read {path:?}"))?;
            Ok(Writer {
                window: Window::new(file),
                outputs: files.outputs.clone(),
                node: nodes.get(&place).cloned(),
            })
        };
        writers.iter().enumerate().map(open).collect::<anyhow::Result<_>>().map(Records)
    }

    /// # Errors
    /// If it can't be read any more.
    pub fn read(&mut self, place: Place) -> anyhow::Result<Recorded> {
        let Writer { window, outputs, node } = &mut self.0[usize::from(place.writer)];
        let outputs = outputs.clone();
        let line = window.line(place.offset).context("can't read the journal")?;
        let entry = line::open(line)
            .and_then(Entry::parse)
            .with_context(|| format!("the journal's record at byte {} can't be understood", place.offset))?;
        let node = entry.node.or_else(|| node.clone());
        Ok(Recorded { entry: Entry { node, ..entry }, outputs })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::record::{Record, SliceBegin};
    use crate::testing::scripted;

    #[test]
    fn an_attempt_of_a_slice_that_did_not_say_its_node_was_on_its_host() {
        let temporary = tempfile::Builder::new().tempdir().unwrap();
        let (folder, _) = Folder::make(temporary.path()).unwrap();
        let files = folder.files_of("1-1-0000-1");
        let begin =
            r#"{"generation":1,"round":1,"slice":0,"instance":1,"pid":2,"host":"h","started":"then"}"#;
        let begin: SliceBegin = serde_json::from_str(begin).unwrap();
        let attempt = |says| {
            let text = serde_json::to_string(&scripted(&says)).unwrap();
            line::seal(text.replacen('{', "{\"record\":\"attempt\",", 1).as_bytes())
        };
        let job = "0".repeat(32);
        let (old, new) = (
            attempt(serde_json::json!({"job": job, "fingerprint": job})),
            attempt(serde_json::json!({"job": job, "fingerprint": job, "node": "n3"})),
        );
        let lines = [Record::header().line(), Record::Slice(begin).line(), old, new].concat();
        std::fs::write(files.journal.path(), lines).unwrap();
        let writers = [files];
        let outcomes = Outcomes::read(&writers).unwrap();
        let mut records = Records::open(&writers, &outcomes.nodes).unwrap();
        let nodes: Vec<_> = outcomes
            .unlisted()
            .into_iter()
            .map(|place| records.read(place).unwrap().entry.node.unwrap())
            .collect();
        assert_eq!(nodes, ["h", "n3"]);
    }
}
