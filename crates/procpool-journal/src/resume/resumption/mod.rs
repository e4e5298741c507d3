//! What a resume finds: how each job of the list stands, what is to be run, and what has yet to be printed.
//! Knows nothing of how either is done.

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

/// What was typed about it.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    pub resume: Resume,
    pub changed: Option<Changed>,
    /// Where slices of the last round are still at work: it is the same run that goes on.
    pub goes_on: Option<GoesOn>,
}

/// A run that goes on elsewhere. What has failed in it for good is left, and what slices try again themselves is theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GoesOn {
    /// Since when.
    pub generation: u32,
    /// How many further attempts a job has that doesn't say so itself.
    pub retries: u32,
}

/// What may be asked of a job of a list, which takes a while.
pub(crate) trait OnList {
    fn key(&self) -> Key;

    /// How many further attempts it has, if it says so itself.
    fn retries(&self) -> Option<u32>;
}

/// How a list stands.
#[derive(Debug, Default)]
pub struct ResumePlan {
    pub counts: Counts,
    pub to_run: Positions,
    /// Those to run that have failed in the last round of slices, each with the attempt.
    pub failed: Vec<(u64, u32)>,
    /// Those whose output is to be printed, though they are not run.
    pub to_print: HashMap<Hash, u64>,
    /// What has been printed, by the list as it is now.
    pub printed: PrintHistory,
    /// Those to run of which an earlier outcome has been printed, so that it isn't if the run ends before they do.
    pub(crate) printed_again: Positions,
    /// Those to run of which an earlier outcome has been printed in part, line by line.
    pub(crate) begun_again: Vec<PrintRow>,
    /// How much of the outputs of those has been printed line by line, by position.
    pub begun: HashMap<u64, OwnBytes>,
    /// Whose output was cut off while it was printed.
    pub cut_off: Option<CutOff>,
    /// How many bytes of the list are whole, and whether that is all of it.
    pub length: u64,
    pub is_whole: bool,
    /// Some of those that are known with another command.
    asked: Vec<(u64, Key)>,
    asked_more: u64,
}

/// A job whose output was cut off while it was printed. What was begun is finished before anything else is printed.
#[derive(Clone, Copy, Debug)]
pub struct CutOff {
    pub job: Hash,
    /// On the list as it is now; `GONE` where it isn't on it any more.
    pub position: u64,
    pub rest: RestIs,
    pub afterwards: Afterwards,
}

/// What becomes of a job whose output has been finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Afterwards {
    /// It has been printed.
    IsDone,
    /// It has been printed, until it has another outcome: it runs again.
    RunsAgain,
    /// It is on the list no more, or nobody knows whose output that was.
    IsNothing,
}

/// So many are named.
const NAMED: usize = 3;

/// Takes the jobs of a list one by one, in order.
pub struct ResumePlanner<'a> {
    past: &'a Past,
    wish: Wish,
    found: ResumePlan,
    seen: u64,
    position: u64,
    noted: Noted,
}

impl CutOff {
    /// Whether it is of this job, which runs again when all of its earlier outcome has been printed.
    fn is_finished_of(&self, position: u64) -> bool {
        self.position == position && self.afterwards == Afterwards::RunsAgain
    }
}

impl Wish {
    /// Whether a job has failed for good in the run that goes on.
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
    /// Takes over what has been printed of jobs that are to run, for whoever goes on if they never do: which those are.
    pub fn carry_over(&mut self) -> Positions {
        let mut again = mem::take(&mut self.printed_again);
        again.iter().for_each(|position| self.printed.add(position));
        // Noted as printed once it is finished.
        let finished = self.cut_off.iter().filter(|cut_off| cut_off.is_finished_of(cut_off.position));
        finished.for_each(|cut_off| again.add(cut_off.position));
        for row in self.begun_again.drain(..) {
            again.add(row.position);
            self.printed.add_row(row);
        }
        again
    }

    /// The same, where nobody could take it back before there is another outcome.
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

    /// The next job. It is asked only where that matters.
    pub(crate) fn take(&mut self, identity: &Identity, job: &dyn OnList) {
        let standing = self.past.jobs.get(&identity.job).copied();
        self.seen += u64::from(standing.is_some());
        self.judge(identity, standing.as_ref(), job);
    }

    /// The next job, as it stood on the last list.
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
                // What is finished is printed whole then.
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

    /// There are no more.
    ///
    /// # Errors
    /// Where the run can't begin without a word on jobs that have changed.
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

/// Reads a stored list again as it is, for a resume by the journal alone.
///
/// # Errors
/// Where it can't be read.
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

/// Writes a new list down, whole, before anything of it is run.
///
/// # Errors
/// Where it can't be written.
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
