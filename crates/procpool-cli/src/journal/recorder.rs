//! Records each attempt on the thread that ran it, before anything else learns that it has ended. The slot is
//! not free until then, so there are never more jobs without a record than the limit. A slice differs: its
//! records wait (`held_records`), and its slots are free at once.

use std::collections::HashSet;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use procpool_core::{Completion, Context, Halt, HeldUp, Job, NotStarted, Outcome, Spool};

use crate::guard::LeakedProcess;
use crate::guard::signals::ShutdownFlag;
use crate::job::recording::Recording;
use crate::job::work::Work;
use crate::journal::held_records::{Batch, HEARING, HeldRecords};
use procpool_journal::files::folder::Folder;
use procpool_journal::files::run_lock::{RunLock, StartedProcess};
use procpool_journal::format::attempt::{Attempt, Kind, time};
use procpool_journal::format::brief::{self, Brief};
use procpool_journal::format::line;
use procpool_journal::format::positions::Positions;
use procpool_journal::format::record::{Circumstances, End, Output, Outputs, Record, attempt_line};
use procpool_journal::write::journal_writer::JournalWriter;
use procpool_journal::write::print_log::PrintLog;

/// What worker threads need of a journal.
pub(crate) struct Recorder {
    generation: u32,
    running: RunLock,
    writer: JournalWriter,
    /// A record could not be written: no more jobs are started.
    has_failed: AtomicBool,
    trouble: Mutex<Troubles>,
    printed_again: Option<PrintedAgain>,
    /// The cluster node on which this process runs.
    node: Option<String>,
    /// `None`: records are written at once.
    held: Option<HeldRecords>,
    /// The folder, if other machines share it: transient errors are waited out. `None`: every error is fatal.
    shared: Option<Folder>,
}

/// Jobs that run again although an earlier outcome of theirs was printed. They stay marked as printed until
/// they have another outcome.
pub(crate) struct PrintedAgain {
    pub(crate) printed: Arc<PrintLog>,
    pub(crate) positions: Positions,
}

#[derive(Default)]
struct Troubles {
    /// The first error.
    error: Option<io::Error>,
    /// Attempts that have ended without a record.
    unrecorded: HashSet<(u64, u32)>,
}

/// How often a start that waits for the folder checks whether it can be used.
const LOOK: Duration = Duration::from_millis(100);

/// How long a record waits. Attempts that timed out or were stopped don't wait: only procpool itself can have
/// ended them.
fn wait_of(outcome: &Outcome) -> Duration {
    match Kind::of(outcome) {
        Kind::Exited | Kind::Signalled => HEARING,
        Kind::TimedOut | Kind::Stopped | Kind::NotStarted | Kind::NeverReached | Kind::Lost => Duration::ZERO,
    }
}

impl Recorder {
    /// The recorder of a run that has begun in this generation. `running` holds the lock of the folder.
    pub(crate) fn new(generation: u32, running: RunLock, writer: JournalWriter) -> Recorder {
        Recorder {
            generation,
            running,
            writer,
            has_failed: AtomicBool::new(false),
            trouble: Mutex::default(),
            printed_again: None,
            node: None,
            held: None,
            shared: None,
        }
    }

    /// Adds this cluster node to each record.
    pub(crate) fn on(self, node: Option<&str>) -> Recorder {
        Recorder { node: node.map(ToOwned::to_owned), ..self }
    }

    /// Makes this the recorder of a slice: records wait in `held`, and starts wait while `folder` can't be
    /// used.
    pub(crate) fn of_slice(self, held: HeldRecords, folder: Folder) -> Recorder {
        Recorder { held: Some(held), shared: Some(folder), ..self }
    }

    /// Removes the mark as printed from each of these jobs just before its next outcome is recorded.
    pub(crate) fn over(self, again: PrintedAgain) -> Recorder {
        Recorder { printed_again: Some(again), ..self }
    }

    /// If records wait, writes those that are due, forever.
    pub(crate) fn write_what_waits(&self) {
        if let Some(held) = &self.held {
            held.write_by(|batch| self.write_batch(batch));
        }
    }

    fn write_batch(&self, batch: &Batch) {
        if let Err(error) = self.writer.append(&batch.lines) {
            self.fail(error);
            self.troubles().unrecorded.extend(&batch.numbers);
        }
    }

    /// Whether a record could not be written: no more jobs are started then.
    pub(crate) fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Acquire)
    }

    /// Blocks until no record waits.
    pub(crate) fn settle(&self) {
        self.held.iter().for_each(HeldRecords::settle);
    }

    /// Makes the record of an attempt. Longer outputs are written to their file first.
    fn line(&self, job: &Job<Work>, context: &Context, outcome: &Outcome) -> io::Result<Vec<u8>> {
        let Work::Stored(stored) = &job.work else { panic!("BUG: a job that is not on the list") };
        let kept = |output: Option<&Spool>| {
            output.map_or(Ok(Output::Empty), |output| self.writer.keep_output(output))
        };
        let ran = outcome.ran();
        let outputs = Outputs::new(kept(ran.map(|ran| &ran.stdout))?, kept(ran.map(|ran| &ran.stderr))?);
        let attempt = Attempt {
            key: &job.key,
            seq: context.seq(),
            slot: Some(context.slot()),
            number: context.attempt(),
            outcome,
            node: self.node.as_deref(),
        };
        let circumstances = Circumstances {
            generation: self.generation,
            identity: stored.job.identity,
            ended: SystemTime::now(),
            waited_for: waited_for(context),
        };
        stored.ended.set(circumstances.ended);
        let line = attempt_line(attempt, &circumstances, &outputs);
        // The mark is removed before the new outcome is recorded. If procpool is killed in between, the job
        // counts as running, and runs again.
        if let Some(again) =
            self.printed_again.as_ref().filter(|again| again.positions.has(context.seq().get()))
        {
            again.printed.undo(context.seq().get())?;
        }
        Ok(line)
    }

    /// Writes a record that is not an attempt.
    ///
    /// # Errors
    /// If it can't be written.
    pub(crate) fn note(&self, record: &Record) -> io::Result<()> {
        self.writer.append(&record.line())
    }

    /// Records that a job was lost on the cluster.
    ///
    /// # Errors
    /// If the record can't be written.
    pub(crate) fn record_lost(&self, lost: &Completion<Work>) -> io::Result<()> {
        let Work::Stored(stored) = &lost.job.work else { panic!("BUG: a job that is not on the list") };
        let circumstances = Circumstances {
            generation: self.generation,
            identity: stored.job.identity,
            ended: SystemTime::now(),
            waited_for: None,
        };
        stored.ended.set(circumstances.ended);
        self.writer.append(&attempt_line(Attempt::last(lost), &circumstances, &Outputs::default()))
    }

    /// Records attempts as stopped if they ended within a second before all processes were told to end, or
    /// later: nobody knows whether the signal ended them. Returns the number of their jobs. Records that wait
    /// (`held_records`) need none of this: it was decided when they were written.
    ///
    /// # Errors
    /// If the records can't be read or written.
    pub(crate) fn take_back(&self, ending: &ShutdownFlag) -> io::Result<usize> {
        let told = if self.held.is_some() { None } else { ending.all_signalled_since() };
        let Some(since) = told.and_then(|told| told.checked_sub(HEARING)) else { return Ok(0) };
        let (writer, since) = (&self.writer, brief::moment(since));
        let brief = |line: &[u8]| Brief::of(line::open(line.strip_suffix(b"\n")?)?);
        let lines = writer.tail(|line| brief(line).is_some_and(|brief| brief.ended < since))?;
        let mut jobs = HashSet::new();
        let mut stopped = Vec::new();
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            let ended =
                brief(line).filter(|ended| ended.generation == self.generation && ended.ended >= since);
            if let Some((ended, line)) = ended.zip(brief::as_stopped(line)) {
                jobs.insert(ended.identity.job);
                stopped.extend(line);
            }
        }
        if !stopped.is_empty() {
            writer.append(&stopped)?;
        }
        Ok(jobs.len())
    }

    /// Records how the run ended, and which processes that jobs had left behind were killed with it.
    ///
    /// # Errors
    /// If the record can't be written, or somebody has removed the files.
    pub(crate) fn end(&self, status: i32, left: &[LeakedProcess]) -> io::Result<()> {
        let ended = time(SystemTime::now());
        self.writer.append(
            &Record::End(End {
                generation: self.generation,
                ended,
                status,
                left: left.to_vec(),
            })
            .line(),
        )
    }

    /// Checks that the files are still at their paths.
    ///
    /// # Errors
    /// If they aren't.
    pub(crate) fn check_place(&self) -> io::Result<()> {
        self.writer.check_place()
    }

    fn fail(&self, error: io::Error) {
        self.has_failed.store(true, Ordering::Release);
        self.troubles().error.get_or_insert(error);
    }

    fn troubles(&self) -> MutexGuard<'_, Troubles> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this attempt, which has ended, has no record.
    pub(crate) fn lacks(&self, seq: u64, attempt: u32) -> bool {
        self.has_failed() && self.troubles().unrecorded.contains(&(seq, attempt))
    }

    /// Takes the error why something could not be recorded. It is returned once.
    pub(crate) fn take_error(&self) -> Option<io::Error> {
        self.troubles().error.take()
    }
}

/// What delayed the attempt though a slot was free.
fn waited_for(context: &Context) -> Option<&'static str> {
    match context.held_up() {
        Some(HeldUp::Delay) => Some("delay"),
        Some(HeldUp::Load) => Some("load"),
        Some(HeldUp::Memory) => Some("memory"),
        _ if context.attempt() > 1 => Some("retry"),
        _ => None,
    }
}

impl Recording for Recorder {
    fn may_start(&self, context: &Context) -> bool {
        let is_away = || self.shared.as_ref().is_some_and(Folder::is_away);
        while is_away() && context.halt() == Halt::GoOn {
            let _ = context.wait_for_stop(Some(LOOK));
        }
        !self.has_failed()
    }

    fn note_start(&self, context: &Context, pid: u32) {
        let entry = StartedProcess::now(pid, context.seq().get(), context.attempt());
        let note = || self.running.note(context.slot().get(), entry);
        let noted = match &self.shared {
            None => note(),
            Some(folder) => folder.wait_out(note),
        };
        if let Err(error) = noted {
            // The job is running, and its outcome may or may not be recorded. Nothing else is started.
            self.fail(error);
        }
    }

    fn record(&self, job: &Job<Work>, context: &Context, outcome: &Outcome) {
        if matches!(outcome, Outcome::NotStarted(NotStarted::NeverReached)) {
            return;
        }
        let number = (context.seq().get(), context.attempt());
        let written = self.line(job, context, outcome).and_then(|line| match &self.held {
            None => self.writer.append(&line),
            Some(held) => {
                held.push(number, line, wait_of(outcome));
                Ok(())
            }
        });
        if let Err(error) = written {
            self.fail(error);
            self.troubles().unrecorded.insert(number);
        }
    }
}
