//! Whether somebody runs what a journal is of, and which attempts: looked at from outside, without a lock.
//! Knows nothing of what was recorded.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::journal::running::{Entry, Holder, boot, host, read, started};

/// What the files say that holders lock.
#[derive(Debug, Default)]
pub(crate) struct Holding {
    pub(crate) is_alive: bool,
    /// The attempts that were last begun, by the positions of their jobs.
    attempts: HashMap<u64, Begun>,
}

/// An attempt that was begun, of a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Begun {
    pub(crate) generation: u32,
    pub(crate) attempt: u32,
    /// Whether, as far as is known, it goes on unless it has ended.
    pub(crate) goes_on: bool,
}

impl Holding {
    /// Nobody, where that can't be read.
    pub(crate) fn look(path: &Path) -> Holding {
        let Ok(file) = crate::journal::folder::open(path) else { return Holding::default() };
        let Some((holder, table)) = read(&file) else { return Holding::default() };
        let inode = file.metadata().map_or(0, |metadata| metadata.ino());
        let mut holding = Holding { is_alive: is_alive(&holder, inode), attempts: HashMap::new() };
        holding.note(&holder, table, holding.is_alive);
        holding
    }

    /// A slice elsewhere, too, which goes on for all that is known.
    pub(crate) fn add_slice(&mut self, path: &Path) {
        let found = crate::journal::folder::open(path).ok().and_then(|file| read(&file));
        if let Some((holder, table)) = found {
            self.note(&holder, table, true);
        }
    }

    fn note(&mut self, holder: &Holder, table: Vec<Entry>, goes_on: bool) {
        for Entry { seq, attempt, .. } in table {
            let begun = Begun { generation: holder.generation, attempt, goes_on };
            // The next attempt may have been given another slot.
            let last = self.attempts.entry(seq).or_insert(begun);
            *last = begun.max(*last);
        }
    }

    /// The attempt of the job at this position that was last begun.
    pub(crate) fn attempt(&self, position: u64) -> Option<Begun> {
        self.attempts.get(&position).copied()
    }
}

fn is_alive(holder: &Holder, inode: u64) -> bool {
    // Numbers of processes mean nothing on another machine, or after another start of this one.
    if holder.host != host() || holder.boot != boot() || holder.boot.is_empty() {
        return false;
    }
    match fs::read_to_string("/proc/locks") {
        Ok(locks) => locks.lines().any(|lock| is_of(lock, holder.pid, inode)),
        Err(_) => started(holder.pid).is_some(),
    }
}

/// See proc(5): `1: FLOCK  ADVISORY  WRITE 708 fe:01:1572866 0 EOF`. The device may be another one than stat(2) says.
fn is_of(lock: &str, pid: u32, inode: u64) -> bool {
    let fields: Vec<&str> = lock.split_ascii_whitespace().collect();
    let [_, "FLOCK", _, _, holder, file, ..] = fields[..] else { return false };
    let number = file.rsplit(':').next().and_then(|number| number.parse().ok());
    holder.parse() == Ok(pid) && number == Some(inode)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::running::{Entry, Running};

    #[test]
    fn who_holds_a_folder_is_seen_and_who_held_it_is_not_alive() {
        let temporary = tempfile::Builder::new().tempdir().unwrap();
        let path = temporary.path().join("running");
        assert!(!Holding::look(&path).is_alive);
        let running = Running::lock(&path).unwrap();
        let holder = Holder {
            pid: std::process::id(),
            host: host(),
            boot: boot(),
            run: "r".into(),
            generation: 2,
            ..Holder::default()
        };
        running.begin(&holder).unwrap();
        running.note(1, Entry::now(4711, 7, 3)).unwrap();
        running.note(2, Entry::now(4710, 7, 2)).unwrap();
        let holding = Holding::look(&path);
        assert!(holding.is_alive);
        let begun = Begun { generation: 2, attempt: 3, goes_on: true };
        assert_eq!((holding.attempt(7), holding.attempt(8)), (Some(begun), None));
        drop(running);
        assert!(!Holding::look(&path).is_alive);
        assert_eq!(Holding::look(&path).attempt(7), Some(Begun { goes_on: false, ..begun }));
        let mut other = Holding::default();
        other.add_slice(&path);
        assert_eq!(other.attempt(7), Some(begun));
    }

    #[test]
    fn a_lock_is_of_a_process_and_a_file() {
        let lock = "3: FLOCK  ADVISORY  WRITE 708 fe:01:1572866 0 EOF";
        assert!(is_of(lock, 708, 1_572_866));
        assert!(!is_of(lock, 70, 1_572_866) && !is_of(lock, 708, 66));
        assert!(!is_of("3: -> FLOCK  ADVISORY  WRITE 708 fe:01:1572866 0 EOF", 708, 1_572_866));
        assert!(!is_of("4: POSIX  ADVISORY  WRITE 708 fe:01:1572866 0 EOF", 708, 1_572_866));
        assert!(!is_of("", 708, 1_572_866));
    }
}
