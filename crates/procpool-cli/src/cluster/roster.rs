//! What runs now in the slices of a run, as far as their files say.
//! Knows nothing of what has come of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use procpool_core::Started;

use crate::cluster::courier::Courier;
use crate::journal::file::JournalFile;
use crate::journal::running;

/// See the head of this file.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    active: BTreeMap<(u64, u32), (Started, Instant)>,
    looked: Option<Instant>,
}

/// The time between two looks: it is for eyes.
const LOOK: Duration = Duration::from_secs(1);

impl Roster {
    /// Whether it is time to look.
    pub(crate) fn is_due(&self) -> bool {
        self.looked.is_none_or(|looked| looked.elapsed() >= LOOK)
    }

    /// What runs, and since when that is known.
    pub(crate) fn look(
        &mut self,
        files: impl Iterator<Item = JournalFile>,
        courier: &Courier,
    ) -> Vec<(Started, Instant)> {
        let now = Instant::now();
        self.looked = Some(now);
        self.read(files, courier, now);
        self.active.values().cloned().collect()
    }

    fn read(&mut self, files: impl Iterator<Item = JournalFile>, courier: &Courier, now: Instant) {
        let mut before = std::mem::take(&mut self.active);
        for running in files {
            let read = running.open().ok().and_then(|file| running::read(&file));
            let Some((holder, table)) = read else { continue };
            let node: Option<Arc<str>> = holder.node.map(Arc::from);
            for (slot, entry) in (1..).zip(table) {
                let name = (entry.seq, entry.attempt);
                // An end that has been recorded is not taken out of the table.
                if courier.is_finished(entry.seq) {
                    continue;
                }
                let active = before.remove(&name).or_else(|| {
                    let key = courier.job(entry.seq).ok()?.key;
                    let started = Started::recorded(key, entry.seq, slot, entry.attempt)?;
                    Some((started.on(node.clone()), now))
                });
                self.active.extend(active.map(|active| (name, active)));
            }
        }
        // Who has died has left his table as it was, and the next one has the job now.
        let mut attempts = BTreeMap::new();
        attempts.extend(self.active.keys().copied());
        self.active.retain(|(seq, attempt), _| attempts.get(seq) == Some(attempt));
    }
}
