//! The list of the last run: who stands on it, what of it ran when all came to an end, what of it has been printed.
//! Knows nothing of what is to be done now.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasherDefault;

use anyhow::{Context, bail};

use crate::files::file::JournalFile;
use crate::files::folder::Folder;
use crate::files::run_lock::{Holder, StartedProcess};
use crate::files::whereabouts::Whereabouts;
use crate::format::identity::Hash;
use crate::format::record::Run;
use crate::read::hashed::AsItIs;
use crate::read::history::Past;
use crate::read::list_reader::{ListReader, missing};
use crate::read::places::find_outcomes;
use crate::read::standing::Standing;
use crate::write::output_shape::OutputShape;
use crate::write::partial_output;
use crate::write::print_history::GONE;
use crate::write::print_log::{PartialOutput, PrintHistory};
use crate::write::row_file::{PrintRow, RowOrigin};

/// What there is to know of it beside what stands on it.
pub struct LastList {
    pub number: u32,
    generation: u32,
    printed: PrintHistory,
    disk: Disk,
    /// What was being printed, by that.
    partial: PartialOutput,
    /// How far the lines of jobs were printed, by position.
    rows: HashMap<u64, PrintRow>,
    /// Those of jobs whose outcome is of an earlier run.
    carried: HashMap<u64, PrintRow>,
    /// By position: the generation and the attempt that ran last, as far as is known.
    running: HashMap<u64, (u32, u32), BuildHasherDefault<AsItIs>>,
    /// The positions of those whose attempt that ran last has an outcome.
    ended: HashSet<u64>,
}

/// So many records of runs are not lost at once.
const MOST_LOST: u32 = 64;

/// What was being printed when all came to an end.
#[derive(Clone, Debug)]
pub(crate) struct HalfPrinted {
    pub(crate) job: Hash,
    pub(crate) partial: PartialOutput,
    /// In which shape, where that is known.
    pub(crate) shape: Option<OutputShape>,
    pub(crate) rest: RestIs,
}

/// Where the rest is of what was being printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestIs {
    /// With the job's outcome.
    Recorded,
    /// Nowhere: its attempt has no outcome, and what an earlier one has written is another output.
    Lost,
}

/// What is known of what was being printed.
#[derive(Debug, Default)]
pub struct Noted {
    pub(crate) half_printed: Option<HalfPrinted>,
    /// How far lines were printed, by job.
    pub(crate) begun: HashMap<Hash, PrintRow>,
}

/// Whether files are as they were left: what a system has not written yet is lost with it, and nobody has touched anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Disk {
    HasAll,
    MayLack,
}

impl Disk {
    fn since(run: &Run) -> Disk {
        if run.whereabouts.boot == Whereabouts::own().boot { Disk::HasAll } else { Disk::MayLack }
    }
}

/// Where it is noted what has been printed of a run. A power cut may take a run's record and leave what it has made: the account of
/// a later run is as good, where that had the same list.
fn account(run: &Run, folder: &Folder) -> anyhow::Result<JournalFile> {
    let own = folder.printed(run.generation);
    if own.stat_if_there()?.is_some() {
        return Ok(own);
    }
    for later in run.generation + 1..run.generation + MOST_LOST {
        if folder.list(later).stat_if_there()?.is_some() {
            break;
        }
        let printed = folder.printed(later);
        if printed.stat_if_there()?.is_some() {
            return Ok(printed);
        }
    }
    bail!("{own:?} {GONE}")
}

impl LastList {
    /// # Errors
    /// Where what was printed can't be read.
    pub fn new(
        run: &Run,
        folder: &Folder,
        ran: Option<&(Holder, Vec<StartedProcess>)>,
    ) -> anyhow::Result<LastList> {
        let mut running: HashMap<_, _, _> = HashMap::default();
        for (holder, entry) in
            ran.into_iter().flat_map(|(holder, table)| table.iter().map(move |entry| (holder, entry)))
        {
            // The next attempt may have been given another slot.
            let last = running.entry(entry.seq).or_insert((holder.generation, 0));
            last.1 = entry.attempt.max(last.1);
        }
        let disk = Disk::since(run);
        let read =
            |place: JournalFile| PrintHistory::read(&place).with_context(|| format!("can't read {place:?}"));
        let printed = match (account(run, folder).and_then(read), disk) {
            // Then all that is recorded is printed again.
            (Err(_), Disk::MayLack) => PrintHistory::default(),
            (printed, _) => printed?,
        };
        let rows_of = |age| {
            let rows = printed.rows().iter().filter(move |row| row.age == age);
            rows.map(|row| (row.position, *row)).collect()
        };
        Ok(LastList {
            number: run.list,
            generation: run.generation,
            rows: rows_of(RowOrigin::Own),
            carried: rows_of(RowOrigin::Carried),
            partial: printed.partial(),
            printed,
            disk,
            running,
            ended: HashSet::new(),
        })
    }

    /// Takes note, in what is known of a job, that it stands there.
    pub(crate) fn note(&mut self, position: u64, standing: &mut Standing) {
        standing.is_listed = true;
        standing.is_unprinted = !self.printed.has(position);
        if let Some((generation, attempt)) = self.running.get(&position) {
            if standing.lacks(*generation, *attempt) {
                standing.was_running = true;
            } else {
                self.ended.insert(position);
            }
        }
    }

    /// Of what was started, what has no outcome for all that is known by now.
    #[must_use]
    pub fn without_outcome(&self, table: Vec<StartedProcess>) -> Vec<StartedProcess> {
        let is_last = |entry: &StartedProcess| {
            self.running.get(&entry.seq).is_some_and(|(_, last)| *last == entry.attempt)
        };
        table.into_iter().filter(|entry| !self.ended.contains(&entry.seq) && is_last(entry)).collect()
    }

    /// Takes note of how far the outputs were printed of the job that stands there, if they were and not to their end.
    pub(crate) fn note_printing(&self, position: u64, job: Hash, standing: &Standing, noted: &mut Noted) {
        let (row, carried) = (self.rows.get(&position), self.carried.get(&position));
        // Where all of it was, what was noted of it meanwhile says nothing any more.
        let is_cut_off = self.partial.position == position && !self.printed.has(position);
        // That is so of nearly all, of which there may be millions.
        if !is_cut_off && row.is_none() && carried.is_none() {
            return;
        }
        // Only lines are printed before there is an outcome, and those have a row.
        let rest = if standing.was_running && row.is_some() { RestIs::Lost } else { RestIs::Recorded };
        if is_cut_off && noted.half_printed.is_none() {
            let shape = self.printed.shape().cloned();
            noted.half_printed = Some(HalfPrinted { job, partial: self.partial, shape, rest });
        }
        // A carried one is let go before there is another outcome.
        if let Some(row) = row.filter(|_| rest == RestIs::Recorded).or(carried) {
            noted.begun.insert(job, *row);
        }
    }

    /// What is known before anybody on it has been looked at: whether it was somebody's output who isn't there any more.
    #[must_use]
    pub fn begin_noting(&self) -> Noted {
        let gone = self.printed.gone.filter(|_| self.partial.position == partial_output::GONE);
        Noted {
            half_printed: gone.map(|job| HalfPrinted {
                job,
                partial: self.partial,
                shape: self.printed.shape().cloned(),
                rest: RestIs::Recorded,
            }),
            ..Noted::default()
        }
    }

    /// Takes note of all who stand on it, and says what was being printed.
    ///
    /// # Errors
    /// Where it can't be read, or so much of it is gone that nobody knows what has been printed.
    pub fn note_all(&mut self, past: &mut Past, folder: &Folder) -> anyhow::Result<Noted> {
        let mut noted = self.begin_noting();
        let mut position = 0;
        let mut is_whole = false;
        if let Some(reader) = ListReader::open_if_there(folder, self.number)? {
            let end = reader.read(|listed| {
                position += 1;
                let standing = past.jobs.entry(listed.identity.job).or_insert(Standing::listed());
                self.note_one(position, listed.identity.job, standing, &mut noted);
            })?;
            is_whole = end.is_whole;
        }
        if !is_whole {
            self.note_by_records(position, past, folder, &mut noted)?;
        }
        Ok(noted)
    }

    fn note_one(&mut self, position: u64, job: Hash, standing: &mut Standing, noted: &mut Noted) {
        self.note(position, standing);
        self.note_printing(position, job, standing, noted);
    }

    /// Who stood where on a list that has no more than so many lines now: their records tell of what the last run has run. Others
    /// had been printed before it if as many are noted as printed.
    fn note_by_records(
        &mut self,
        lines: u64,
        past: &mut Past,
        folder: &Folder,
        noted: &mut Noted,
    ) -> anyhow::Result<()> {
        let mut wanted = HashMap::new();
        let mut others = 0;
        for (job, standing) in past.jobs.iter().filter(|(_, standing)| !standing.is_listed) {
            if standing.is_of_generation(self.generation) {
                wanted.insert(*job, 0);
            } else {
                others += 1;
            }
        }
        let writers = folder.writers()?;
        let mut positions = HashSet::new();
        for (job, place) in find_outcomes(&writers, &wanted)? {
            let position = place.read(&writers)?.0.seq;
            positions.insert(position);
            let standing = past.jobs.entry(job).or_insert(Standing::listed());
            self.note_one(position, job, standing, noted);
        }
        let beyond = positions.into_iter().filter(|position| *position > lines);
        let known = (1..=lines).chain(beyond).filter(|position| self.printed.has(*position)).count() as u64;
        if self.disk == Disk::HasAll && self.printed.count() - known < others {
            bail!(
                "{} or shorter than it was, and without it nobody knows what has been printed; put it back as it was, or \
                 begin anew in another folder",
                missing(&folder.list(self.number))
            );
        }
        Ok(())
    }
}
