//! Outputs that an earlier run has recorded and not printed, or not completely.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::io::{self, Read};
use std::sync::Arc;

use anyhow::Context;
use procpool_core::{Completion, Job, Key, Outcome, Source, Spool};

use crate::job::work::{self, Work};
use crate::run::sink::Trouble;
use procpool_journal::files::file::JournalFile;
use procpool_journal::files::folder::{Folder, WriterFiles};
use procpool_journal::format::entry::Entry;
use procpool_journal::format::identity::Hash;
use procpool_journal::format::positions::Positions;
use procpool_journal::read::places::{RecordPlace, find_outcomes};
use procpool_journal::resume::last_list::RestIs;
use procpool_journal::resume::resumption::CutOff;
use procpool_journal::write::list_file::ListFile;
use procpool_journal::write::output_shape::OutputShape;
use procpool_journal::write::print_log::PartialOutput;
use procpool_journal::write::row_file::OwnBytes;
use procpool_journal::write::stored_jobs::StoredJobs;

/// The outputs to print, by position.
pub(crate) struct Replay {
    writers: Vec<WriterFiles>,
    jobs: BTreeMap<u64, PendingReplay>,
    /// How much of the outputs has been printed line by line, by position.
    begun: HashMap<u64, OwnBytes>,
    cut: Option<Cut>,
    /// The record of the output that was cut off, if its job is not among those to print.
    others: Option<RecordPlace>,
    damage: Damage,
}

/// An output whose printing was cut off: whose it is, how far it was printed, and in which shape, if that is
/// known.
pub(crate) struct Cut {
    pub(crate) whose: CutOff,
    pub(crate) partial: PartialOutput,
    pub(crate) shape: Option<OutputShape>,
}

/// What is done about such an output.
pub(crate) enum PartlyPrinted {
    /// The rest is printed.
    Rest(Box<RecordedRest>),
    /// The rest is lost: the job was running, and runs again.
    Torn(PartialOutput),
}

pub(crate) struct RecordedRest {
    pub(crate) recorded: RecordedOutput,
    pub(crate) cut: Cut,
}

/// Outputs that can't be printed, because they differ from what was recorded.
#[derive(Default)]
struct Damage {
    /// The key of the first such job, and what is wrong with its output.
    first: Option<(Key, io::Error)>,
    others: u64,
}

struct PendingReplay {
    job: Job<Work>,
    place: RecordPlace,
}

/// The recorded outputs of a job.
pub(crate) struct RecordedOutput {
    pub(crate) position: u64,
    pub(crate) key: Key,
    pub(crate) values: Vec<OsString>,
    pub(crate) slot: usize,
    /// What comes before these positions has been printed.
    pub(crate) from: OwnBytes,
    entry: Entry,
    outputs: JournalFile,
}

impl Replay {
    /// `None` if nothing is left to print. Each output is read completely first: a damaged one must be found
    /// before half of it is printed, and must not keep the others from being printed.
    ///
    /// # Errors
    /// If the journal can't be read.
    pub(crate) fn of(
        folder: &Folder,
        listing: &Arc<ListFile>,
        wanted: &HashMap<Hash, u64>,
        begun: HashMap<u64, OwnBytes>,
        cut: Option<Cut>,
    ) -> io::Result<Option<Replay>> {
        let writers = folder.writers()?;
        let places = find_outcomes(&writers, wanted)?;
        let others = cut.as_ref().and_then(|cut| other_place(&cut.whose, &writers, wanted).transpose());
        let others = others.transpose()?;
        let mut positions = Positions::default();
        for position in wanted.values() {
            positions.add(*position);
        }
        let jobs = StoredJobs::new(Arc::clone(listing), Some(Arc::new(positions)), None);
        let mut damage = Damage::default();
        let waiting = jobs.filter_map(|job| {
            let place = *places.get(&job.work.identity.job)?;
            match read_through(&place, &writers) {
                Ok(()) => Some((job.position?, PendingReplay { job: work::stored(job), place })),
                Err(error) => {
                    damage.note(job.key, error);
                    None
                }
            }
        });
        let jobs: BTreeMap<u64, PendingReplay> = waiting.collect();
        let is_empty = jobs.is_empty() && cut.is_none() && damage.first.is_none();
        Ok((!is_empty).then_some(Replay { writers, jobs, begun, cut, others, damage }))
    }

    /// Takes the error about outputs that will not be printed, if there are any. It is returned once.
    pub(crate) fn damage(&mut self) -> Option<anyhow::Error> {
        let (key, error) = self.damage.first.take()?;
        let others = match self.damage.others {
            0 => String::new(),
            1 => " and 1 other".into(),
            count => format!(" and {count} others"),
        };
        Some(anyhow::Error::new(error).context(format!(
            "what the journal has of job \"{key}\"{others} can't be printed; --resume prints it once it is whole again"
        )))
    }

    /// The positions of the outputs, in order.
    pub(crate) fn positions(&self) -> Vec<u64> {
        self.jobs.keys().copied().collect()
    }

    /// Takes the output that was cut off, which has to be finished first.
    ///
    /// # Errors
    /// If it can't be read.
    pub(crate) fn take_begun(&mut self) -> io::Result<Option<PartlyPrinted>> {
        let Some(cut) = self.cut.take() else { return Ok(None) };
        let position = cut.whose.position;
        if cut.whose.rest == RestIs::Lost {
            return Ok(Some(PartlyPrinted::Torn(cut.partial)));
        }
        let recorded = match self.others.take() {
            None => self.take(position)?.map(|recorded| RecordedOutput { from: cut.partial.own, ..recorded }),
            Some(place) => {
                let (entry, outputs) = place.read(&self.writers)?;
                Some(RecordedOutput {
                    position,
                    key: entry.key(),
                    values: Vec::new(),
                    slot: entry.slot.unwrap_or(1),
                    entry,
                    outputs,
                    from: cut.partial.own,
                })
            }
        };
        Ok(Some(match recorded {
            Some(recorded) => PartlyPrinted::Rest(Box::new(RecordedRest { recorded, cut })),
            None => PartlyPrinted::Torn(cut.partial),
        }))
    }

    /// Takes the outputs recorded of the job at this position, if they are to be printed.
    ///
    /// # Errors
    /// If they can't be read.
    pub(crate) fn take(&mut self, position: u64) -> io::Result<Option<RecordedOutput>> {
        let Some(PendingReplay { job, place }) = self.jobs.remove(&position) else { return Ok(None) };
        let (key, values) = (job.key.clone(), job.work.values().to_vec());
        let (entry, outputs) = place.read(&self.writers)?;
        let slot = entry.slot.unwrap_or(1);
        let from = self.begun.get(&position).copied().unwrap_or_default();
        Ok(Some(RecordedOutput { position, key, values, slot, from, entry, outputs }))
    }

    /// The recorded outcomes as completions, for the other records, which may lack them. `keep` stores an
    /// output.
    ///
    /// # Errors
    /// If an output can't be read; the error names the job.
    pub(crate) fn completions(
        &self,
        keep: impl Fn(Box<dyn Read>) -> io::Result<Spool>,
    ) -> anyhow::Result<Vec<Completion<Work>>> {
        let completion = |waiting: &PendingReplay| {
            let (entry, outputs) = waiting.place.read(&self.writers)?;
            waiting.job.work.note_end(entry.ended());
            let mut outcome = entry.outcome();
            if let Outcome::Ran(ran) = &mut outcome {
                ran.stdout = keep(entry.open(Source::Stdout, &outputs)?)?;
                ran.stderr = keep(entry.open(Source::Stderr, &outputs)?)?;
            }
            let slot = entry.slot.unwrap_or(1);
            let recorded = Completion::recorded(waiting.job.clone(), slot, entry.attempt, outcome);
            Ok::<_, io::Error>(recorded.map(|completion| completion.on(entry.node())))
        };
        let of = |waiting: &PendingReplay| {
            let key = waiting.job.key.clone();
            completion(waiting)
                .with_context(|| format!("what the journal has of job \"{key}\" can't be read back"))
        };
        self.jobs.values().filter_map(|waiting| of(waiting).transpose()).collect()
    }
}

impl Damage {
    fn note(&mut self, key: Key, error: io::Error) {
        match self.first {
            None => self.first = Some((key, error)),
            Some(_) => self.others += 1,
        }
    }
}

/// Where the record of the output that was cut off is, if its job is not among those to print. The rest of a
/// damaged output is unknown. So is the rest of one that an older procpool printed: its label may need the
/// job's values.
fn other_place(
    cut_off: &CutOff,
    writers: &[WriterFiles],
    wanted: &HashMap<Hash, u64>,
) -> io::Result<Option<RecordPlace>> {
    if wanted.contains_key(&cut_off.job) {
        return Ok(None);
    }
    let found = find_outcomes(writers, &HashMap::from([(cut_off.job, cut_off.position)]))?;
    Ok(found.get(&cut_off.job).copied().filter(|place| read_through(place, writers).is_ok()))
}

/// # Errors
/// If one of the outputs differs from what was recorded.
fn read_through(place: &RecordPlace, writers: &[WriterFiles]) -> io::Result<()> {
    let (entry, outputs) = place.read(writers)?;
    for source in [Source::Stdout, Source::Stderr] {
        io::copy(&mut entry.open(source, &outputs)?, &mut io::sink())?;
    }
    Ok(())
}

impl RecordedOutput {
    /// Adds the name of the job to an error.
    pub(crate) fn name(&self, trouble: Trouble) -> Trouble {
        match trouble {
            Trouble::Failed(error) => Trouble::Failed(
                error.context(format!("what the journal has of job \"{}\" can't be printed", self.key)),
            ),
            Trouble::ReaderGone => Trouble::ReaderGone,
        }
    }

    /// Whether the job has written nothing to this output.
    pub(crate) fn is_empty(&self, source: Source) -> bool {
        self.entry.length(source) == 0
    }

    /// Reads the part of an output that has not been printed.
    ///
    /// # Errors
    /// If it can't be opened or read.
    pub(crate) fn open(&self, source: Source) -> io::Result<Box<dyn Read>> {
        let mut output = self.entry.open(source, &self.outputs)?;
        // The first part is read, not skipped: the checksum is that of the whole output.
        io::copy(&mut output.by_ref().take(self.from.of(source)), &mut io::sink())?;
        Ok(output)
    }
}
