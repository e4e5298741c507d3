//! The list of the last run: who stands on it, what of it ran when all came to an end, what of it has been printed.
//! Knows nothing of what is to be done now.

use std::collections::{HashMap, HashSet};

use anyhow::Context;

use crate::journal::folder::Folder;
use crate::journal::identity::Hash;
use crate::journal::list_reader::ListReader;
use crate::journal::past::Past;
use crate::journal::printed::{Before, Partial};
use crate::journal::record::Run;
use crate::journal::rows::Row;
use crate::journal::running::{Entry, Holder};
use crate::journal::shaped::Shaped;
use crate::journal::standing::Standing;

/// What there is to know of it beside what stands on it.
pub(crate) struct LastList {
    pub(crate) number: u32,
    printed: Before,
    /// How far the lines of jobs were printed, by position.
    rows: HashMap<u64, Row>,
    /// By position: the generation and the attempt that ran last, as far as is known.
    running: HashMap<u64, (u32, u32)>,
    /// The positions of those whose attempt that ran last has an outcome.
    ended: HashSet<u64>,
}

/// What was being printed when all came to an end.
#[derive(Clone, Debug)]
pub(crate) struct HalfPrinted {
    pub(crate) job: Hash,
    pub(crate) partial: Partial,
    /// In which shape, where that is known.
    pub(crate) shape: Option<Shaped>,
}

/// What is known of what was being printed.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    pub(crate) half_printed: Option<HalfPrinted>,
    /// How far lines were printed, by job.
    pub(crate) begun: HashMap<Hash, Row>,
}

impl LastList {
    /// # Errors
    /// Where what was printed can't be read.
    pub(crate) fn new(
        run: &Run,
        folder: &Folder,
        ran: Option<&(Holder, Vec<Entry>)>,
    ) -> anyhow::Result<LastList> {
        let mut running = HashMap::new();
        for (holder, entry) in
            ran.into_iter().flat_map(|(holder, table)| table.iter().map(move |entry| (holder, entry)))
        {
            // The next attempt may have been given another slot.
            let last = running.entry(entry.seq).or_insert((holder.generation, 0));
            last.1 = entry.attempt.max(last.1);
        }
        let printed = folder.printed(run.generation);
        let printed = Before::read(&printed).with_context(|| format!("can't read {printed:?}"))?;
        Ok(LastList {
            number: run.list,
            rows: printed.rows().iter().map(|row| (row.position, *row)).collect(),
            printed,
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
    pub(crate) fn without_outcome(&self, table: Vec<Entry>) -> Vec<Entry> {
        let is_last =
            |entry: &Entry| self.running.get(&entry.seq).is_some_and(|(_, last)| *last == entry.attempt);
        table.into_iter().filter(|entry| !self.ended.contains(&entry.seq) && is_last(entry)).collect()
    }

    /// Takes note of how far the outputs were printed of the job that stands there, if they were and not to their end.
    pub(crate) fn note_printing(&self, position: u64, job: Hash, noted: &mut Noted) {
        let partial = self.printed.partial();
        // Where all of it was, what was noted of it meanwhile says nothing any more.
        let is_cut_off = partial.position == position && !self.printed.has(position);
        if is_cut_off && noted.half_printed.is_none() {
            let shape = self.printed.shape().cloned();
            noted.half_printed = Some(HalfPrinted { job, partial, shape });
        }
        if let Some(row) = self.rows.get(&position) {
            noted.begun.insert(job, *row);
        }
    }

    /// Takes note of all who stand on it, and says what was being printed.
    ///
    /// # Errors
    /// Where it can't be read.
    pub(crate) fn note_all(&mut self, past: &mut Past, folder: &Folder) -> anyhow::Result<Noted> {
        let mut noted = Noted::default();
        let Some(reader) = ListReader::open(folder, self.number)? else { return Ok(noted) };
        let mut position = 0;
        reader.read(|listed| {
            let job = listed.identity.job;
            position += 1;
            self.note(position, past.jobs.entry(job).or_insert(Standing::listed()));
            self.note_printing(position, job, &mut noted);
        })?;
        Ok(noted)
    }
}
