//! The snapshot of a run on a cluster that handles read: which jobs run, and how many are left.

use std::mem;
use std::slice;

use procpool_core::{Active, Driver, Pending};

use super::HeadLoop;
use crate::job::work::Work;

impl HeadLoop {
    /// Updates the snapshot.
    pub(super) fn stand(&mut self, driver: &mut Driver<Work>) {
        if self.running_jobs.is_due() {
            // When a round is over, its tables are out of date.
            let round = self.tags.last().filter(|_| self.head.round().is_some());
            let files = self.slice_files.running(round.map_or(&[], slice::from_ref));
            let running = self.running_jobs.look(files, &self.forwarder);
            for (started, _) in &running {
                self.forwarder.tell_start(started, driver);
            }
            let active = running.into_iter().map(|(started, since)| Active::recorded(started, since));
            driver.standing.active = active.collect();
        }
        let elsewhere = self.head.status().to_string();
        driver.standing.elsewhere = (!elsewhere.is_empty()).then(|| elsewhere.into());
        let (standing, forwarder) = (&mut driver.standing, &self.forwarder);
        standing.active.retain(|active| !forwarder.is_finished(active.seq.get()));
        standing.retrying = self.forwarder.retrying();
        let rest = self.total - self.forwarder.finished();
        standing.pending = Pending::Exactly(rest.saturating_sub(standing.active.len() as u64));
    }

    /// Nothing runs any more: each job has ended or is left. The tables of slices that have died may say
    /// otherwise.
    pub(super) fn stand_at_end(&mut self, driver: &mut Driver<Work>) {
        driver.standing.active.clear();
        let rest = self.total - self.forwarder.finished();
        // If the engine refused the run before any job had run, the refusal has been reported, and no jobs
        // are counted as left.
        let is_refused = self.fault.get().is_some() && self.forwarder.finished() == 0 && self.tags.len() <= 1;
        driver.standing.pending = Pending::Exactly(if is_refused { 0 } else { rest });
    }

    /// The same for a run that ended with a fatal error: running jobs become pending.
    pub(super) fn count_all(driver: &mut Driver<Work>) {
        let active = mem::take(&mut driver.standing.active).len() as u64;
        if let Pending::Exactly(pending) = &mut driver.standing.pending {
            *pending += active;
        }
    }
}
