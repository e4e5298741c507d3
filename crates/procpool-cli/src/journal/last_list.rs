//! The list of the last run: who stands on it, what of it ran when all came to an end, what of it has been printed.
//! Knows nothing of what is to be done now.

use std::collections::{HashMap, HashSet};

use anyhow::Context;

use crate::journal::folder::Folder;
use crate::journal::identity::Hash;
use crate::journal::list_reader::ListReader;
use crate::journal::past::{Past, Standing};
use crate::journal::printed::{Before, Partial};
use crate::journal::record::Run;
use crate::journal::running::{Entry, Holder};
use crate::journal::shaped::Shaped;

/// What there is to know of it beside what stands on it.
pub(crate) struct LastList {
    pub(crate) number: u32,
    printed: Before,
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
        Ok(LastList {
            number: run.list,
            printed: Before::read(&folder.printed(run.generation)).context("can't read what was printed")?,
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

    /// Whether the job that stands there was being printed.
    pub(crate) fn half_printed(&self, position: u64, job: Hash) -> Option<HalfPrinted> {
        let partial = self.printed.partial();
        let shape = || self.printed.shape().cloned();
        (partial.position == position).then(|| HalfPrinted { job, partial, shape: shape() })
    }

    /// Takes note of all who stand on it, and says who was being printed.
    ///
    /// # Errors
    /// Where it can't be read.
    pub(crate) fn note_all(
        &mut self,
        past: &mut Past,
        folder: &Folder,
    ) -> anyhow::Result<Option<HalfPrinted>> {
        let Some(reader) = ListReader::open(folder, self.number)? else { return Ok(None) };
        let mut half_printed = None;
        let mut position = 0;
        reader.read(|listed| {
            let job = listed.identity.job;
            position += 1;
            self.note(position, past.jobs.entry(job).or_insert(Standing::listed()));
            if half_printed.is_none() {
                half_printed = self.half_printed(position, job);
            }
        })?;
        Ok(half_printed)
    }
}
