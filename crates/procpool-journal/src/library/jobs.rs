//! The jobs of a journal in the order of the list, and the attempts of each in the order in which they were
//! recorded.

use std::cell::RefCell;
use std::vec;

use procpool_core::{Command, Key};

use crate::format::brief::OutcomeClass;
use crate::library::attempt::RecordedAttempt;
use crate::library::error::Error;
use crate::read::list_reader::ListLines;
use crate::read::outcomes::{IndexedJob, Place};
use crate::read::reading::{ListedJob, NextLine, Reading, Stands};

/// The jobs of a list, read one by one. Made by [`Journal::jobs`](crate::Journal::jobs). It ends after the
/// first error.
pub struct JournalJobs<'a> {
    reading: &'a RefCell<Reading>,
    /// `None` once the list is over.
    lines: Option<ListLines>,
    position: u64,
}

/// A job of the list.
pub struct JournalJob<'a> {
    reading: &'a RefCell<Reading>,
    listed: ListedJob,
}

/// The state of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobProgress {
    /// It was never started.
    NotRun,
    /// It is running, as far as is known.
    Running,
    /// It was started, and its run ended before its outcome was recorded.
    Interrupted,
    /// Its last attempt exited with 0, and its output is complete.
    Succeeded,
    /// Its last attempt failed.
    Failed,
    /// Its last attempt was ended with the run, or was lost on a cluster. A resume runs it again.
    Stopped,
}

/// The attempts of a job, read one by one, the oldest first. Made by [`JournalJob::attempts`].
pub struct Attempts<'a> {
    reading: &'a RefCell<Reading>,
    places: vec::IntoIter<Place>,
}

impl<'a> JournalJobs<'a> {
    pub(super) fn of(reading: &'a RefCell<Reading>) -> Result<JournalJobs<'a>, Error> {
        let lines = reading.borrow().list().map_err(Error::failed)?;
        Ok(JournalJobs { reading, lines: Some(lines), position: 0 })
    }
}

impl<'a> Iterator for JournalJobs<'a> {
    type Item = Result<JournalJob<'a>, Error>;

    fn next(&mut self) -> Option<Result<JournalJob<'a>, Error>> {
        let lines = self.lines.as_mut()?;
        match self.reading.borrow_mut().next_job(lines, self.position) {
            Ok(NextLine::Job(listed)) => {
                self.position += 1;
                Some(Ok(JournalJob::new(self.reading, *listed)))
            }
            Ok(NextLine::End(_)) => {
                self.lines = None;
                None
            }
            Err(error) => {
                self.lines = None;
                Some(Err(Error::failed(error)))
            }
        }
    }
}

impl<'a> JournalJob<'a> {
    pub(super) fn new(reading: &'a RefCell<Reading>, listed: ListedJob) -> JournalJob<'a> {
        JournalJob { reading, listed }
    }

    /// Its position in the list, from 1.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.listed.position
    }

    /// Its key, which no other job of the list has.
    #[must_use]
    pub fn key(&self) -> Key {
        self.listed.line.key()
    }

    /// Its command, without its standard input. `{%}` stands for the slot.
    #[must_use]
    pub fn command(&self) -> Command {
        self.listed.line.command(None)
    }

    /// Its state when the journal was opened.
    #[must_use]
    pub fn progress(&self) -> JobProgress {
        let outcome = self.listed.noted.as_ref().and_then(IndexedJob::came_of_it);
        match (self.listed.stands, outcome) {
            (Stands::Running, _) => JobProgress::Running,
            (Stands::Interrupted, _) => JobProgress::Interrupted,
            (Stands::NotRun, _) | (Stands::Ended, None) => JobProgress::NotRun,
            (Stands::Ended, Some(OutcomeClass::Succeeded)) => JobProgress::Succeeded,
            (Stands::Ended, Some(OutcomeClass::Failed)) => JobProgress::Failed,
            (Stands::Ended, Some(OutcomeClass::Stopped)) => JobProgress::Stopped,
        }
    }

    /// The attempt that counts: the last one of the last run in which it ran. `None` if no attempt has ended.
    ///
    /// # Errors
    /// If its record can't be read any more.
    pub fn last_attempt(&self) -> Result<Option<RecordedAttempt>, Error> {
        let Some(noted) = &self.listed.noted else { return Ok(None) };
        let recorded = self.reading.borrow_mut().counting(noted).map_err(Error::failed)?;
        Ok(Some(RecordedAttempt::new(recorded)))
    }

    /// All attempts that have ended, of all runs, the oldest first.
    #[must_use]
    pub fn attempts(&self) -> Attempts<'a> {
        let places = self.reading.borrow().attempts_of(&self.key());
        Attempts { reading: self.reading, places: places.into_iter() }
    }
}

impl Iterator for Attempts<'_> {
    type Item = Result<RecordedAttempt, Error>;

    fn next(&mut self) -> Option<Result<RecordedAttempt, Error>> {
        let place = self.places.next()?;
        let recorded = self.reading.borrow_mut().records.read(place);
        Some(recorded.map(RecordedAttempt::new).map_err(Error::failed))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.places.size_hint()
    }
}

impl ExactSizeIterator for Attempts<'_> {}
