//! The list of the last run: its jobs, which of them were running when everything ended, and what was printed
//! of them. What a resume does about them is decided in `resumption`.

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

/// What is known of the last run's list beside its lines.
pub struct LastList {
    /// The number of the list.
    pub number: u32,
    generation: u32,
    printed: PrintHistory,
    disk: Disk,
    /// The output that was being printed, according to `printed`.
    partial: PartialOutput,
    /// How far the lines of each job were printed, by position.
    rows: HashMap<u64, PrintRow>,
    /// The same for jobs whose outcome is of an earlier run.
    carried: HashMap<u64, PrintRow>,
    /// The generation and number of the attempt that ran last, as far as is known, by position.
    running: HashMap<u64, (u32, u32), BuildHasherDefault<AsItIs>>,
    /// The positions of jobs whose attempt that ran last has an outcome.
    ended: HashSet<u64>,
}

/// It is assumed that fewer records of runs than this are lost at once.
const MOST_LOST: u32 = 64;

/// An output that was being printed when the last run ended.
#[derive(Clone, Debug)]
pub(crate) struct HalfPrinted {
    pub(crate) job: Hash,
    pub(crate) partial: PartialOutput,
    /// The shape in which it was printed, if that is known.
    pub(crate) shape: Option<OutputShape>,
    pub(crate) rest: RestIs,
}

/// Where the rest of a partly printed output is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestIs {
    /// In the job's recorded outcome.
    Recorded,
    /// Nowhere: its attempt has no outcome, and the output of an earlier attempt is a different one.
    Lost,
}

/// What is known of partly printed outputs.
#[derive(Debug, Default)]
pub struct Noted {
    pub(crate) half_printed: Option<HalfPrinted>,
    /// How far the lines of each job were printed.
    pub(crate) begun: HashMap<Hash, PrintRow>,
}

/// Whether the files have everything that was written to them. When a machine goes down, it loses what it had
/// not yet written to the disk. It is assumed that nobody has changed the files.
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

/// The file that says what was printed of a run. A power cut may lose the record of a later run and leave the
/// files that it created. The file of such a run will do, if it had the same list.
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
    /// Reads what was printed of the last run. `ran` is the table of the processes that it started.
    ///
    /// # Errors
    /// If what was printed can't be read.
    pub fn new(
        run: &Run,
        folder: &Folder,
        ran: Option<&(Holder, Vec<StartedProcess>)>,
    ) -> anyhow::Result<LastList> {
        let mut running: HashMap<_, _, _> = HashMap::default();
        for (holder, entry) in
            ran.into_iter().flat_map(|(holder, table)| table.iter().map(move |entry| (holder, entry)))
        {
            // A job has a second entry if its next attempt was given another slot.
            let last = running.entry(entry.seq).or_insert((holder.generation, 0));
            last.1 = entry.attempt.max(last.1);
        }
        let disk = Disk::since(run);
        let read =
            |place: JournalFile| PrintHistory::read(&place).with_context(|| format!("can't read {place:?}"));
        let printed = match (account(run, folder).and_then(read), disk) {
            // Everything that is recorded is then printed again.
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

    /// Adds to the state of a job that it is at this position: whether it is printed, and whether it was
    /// running.
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

    /// Those started processes whose job has no outcome for its last attempt, as far as jobs have been noted.
    #[must_use]
    pub fn without_outcome(&self, table: Vec<StartedProcess>) -> Vec<StartedProcess> {
        let is_last = |entry: &StartedProcess| {
            self.running.get(&entry.seq).is_some_and(|(_, last)| *last == entry.attempt)
        };
        table.into_iter().filter(|entry| !self.ended.contains(&entry.seq) && is_last(entry)).collect()
    }

    /// Notes how far the outputs of the job at this position were printed, if they were printed in part.
    pub(crate) fn note_printing(&self, position: u64, job: Hash, standing: &Standing, noted: &mut Noted) {
        let (row, carried) = (self.rows.get(&position), self.carried.get(&position));
        // If the job is marked as printed, the partial output is out of date.
        let is_cut_off = self.partial.position == position && !self.printed.has(position);
        // This is the case for nearly all jobs, of which there may be millions.
        if !is_cut_off && row.is_none() && carried.is_none() {
            return;
        }
        // Before there is an outcome, only lines are printed, and a job whose lines are printed has a row.
        let rest = if standing.was_running && row.is_some() { RestIs::Lost } else { RestIs::Recorded };
        if is_cut_off && noted.half_printed.is_none() {
            let shape = self.printed.shape().cloned();
            noted.half_printed = Some(HalfPrinted { job, partial: self.partial, shape, rest });
        }
        // A carried row is still valid if it is there: it is freed before another outcome is recorded.
        if let Some(row) = row.filter(|_| rest == RestIs::Recorded).or(carried) {
            noted.begun.insert(job, *row);
        }
    }

    /// What is known before any job is noted: whether the output that was being printed is of a job that is
    /// no longer on the list.
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

    /// Notes all jobs of the list, and returns what is known of partly printed outputs.
    ///
    /// # Errors
    /// If the list can't be read, or so much of it is missing that nobody knows what has been printed.
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

    /// Notes the jobs of a list of which only this many lines are left. The records of the last run say at
    /// which positions its jobs were. All other jobs had been printed before that run if enough further
    /// positions are marked as printed.
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
