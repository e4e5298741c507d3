//! Plans a resume: finds the state of each job of the list, which jobs run, and which outputs have yet to be
//! printed. Running and printing are done elsewhere.

use std::collections::HashMap;
use std::io;
use std::mem;

use anyhow::bail;
use procpool_core::{Job, Key};

use crate::files::folder::Folder;
use crate::format::codec::{JobCodec, Listable};
use crate::format::identity::{Hash, Identity};
use crate::format::list::Line;
use crate::format::positions::Positions;
use crate::format::record::sealed;
use crate::read::history::Past;
use crate::read::list_reader::{ListExtent, ListLine, ListReader};
use crate::read::standing::Standing;
use crate::resume::decision::{Changed, Class, Counts, Decision, Resume};
use crate::resume::last_list::{HalfPrinted, LastList, Noted, RestIs};
use crate::write::partial_output::GONE;
use crate::write::print_log::{PartialOutput, PrintHistory};
use crate::write::row_file::{OwnBytes, PrintRow};

/// What the options say about a resume.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    /// Which jobs run.
    pub resume: Resume,
    /// What to do about changed jobs, if the user has said so.
    pub changed: Option<Changed>,
    /// Set if slices of the last round are still running: then the same run continues.
    pub goes_on: Option<GoesOn>,
}

/// A run that continues elsewhere. Jobs that have failed in it for good are left as they are; jobs that
/// slices retry themselves are left to the slices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GoesOn {
    /// The generation in which it began.
    pub generation: u32,
    /// How many retries a job has that has no number of its own.
    pub retries: u32,
}

/// A job of a list. Both methods are slow, because they may parse its line.
pub(crate) trait OnList {
    fn key(&self) -> Key;

    /// Its own number of retries, if it has one.
    fn retries(&self) -> Option<u32>;
}

/// What a resume finds and is going to do.
#[derive(Debug, Default)]
pub struct ResumePlan {
    /// How many jobs are in each state.
    pub counts: Counts,
    /// The positions of the jobs to run.
    pub to_run: Positions,
    /// Jobs to run that have failed in the last round of slices: the position, and the number of the failed
    /// attempt.
    pub failed: Vec<(u64, u32)>,
    /// Jobs that are not run, but whose output is to be printed: the position by the hash of the key.
    pub to_print: HashMap<Hash, u64>,
    /// What has been printed, by positions in the list as it is now.
    pub printed: PrintHistory,
    /// Jobs to run of which an earlier outcome has been printed. It must not be printed again if this run
    /// ends before they do.
    pub(crate) printed_again: Positions,
    /// Jobs to run of which an earlier outcome has been printed in part, line by line.
    pub(crate) begun_again: Vec<PrintRow>,
    /// How many bytes of the outputs in `to_print` have been printed line by line, by position.
    pub begun: HashMap<u64, OwnBytes>,
    /// The job whose output was cut off while it was printed.
    pub cut_off: Option<CutOff>,
    /// How many bytes of the list are undamaged.
    pub length: u64,
    /// Whether the list is complete.
    pub is_whole: bool,
    /// The first few jobs that are recorded with another command, if the options don't say what to do about
    /// them.
    asked: Vec<(u64, Key)>,
    /// How many more of them there are.
    asked_more: u64,
}

/// A job whose output was cut off while it was printed. The rest is printed before anything else.
#[derive(Clone, Copy, Debug)]
pub struct CutOff {
    pub job: Hash,
    /// Its position in the list as it is now; `GONE` if it is no longer there.
    pub position: u64,
    pub rest: RestIs,
    pub afterwards: Afterwards,
}

/// The state of a job after the rest of its cut-off output has been printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Afterwards {
    /// It is printed.
    IsDone,
    /// It is printed until it has another outcome: it runs again.
    RunsAgain,
    /// Nothing is noted: it is no longer on the list, or nobody knows whose output that was.
    IsNothing,
}

/// How many changed jobs the error names.
const NAMED: usize = 3;

/// Takes the jobs of a list one by one, in order, and decides on each.
pub struct ResumePlanner<'a> {
    past: &'a Past,
    wish: Wish,
    found: ResumePlan,
    seen: u64,
    position: u64,
    noted: Noted,
}

impl CutOff {
    /// Whether this is the job at `position`, and it runs again after the rest of its earlier output has been
    /// printed.
    fn is_finished_of(&self, position: u64) -> bool {
        self.position == position && self.afterwards == Afterwards::RunsAgain
    }
}

impl Wish {
    /// Whether a job has failed for good in the run that continues.
    fn is_settled(&self, standing: &Standing, job: &dyn OnList) -> bool {
        self.goes_on.is_some_and(|goes_on| {
            standing.has_failed_since(goes_on.generation)
                && standing.attempt() > job.retries().unwrap_or(goes_on.retries)
        })
    }
}

impl<W> OnList for Job<W> {
    fn key(&self) -> Key {
        self.key.clone()
    }

    fn retries(&self) -> Option<u32> {
        self.retries
    }
}

impl OnList for ListLine<'_> {
    fn key(&self) -> Key {
        self.read().map_or_else(|| Key::from(""), |job| job.key())
    }

    fn retries(&self) -> Option<u32> {
        self.read()?.retries()
    }
}

impl ResumePlan {
    /// Marks jobs that run again as printed as far as they were, for the next resume in case this run ends
    /// before they do. Returns their positions.
    pub fn carry_over(&mut self) -> Positions {
        let mut again = mem::take(&mut self.printed_again);
        again.iter().for_each(|position| self.printed.add(position));
        // This one is marked as printed when its rest has been printed.
        let finished = self.cut_off.iter().filter(|cut_off| cut_off.is_finished_of(cut_off.position));
        finished.for_each(|cut_off| again.add(cut_off.position));
        for row in self.begun_again.drain(..) {
            again.add(row.position);
            self.printed.add_row(row);
        }
        again
    }

    /// Replaces [`carry_over`](ResumePlan::carry_over) if nobody could remove these marks before there is
    /// another outcome.
    pub fn carry_nothing_over(&mut self) {
        if let Some(cut_off) =
            self.cut_off.as_mut().filter(|cut_off| cut_off.is_finished_of(cut_off.position))
        {
            cut_off.afterwards = Afterwards::IsNothing;
        }
    }

    fn is_cut_off(&mut self, half: HalfPrinted, position: u64, afterwards: Afterwards) {
        self.printed.set_partial(PartialOutput { position, ..half.partial }, half.shape);
        self.printed.gone = (position == GONE).then_some(half.job);
        self.cut_off = Some(CutOff { job: half.job, position, rest: half.rest, afterwards });
    }
}

impl<'a> ResumePlanner<'a> {
    #[must_use]
    pub fn new(past: &'a Past, wish: Wish, noted: Noted) -> ResumePlanner<'a> {
        ResumePlanner {
            past,
            wish,
            found: ResumePlan::default(),
            seen: 0,
            position: 0,
            noted,
        }
    }

    /// Takes the next job of a new list. The methods of `job` are called only if needed.
    pub(crate) fn take(&mut self, identity: &Identity, job: &dyn OnList) {
        let standing = self.past.jobs.get(&identity.job).copied();
        self.seen += u64::from(standing.is_some());
        self.judge(identity, standing.as_ref(), job);
    }

    /// Takes the next job of the last run's list.
    fn take_again(&mut self, last: &mut LastList, identity: &Identity, job: &dyn OnList) {
        let known = self.past.jobs.get(&identity.job).copied();
        self.seen += u64::from(known.is_some());
        let mut standing = known.unwrap_or(Standing::listed());
        let position = self.position + 1;
        last.note(position, &mut standing);
        last.note_printing(position, identity.job, &standing, &mut self.noted);
        self.judge(identity, Some(&standing), job);
    }

    fn judge(&mut self, identity: &Identity, standing: Option<&Standing>, job: &dyn OnList) {
        self.position += 1;
        let class = Class::of(standing, identity);
        let is_settled = standing.is_some_and(|standing| self.wish.is_settled(standing, job));
        let resume = if is_settled { Resume::Unrun } else { self.wish.resume };
        let decision = class.decide(resume, self.wish.changed);
        if let Some(half) = self.noted.half_printed.take_if(|half| half.job == identity.job) {
            let is_recorded = half.rest == RestIs::Recorded
                && standing.is_some_and(|standing| standing.outcome.is_some() && standing.is_unprinted);
            let afterwards = match decision {
                Decision::Leave if is_recorded => Afterwards::IsDone,
                Decision::Run if is_recorded => Afterwards::RunsAgain,
                _ => Afterwards::IsNothing,
            };
            self.found.is_cut_off(half, self.position, afterwards);
        }
        let attempt = standing.map(Standing::attempt);
        let begun = self.noted.begun.get(&identity.job).filter(|row| Some(row.attempt) == attempt);
        let begun = begun.map(|row| PrintRow { position: self.position, ..*row });
        let found = &mut self.found;
        found.counts.note(class, decision, standing.map_or(0, |standing| standing.status));
        match decision {
            Decision::Run => {
                found.to_run.add(self.position);
                if standing.is_some_and(|standing| standing.outcome.is_some() && !standing.is_unprinted) {
                    found.printed_again.add(self.position);
                }
                // A job whose rest is printed first has then been printed completely, and needs no row.
                let is_finished =
                    found.cut_off.as_ref().is_some_and(|cut_off| cut_off.is_finished_of(self.position));
                found.begun_again.extend(begun.filter(|_| !is_finished));
                let round = self.past.round.as_ref().map(|last| last.round.generation);
                let is_of_round =
                    |standing: &&Standing| round.is_some_and(|first| standing.has_failed_since(first));
                let failed = standing.filter(is_of_round).map(|standing| (self.position, standing.attempt()));
                found.failed.extend(failed);
            }
            Decision::Leave if standing.is_some_and(|standing| standing.is_unprinted) => {
                found.to_print.insert(identity.job, self.position);
                if let Some(row) = begun {
                    found.begun.insert(self.position, row.own);
                    found.printed.add_row(row);
                }
            }
            Decision::Leave => found.printed.add(self.position),
            Decision::Ask if found.asked.len() < NAMED => found.asked.push((self.position, job.key())),
            Decision::Ask => found.asked_more += 1,
        }
    }

    /// Ends the list, of which `length` bytes are undamaged.
    ///
    /// # Errors
    /// If jobs have changed and the options don't say what to do about them.
    pub fn end(mut self, length: u64, is_whole: bool) -> anyhow::Result<ResumePlan> {
        self.found.counts.gone = (self.past.jobs.len() as u64).saturating_sub(self.seen);
        if let Some(half) = self.noted.half_printed.take() {
            self.found.is_cut_off(half, GONE, Afterwards::IsNothing);
        }
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

/// Plans a resume over the list that the last run has stored, without new input.
///
/// # Errors
/// If the list can't be read, or as [`ResumePlanner::end`].
pub fn reckon_stored(
    folder: &Folder,
    last: &mut LastList,
    mut reckoning: ResumePlanner<'_>,
) -> anyhow::Result<ResumePlan> {
    let reader = ListReader::open(folder, last.number)?;
    let ListExtent { length, is_whole } =
        reader.read(|listed| reckoning.take_again(last, &listed.identity, &listed))?;
    reckoning.end(length, is_whole)
}

/// Writes a new list completely, before any of its jobs is run. Returns its length in bytes.
///
/// # Errors
/// If a line can't be written.
pub fn write_list<W: Listable>(
    jobs: impl Iterator<Item = Job<W>>,
    file: &mut impl io::Write,
    codec: &JobCodec,
    reckoning: &mut ResumePlanner<'_>,
) -> io::Result<u64> {
    let mut length = 0;
    let mut put = |line: &[u8]| {
        length += line.len() as u64;
        file.write_all(line)
    };
    let mut count = 0;
    for job in jobs {
        count += 1;
        let (line, identity) = codec.line(&job, count)?;
        put(&line)?;
        reckoning.take(&identity, &job);
    }
    put(&sealed(&Line::End { jobs: count }))?;
    file.flush()?;
    Ok(length)
}

#[cfg(test)]
mod tests;
