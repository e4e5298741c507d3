//! Forwards what slices have recorded to the caller of the run, as if the jobs had run here: each outcome
//! once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use procpool_cluster::{AttemptEnd, Nodes};
use procpool_core::{
    Completion, Driver, Event, Halt, HaltCounts, Job, LocalProcess, NotStarted, Outcome, Retried, Retries,
    Source, Spool, Started,
};

use crate::cluster::list_index::ListIndex;
use crate::cluster::slice_files::Seen;
use crate::job::labels::Labels;
use crate::job::work::{self, Work};
use crate::journal::session::Session;
use crate::run::sink::Starts;
use procpool_journal::files::file::JournalFile;
use procpool_journal::format::attempt::Kind;
use procpool_journal::format::entry::Entry;
use procpool_journal::format::identity::Hash;
use procpool_journal::format::positions::Positions;

/// What is needed to report jobs that ran elsewhere.
pub(crate) struct ForwarderContext {
    pub(crate) session: Arc<Session>,
    /// Keeps large outputs until they are printed.
    pub(crate) keeper: LocalProcess,
    pub(crate) labels: Option<Arc<Labels>>,
    pub(crate) retries: Retries,
    pub(crate) starts: Starts,
}

pub(crate) struct OutcomeForwarder {
    context: ForwarderContext,
    index: Arc<ListIndex>,
    todo: Arc<Positions>,
    finished: Positions,
    /// Jobs that were stopped because somebody stopped their slice, not because the run was stopped. These
    /// outcomes count only when the run is stopped too.
    stopped: BTreeMap<u64, Seen>,
    /// By position: records of a job, in order, and when each was first seen, if the outputs of the first are
    /// still missing. A shared file system may show files in another order than they were written in.
    late: BTreeMap<u64, VecDeque<(Seen, Instant)>>,
    /// Attempts whose start was reported.
    begun: BTreeSet<(u64, u32)>,
    /// Jobs of which an attempt has failed and a retry should follow.
    retrying: BTreeSet<u64>,
    pub(crate) counts: HaltCounts,
    /// Outcomes by node.
    pub(crate) nodes: Nodes,
    /// The number of outcomes of jobs that already had one.
    pub(crate) duplicates: u64,
}

/// How long outputs may be missing after their record was seen.
const PATIENCE: Duration = Duration::from_secs(60);

impl OutcomeForwarder {
    pub(crate) fn new(
        context: ForwarderContext,
        index: Arc<ListIndex>,
        todo: Arc<Positions>,
    ) -> OutcomeForwarder {
        OutcomeForwarder {
            context,
            index,
            todo,
            finished: Positions::default(),
            stopped: BTreeMap::new(),
            late: BTreeMap::new(),
            begun: BTreeSet::new(),
            retrying: BTreeSet::new(),
            counts: HaltCounts::default(),
            nodes: Nodes::default(),
            duplicates: 0,
        }
    }

    /// Whether the job at this position has its outcome, or needs none.
    pub(crate) fn is_finished(&self, position: u64) -> bool {
        !self.todo.has(position) || self.finished.has(position)
    }

    /// Whether nothing has to be run for this position, as far as is known: a record that waits for its
    /// outputs may be its outcome.
    pub(crate) fn is_settled(&self, position: u64) -> bool {
        self.is_finished(position) || self.late.contains_key(&position)
    }

    /// Whether an attempt is recorded that didn't settle the job, or may not have.
    pub(crate) fn was_begun(&self, position: u64) -> bool {
        self.stopped.contains_key(&position)
            || self.retrying.contains(&position)
            || self.late.contains_key(&position)
    }

    /// The number of jobs of the whole list.
    pub(crate) fn jobs(&self) -> u64 {
        self.index.jobs()
    }

    pub(crate) fn finished(&self) -> u64 {
        self.finished.count()
    }

    pub(crate) fn retrying(&self) -> u64 {
        self.retrying.len() as u64
    }

    /// Whether the slice that has this job may retry it after this attempt has failed. `of_all` is the number
    /// of retries of jobs that don't set their own.
    ///
    /// # Errors
    /// Its line can't be read.
    pub(crate) fn may_be_retried(&self, position: u64, attempt: u32, of_all: u32) -> anyhow::Result<bool> {
        Ok(attempt <= self.job(position)?.retries.unwrap_or(of_all))
    }

    /// The job at this position.
    ///
    /// # Errors
    /// Its line can't be read.
    pub(crate) fn job(&self, position: u64) -> anyhow::Result<Job<Work>> {
        let bytes = self.index.offset(position)..self.index.offset(position + 1);
        self.context.session.listing.job_at(position, bytes).map(work::stored)
    }

    /// Forwards the result of an attempt, if it is new.
    ///
    /// # Errors
    /// The list or an output can't be read.
    pub(crate) fn take(&mut self, seen: Seen, driver: &mut Driver<Work>) -> anyhow::Result<()> {
        let now = Instant::now();
        match self.late.get_mut(&seen.entry.seq) {
            // A later attempt is forwarded after the one before it.
            Some(queue) => queue.push_back((seen, now)),
            None => {
                if let Some(seen) = self.consider(seen, now, driver)? {
                    self.late.insert(seen.entry.seq, VecDeque::from([(seen, now)]));
                }
            }
        }
        Ok(())
    }

    /// Forwards records whose outputs were missing before.
    ///
    /// # Errors
    /// Outputs have been missing for too long.
    pub(crate) fn take_late(&mut self, driver: &mut Driver<Work>) -> anyhow::Result<()> {
        for (position, mut queue) in std::mem::take(&mut self.late) {
            while let Some((seen, since)) = queue.pop_front() {
                if let Some(seen) = self.consider(seen, since, driver)? {
                    queue.push_front((seen, since));
                    self.late.insert(position, queue);
                    break;
                }
            }
        }
        Ok(())
    }

    /// Forwards a record that was first seen at `since`. Returns it if its outputs are still missing.
    fn consider(
        &mut self,
        seen: Seen,
        since: Instant,
        driver: &mut Driver<Work>,
    ) -> anyhow::Result<Option<Seen>> {
        let position = seen.entry.seq;
        if position == 0 || position > self.index.jobs() {
            return Ok(None);
        }
        let job = self.job(position)?;
        // The record belongs to another list or another command.
        if !is_of(&seen.entry, &job) {
            return Ok(None);
        }
        if self.is_finished(position) {
            self.duplicates += u64::from(seen.entry.outcome != Kind::Stopped);
            return Ok(None);
        }
        if seen.entry.outcome == Kind::Stopped && !matches!(driver.halted(), Halt::Stop(_) | Halt::Kill) {
            self.stopped.insert(position, seen);
            return Ok(None);
        }
        self.tell(job, seen, since, driver)
    }

    fn tell(
        &mut self,
        job: Job<Work>,
        seen: Seen,
        since: Instant,
        driver: &mut Driver<Work>,
    ) -> anyhow::Result<Option<Seen>> {
        let position = seen.entry.seq;
        let outcome = match self.outcome(&seen.entry, &seen.outputs) {
            Err(error) if since.elapsed() < PATIENCE || self.context.session.folder.may_pass(&error) => {
                return Ok(Some(seen));
            }
            outcome => outcome.with_context(|| {
                format!("what was recorded of job \"{}\" in {:?} can't be read", job.key, seen.outputs)
            })?,
        };
        let entry = &seen.entry;
        let (slot, attempt) = (entry.slot.unwrap_or(1).max(1), entry.attempt);
        job.work.note_end(entry.ended());
        if let Some(labels) = &self.context.labels {
            labels.begin_at(&job, position, slot);
        }
        let started =
            Started::recorded(job.key.clone(), position, slot, attempt).expect("BUG: a job without a place");
        let started = started.on(entry.node());
        self.note_node(entry);
        self.tell_start(&started, driver);
        if self.context.retries.follow(attempt, job.retries, &outcome) {
            self.retrying.insert(position);
            driver.tell(Event::Retried(Retried::recorded(started, outcome)));
            return Ok(None);
        }
        let completion =
            Completion::recorded(job, slot, attempt, outcome).expect("BUG: a job without a place");
        self.finish(completion.on(started.node), driver);
        Ok(None)
    }

    /// Counts an attempt for its node. One that was stopped says nothing about the node.
    fn note_node(&mut self, entry: &Entry) {
        let (Some(node), false) = (&entry.node, entry.outcome == Kind::Stopped) else { return };
        self.nodes.note(node, if entry.success { AttemptEnd::Succeeded } else { AttemptEnd::Failed });
    }

    /// Reports the start of an attempt, unless that was done before.
    pub(crate) fn tell_start(&mut self, started: &Started, driver: &mut Driver<Work>) {
        if self.context.starts == Starts::Told && self.begun.insert((started.seq.get(), started.attempt)) {
            driver.tell(Event::Started(started.clone()));
        }
    }

    fn finish(&mut self, completion: Completion<Work>, driver: &mut Driver<Work>) {
        let position = completion.seq.get();
        self.finished.add(position);
        self.retrying.remove(&position);
        self.stopped.remove(&position);
        while let Some(begun) = self.begun.range((position, 0)..=(position, u32::MAX)).next().copied() {
            self.begun.remove(&begun);
        }
        match Kind::of(&completion.outcome) {
            Kind::Stopped | Kind::NeverReached => {}
            _ if completion.outcome.is_success() => self.counts.succeeded += 1,
            _ => self.counts.failed += 1,
        }
        driver.standing.completed += 1;
        driver.tell(Event::Completed(completion));
    }

    fn outcome(&self, entry: &Entry, outputs: &JournalFile) -> std::io::Result<Outcome> {
        let mut outcome = entry.outcome();
        if let Outcome::Ran(ran) = &mut outcome {
            let keep = |source: Source| match entry.length(source) {
                0 => Ok(Spool::default()),
                _ => self.context.keeper.keep(entry.open(source, outputs)?),
            };
            ran.stdout = keep(Source::Stdout)?;
            ran.stderr = keep(Source::Stderr)?;
        }
        Ok(outcome)
    }

    /// Records a job as lost, because its outcome will never be known, and reports it.
    ///
    /// # Errors
    /// That can't be recorded.
    pub(crate) fn lose(&mut self, position: u64, why: &str, driver: &mut Driver<Work>) -> anyhow::Result<()> {
        let outcome = Outcome::Lost(why.to_owned());
        let lost = Completion::nowhere(self.job(position)?, outcome).expect("BUG: a job without a place");
        self.context.session.recorder.record_lost(&lost).context("can't write to the journal")?;
        self.finish(lost, driver);
        Ok(())
    }

    /// Forwards at the end of the run what was held back.
    ///
    /// # Errors
    /// The list or an output can't be read.
    pub(crate) fn end(&mut self, driver: &mut Driver<Work>) -> anyhow::Result<()> {
        // Missing outputs are not waited for any more.
        let now = Instant::now();
        let long_ago = now.checked_sub(PATIENCE).unwrap_or(now);
        let late = std::mem::take(&mut self.late).into_values().flatten().map(|(seen, _)| seen);
        let stopped = std::mem::take(&mut self.stopped).into_values();
        for seen in late.chain(stopped) {
            self.consider(seen, long_ago, driver)?;
        }
        for position in std::mem::take(&mut self.retrying) {
            let unrun = Completion::nowhere(self.job(position)?, NotStarted::NeverReached.into());
            self.finish(unrun.expect("BUG: a job without a place"), driver);
        }
        Ok(())
    }
}

/// Whether the record belongs to exactly this job.
fn is_of(entry: &Entry, job: &Job<Work>) -> bool {
    let Work::Stored(stored) = &job.work else { return false };
    let parse = |text: &str| Hash::parse(text.as_bytes());
    parse(&entry.job) == Some(stored.job.identity.job)
        && parse(&entry.fingerprint) == Some(stored.job.identity.fingerprint)
}
