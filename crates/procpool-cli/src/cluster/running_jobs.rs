//! The jobs that run in the slices of a run, according to the slices' tables.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use procpool_core::Started;

use crate::cluster::outcome_forwarder::OutcomeForwarder;
use procpool_journal::files::file::{JournalFile, changed};
use procpool_journal::files::run_lock::{self, StartedProcess};

#[derive(Debug, Default)]
pub(crate) struct RunningJobs {
    active: BTreeMap<(u64, u32), (Started, Instant)>,
    looked: Option<Instant>,
    /// What was last read from each file.
    tables: BTreeMap<PathBuf, RunTable>,
}

/// The running attempts of a slice.
#[derive(Debug)]
struct RunTable {
    /// When the file was last changed, in nanoseconds.
    changed: i128,
    /// The file was read again and had the same time. Some file systems give the same time to changes within
    /// some milliseconds, so a single read may have missed one.
    is_sure: bool,
    node: Option<Arc<str>>,
    entries: Vec<StartedProcess>,
}

impl RunTable {
    /// Reads the file if it has changed since `before`: to open a thousand files every second would be too
    /// much.
    fn read(file: &JournalFile, before: Option<RunTable>) -> Option<RunTable> {
        let changed = changed(&file.stat().ok()?);
        let same = before.filter(|table| table.changed == changed);
        if same.as_ref().is_some_and(|table| table.is_sure) {
            return same;
        }
        let (holder, entries) = run_lock::read(&file.open().ok()?)?;
        Some(RunTable {
            changed,
            is_sure: same.is_some(),
            node: holder.node.map(Arc::from),
            entries,
        })
    }
}

/// The time between two looks. The result is for people to look at.
const LOOK: Duration = Duration::from_secs(1);

impl RunningJobs {
    pub(crate) fn is_due(&self) -> bool {
        self.looked.is_none_or(|looked| looked.elapsed() >= LOOK)
    }

    /// The running attempts, and since when each is known.
    pub(crate) fn look(
        &mut self,
        files: impl Iterator<Item = JournalFile>,
        forwarder: &OutcomeForwarder,
    ) -> Vec<(Started, Instant)> {
        let now = Instant::now();
        self.looked = Some(now);
        self.read(files, forwarder, now);
        self.active.values().cloned().collect()
    }

    fn read(&mut self, files: impl Iterator<Item = JournalFile>, forwarder: &OutcomeForwarder, now: Instant) {
        let mut before = std::mem::take(&mut self.active);
        let mut known = std::mem::take(&mut self.tables);
        for running in files {
            let path = running.path();
            let Some(table) = RunTable::read(&running, known.remove(&path)) else { continue };
            for (slot, entry) in (1..).zip(&table.entries) {
                let name = (entry.seq, entry.attempt);
                // The table still lists attempts whose end was recorded.
                if forwarder.is_finished(entry.seq) {
                    continue;
                }
                let active = before.remove(&name).or_else(|| {
                    let key = forwarder.job(entry.seq).ok()?.key;
                    let started = Started::recorded(key, entry.seq, slot, entry.attempt)?;
                    Some((started.on(table.node.clone()), now))
                });
                self.active.extend(active.map(|active| (name, active)));
            }
            self.tables.insert(path, table);
        }
        // A slice that has died leaves its table behind, and another slice runs the job now: keep only the
        // last attempt.
        let mut attempts = BTreeMap::new();
        attempts.extend(self.active.keys().copied());
        self.active.retain(|(seq, attempt), _| attempts.get(seq) == Some(attempt));
    }
}
