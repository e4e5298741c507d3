//! Which attempts were started, and whether a process still runs them, as a reader sees it. A lock shows the
//! latter, because it is visible from other PID namespaces and other machines as well.

use std::collections::HashMap;

use crate::files::file::JournalFile;
use crate::files::folder::Folder;
use crate::files::run_lock::{Holder, RunLock, StartedProcess, read, started};
use crate::files::whereabouts::Locality;

/// What the `running` files say.
#[derive(Debug, Default)]
pub(crate) struct StartedAttempts {
    /// Whether a process runs this journal's list now.
    pub(crate) is_alive: bool,
    /// That process, if its PID means nothing here.
    pub(crate) elsewhere: Option<String>,
    /// The attempts that were started last, by the positions of their jobs.
    attempts: HashMap<u64, StartedAttempt>,
}

/// An attempt that was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StartedAttempt {
    pub(crate) generation: u32,
    pub(crate) attempt: u32,
    /// Whether its run is alive as far as is known, so that an attempt without a record is running.
    pub(crate) goes_on: bool,
    /// Which writer started it: its place among all writers.
    pub(crate) writer: usize,
}

impl StartedAttempts {
    /// Reads the `running` files and tests their locks. If they can't be read, nothing counts as started.
    pub(crate) fn look(folder: &Folder) -> StartedAttempts {
        let said = folder.running().open().ok().and_then(|file| read(&file));
        let is_held = RunLock::is_held(folder);
        let Some((holder, table)) = said else {
            return StartedAttempts { is_alive: is_held, ..StartedAttempts::default() };
        };
        let is_alive = is_held && is_its_own(&holder);
        let is_elsewhere = is_alive
            && matches!(
                holder.whereabouts.locality(),
                Locality::InAnotherNamespace | Locality::OnAnotherMachine
            );
        let elsewhere = is_elsewhere.then(|| holder.whereabouts.describe(holder.pid));
        let mut holding = StartedAttempts { is_alive, elsewhere, attempts: HashMap::new() };
        let begun = StartedAttempt {
            generation: holder.generation,
            attempt: 0,
            goes_on: is_alive,
            writer: 0,
        };
        holding.note(table, begun);
        holding
    }

    /// Adds the attempts of a remote slice, the writer with this place. They count as running: we can't check
    /// it from here.
    pub(crate) fn add_slice(&mut self, running: &JournalFile, writer: usize) {
        let found = running.open().ok().and_then(|file| read(&file));
        if let Some((holder, table)) = found {
            let generation = holder.generation;
            self.note(table, StartedAttempt { generation, attempt: 0, goes_on: true, writer });
        }
    }

    fn note(&mut self, table: Vec<StartedProcess>, begun: StartedAttempt) {
        for StartedProcess { seq, attempt, .. } in table {
            let begun = StartedAttempt { attempt, ..begun };
            // The slot of an earlier attempt may still list it.
            let last = self.attempts.entry(seq).or_insert(begun);
            *last = begun.max(*last);
        }
    }

    /// The attempt of the job at this position that was started last.
    pub(crate) fn attempt(&self, position: u64) -> Option<StartedAttempt> {
        self.attempts.get(&position).copied()
    }
}

/// Whether the lock is that of the process named in the file. Another one may have just taken it and not
/// written its name yet.
fn is_its_own(holder: &Holder) -> bool {
    let lives = || started(holder.pid).is_some_and(|ticks| ticks <= holder.ticks);
    holder.whereabouts.locality() != Locality::Here || lives()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::run_lock::{LockResult, StartedProcess};
    use crate::files::whereabouts::Whereabouts;

    #[test]
    fn who_holds_a_folder_is_seen_and_who_held_it_is_not_alive() {
        let temporary = tempfile::Builder::new().tempdir().unwrap();
        let (folder, _) = Folder::make(temporary.path()).unwrap();
        let taken = || match RunLock::lock(&folder).unwrap() {
            LockResult::Taken(running) => running,
            LockResult::Held(holder) => panic!("{holder:?}"),
        };
        assert!(!StartedAttempts::look(&folder).is_alive);
        let running = taken();
        let holder = Holder {
            pid: std::process::id(),
            whereabouts: Whereabouts::own(),
            ticks: StartedProcess::now(1, 1, 1).ticks,
            run: "r".into(),
            generation: 2,
            ..Holder::default()
        };
        running.begin(&holder).unwrap();
        running.note(1, StartedProcess::now(4711, 7, 3)).unwrap();
        running.note(2, StartedProcess::now(4710, 7, 2)).unwrap();
        let holding = StartedAttempts::look(&folder);
        assert!(holding.is_alive);
        let begun = StartedAttempt { generation: 2, attempt: 3, goes_on: true, writer: 0 };
        assert_eq!((holding.attempt(7), holding.attempt(8)), (Some(begun), None));
        drop(running);
        assert!(!StartedAttempts::look(&folder).is_alive);
        assert_eq!(
            StartedAttempts::look(&folder).attempt(7),
            Some(StartedAttempt { goes_on: false, ..begun })
        );
        // Another process has the lock by now, and hasn't written its name.
        let running = taken();
        running.begin(&Holder { pid: u32::MAX, ..holder.clone() }).unwrap();
        assert!(!StartedAttempts::look(&folder).is_alive);
        // In another namespace that PID may be any process.
        let whereabouts = Whereabouts { pid_namespace: "pid:[1]".into(), ..Whereabouts::own() };
        running.begin(&Holder { pid: u32::MAX, whereabouts, ..holder }).unwrap();
        running.note(1, StartedProcess::now(4711, 7, 3)).unwrap();
        let holding = StartedAttempts::look(&folder);
        assert!(holding.elsewhere.as_ref().unwrap().contains("in another PID namespace of "));
        assert_eq!((holding.is_alive, holding.attempt(7)), (true, Some(begun)));
        drop(running);
        assert_eq!(StartedAttempts::look(&folder).elsewhere, None);
        let mut other = StartedAttempts::default();
        other.add_slice(&folder.running(), 4);
        assert_eq!(other.attempt(7), Some(StartedAttempt { writer: 4, ..begun }));
    }
}
