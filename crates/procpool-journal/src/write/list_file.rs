//! The list of jobs while its run goes on: written as fast as the input comes, and read back when the run
//! wants jobs. So the whole list is on record however long the run takes, and memory use stays flat.

use std::fs::File;
use std::io;
use std::mem;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;
use procpool_core::Job;

use crate::files::file::JournalFile;
use crate::files::written_file::WrittenFile;
use crate::format::codec::{JobCodec, Listable, Stored};
use crate::format::list::{Line, job_of_line};
use crate::format::record::sealed;
use crate::os::threads;
use crate::write::journal_writer::Durability;

/// The file of a list, being written or complete.
pub struct ListFile {
    pub(super) watched: WrittenFile,
    pub(super) file: File,
    pub(super) codec: JobCodec,
    durability: Durability,
    state: Mutex<ListState>,
    changed: Condvar,
}

#[derive(Default)]
struct ListState {
    /// Lines that are not in the file yet.
    unwritten: Vec<u8>,
    /// How much of the file is written, and how much of that has been read back.
    written: u64,
    read: u64,
    /// How much of the file the disk has, with [`Durability::PowerCut`].
    safe: u64,
    end: ListProgress,
    /// A thread waits for the next line.
    is_wanted: bool,
    /// How many jobs there are.
    jobs: u64,
    /// It isn't read back any more: the run is over.
    is_over: bool,
}

impl ListState {
    fn ahead(&self) -> u64 {
        (self.written + self.unwritten.len() as u64).saturating_sub(self.read)
    }
}

/// Whether the list is complete.
#[derive(Default)]
enum ListProgress {
    /// Jobs may follow.
    #[default]
    Open,
    /// It has all jobs.
    Whole,
    /// It ends early: the input was bad, or the list could not be written.
    Cut(Option<io::Error>),
}

pub(super) const UNREADABLE: &str = "the journal's list of jobs can't be read";

/// How much is collected before it is written, unless a thread waits for it.
pub(super) const PIECE: usize = 64 * 1024;

/// The input is read at most this far ahead: an endless one must not fill the disk.
const AHEAD: u64 = 256 * 1024 * 1024;

impl ListFile {
    /// Opens a list that was written by an earlier run, up to this length.
    ///
    /// # Errors
    /// If it can't be opened.
    pub fn over(
        place: JournalFile,
        codec: JobCodec,
        length: u64,
        durability: Durability,
    ) -> io::Result<Arc<ListFile>> {
        let file = place.open()?;
        let listing = ListFile::new(WrittenFile::new(place, &file)?, file, codec, durability);
        listing.lock().written = length;
        listing.lock().end = ListProgress::Whole;
        Ok(Arc::new(listing))
    }

    /// Creates the file of a new list.
    ///
    /// # Errors
    /// If it can't be created.
    pub fn begin(place: JournalFile, codec: JobCodec, durability: Durability) -> io::Result<ListFile> {
        let file = place.make_anew()?;
        Ok(ListFile::new(WrittenFile::new(place, &file)?, file, codec, durability))
    }

    fn new(watched: WrittenFile, file: File, codec: JobCodec, durability: Durability) -> ListFile {
        ListFile {
            watched,
            file,
            codec,
            durability,
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Writes the jobs on a thread of its own, as fast as they come.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn write_in_background<W: Listable>(
        self: &Arc<ListFile>,
        jobs: impl Iterator<Item = Job<W>> + Send + 'static,
        is_faulty: impl Fn() -> bool + Send + 'static,
    ) -> io::Result<()> {
        let listing = Arc::clone(self);
        let work =
            move || {
                let result = listing.take_all(jobs);
                listing.end(result.and_then(|()| {
                    if is_faulty() { Ok(ListProgress::Cut(None)) } else { listing.write_end() }
                }));
            };
        threads::start("procpool-list", work)?;
        Ok(())
    }

    fn take_all<W: Listable>(&self, jobs: impl Iterator<Item = Job<W>>) -> io::Result<()> {
        for job in jobs {
            self.add(&job)?;
            let mut state = self.lock();
            while state.ahead() + self.codec.inputs.ahead() > AHEAD && !state.is_over {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
        Ok(())
    }

    /// Writes one more job.
    fn add<W: Listable>(&self, job: &Job<W>) -> io::Result<()> {
        let position = self.lock().jobs + 1;
        let (line, _) = self.codec.line(job, position)?;
        let mut state = self.lock();
        state.jobs = position;
        state.unwritten.extend_from_slice(&line);
        if state.unwritten.len() >= PIECE {
            self.write(&mut state)?;
        }
        if mem::take(&mut state.is_wanted) {
            self.changed.notify_all();
        }
        Ok(())
    }

    fn write_end(&self) -> io::Result<ListProgress> {
        let mut state = self.lock();
        let end = sealed(&Line::End { jobs: state.jobs });
        state.unwritten.extend_from_slice(&end);
        self.write(&mut state)?;
        Ok(ListProgress::Whole)
    }

    fn end(&self, ending: io::Result<ListProgress>) {
        let mut state = self.lock();
        // Jobs before the bad input are still run.
        let written = self.write(&mut state);
        state.end = ending
            .and_then(|ending| written.map(|()| ending))
            .unwrap_or_else(|error| ListProgress::Cut(Some(error)));
        self.changed.notify_all();
    }

    fn write(&self, state: &mut ListState) -> io::Result<()> {
        self.file.write_all_at(&state.unwritten, state.written)?;
        state.written += state.unwritten.len() as u64;
        state.unwritten.clear();
        Ok(())
    }

    /// Waits until the list is complete, as long as it grows; a slow input is not waited for.
    pub fn settle(&self) {
        const MOMENT: Duration = Duration::from_millis(100);
        let mut state = self.lock();
        state.is_over = true;
        self.changed.notify_all();
        while matches!(state.end, ListProgress::Open) {
            let jobs = state.jobs;
            let waited = self
                .changed
                .wait_timeout_while(state, MOMENT, |state| matches!(state.end, ListProgress::Open));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            if state.jobs == jobs {
                // Keeps what was read so far.
                let _ = self.write(&mut state);
                return;
            }
        }
    }

    /// Lifts the limit on how far the list is written ahead, and returns whether it is complete. For a caller
    /// that reads it back only after all of it was written.
    pub fn finish_reading(&self) -> bool {
        let mut state = self.lock();
        state.is_over = true;
        self.changed.notify_all();
        !matches!(state.end, ListProgress::Open)
    }

    /// Reads the job at this position, whose line has these bytes.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn job_at(&self, position: u64, bytes: std::ops::Range<u64>) -> anyhow::Result<Job<Stored>> {
        let length = usize::try_from(bytes.end - bytes.start).context(UNREADABLE)?;
        let mut text = vec![0; length];
        let read = self.watched.wait_out(|| self.file.read_exact_at(&mut text, bytes.start));
        read.context(UNREADABLE)?;
        let job = job_of_line(&text).context(UNREADABLE)?;
        Ok(self.codec.job(job).context(UNREADABLE)?.position(position))
    }

    /// Checks that the file is still at its place, with all that was written.
    ///
    /// # Errors
    /// If it isn't.
    pub fn check_place(&self) -> io::Result<()> {
        let written = self.lock().written;
        self.watched.check_least_length(written)
    }

    /// The working directory of procpool when the list was written.
    pub fn written_in(&self) -> &Path {
        &self.codec.here
    }

    /// Takes the error with which writing the list failed, if it did.
    pub fn take_failure(&self) -> Option<io::Error> {
        match &mut self.lock().end {
            ListProgress::Cut(error) => error.take(),
            ListProgress::Open | ListProgress::Whole => None,
        }
    }

    /// Waits for lines behind this offset; returns how far the file is written then, or `None` if the list
    /// ends here.
    pub(super) fn next_piece(&self, from: u64) -> io::Result<Option<u64>> {
        let mut state = self.lock();
        state.read = state.read.max(from);
        self.changed.notify_all();
        loop {
            if state.written > from {
                self.make_safe(&mut state)?;
                return Ok(Some(state.written));
            }
            if !state.unwritten.is_empty() {
                self.write(&mut state)?;
                continue;
            }
            if !matches!(state.end, ListProgress::Open) {
                return Ok(None);
            }
            state.is_wanted = true;
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// With [`Durability::PowerCut`], a job must not run before its line is on disk.
    fn make_safe(&self, state: &mut ListState) -> io::Result<()> {
        if self.durability == Durability::PowerCut && state.safe < state.written {
            self.codec.inputs.make_safe()?;
            self.file.sync_data()?;
            state.safe = state.written;
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, ListState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
