//! Who holds a journal's folder, and what runs: a small file that is locked as long as its holder lives.
//! Knows nothing of what came of jobs.
//!
//! A line of JSON says who holds it; from byte 1024 on each slot has 64 bytes for the process that it was last given.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use crate::journal::folder::private;
use crate::journal::whereabouts::{Seen, Whereabouts};
use crate::proc;

/// The file, locked.
pub(crate) struct Running(File);

/// Who holds it, or did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Holder {
    pub(crate) pid: u32,
    /// Elsewhere these numbers mean nothing.
    #[serde(flatten)]
    pub(crate) whereabouts: Whereabouts,
    pub(crate) run: String,
    pub(crate) generation: u32,
    /// Where in the journal its record begins.
    #[serde(default)]
    pub(crate) record_at: u64,
    /// When it was there, as of an [`Entry`].
    #[serde(default)]
    pub(crate) ticks: u64,
    /// What of its jobs may live on when they have ended.
    #[serde(default)]
    pub(crate) leaks: Leaks,
}

/// What may live on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Leaks {
    #[default]
    Nothing,
    /// What a job has left behind.
    Kept,
}

/// A process that was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) pid: u32,
    /// When it was there, in ticks since the machine was started, as /proc/PID/stat counts.
    pub(crate) ticks: u64,
    pub(crate) seq: u64,
    pub(crate) attempt: u32,
}

const TABLE: u64 = 1024;
const ENTRY: usize = 64;

/// Linux counts in /proc in hundredths of a second, whatever its own clock does (proc(5), `USER_HZ`).
const TICK: i64 = 10_000_000;

/// So long is waited for a holder of whom nothing is wrong. It may have been killed just now.
const LETTING_GO: Duration = Duration::from_millis(700);

/// So long for one that is about to be gone. On a busy machine it takes seconds to end all that runs.
const LAST_BREATH: Duration = Duration::from_secs(10);

impl Running {
    /// Takes the folder for this process.
    ///
    /// # Errors
    /// Where somebody else has it, or the file can't be written.
    pub(crate) fn lock(path: &Path) -> anyhow::Result<Running> {
        let open = || private().open(path).with_context(|| format!("can't write {path:?}"));
        let mut file = open()?;
        let begun = Instant::now();
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) if is_at(&file, path) => return Ok(Running(file)),
                // Whoever had it was refused, and took it away again: somebody else may have made another.
                Ok(()) => file = open()?,
                Err(Errno::WOULDBLOCK) if begun.elapsed() < patience(&file) => {
                    thread::sleep(Duration::from_millis(5));
                }
                Err(Errno::WOULDBLOCK) => {
                    let who = holder(&file).map_or_else(String::new, |holder| {
                        format!(", {}", holder.whereabouts.describe(holder.pid))
                    });
                    bail!("in use by another procpool{who}; wait until that has ended, or end it")
                }
                Err(error) => {
                    return Err(error).with_context(|| format!("can't lock {path:?}"));
                }
            }
        }
    }

    /// Whether somebody has the folder, wherever that process runs. The lock that tells is kept for no longer than the question
    /// takes: who wants it meanwhile tries for much longer.
    pub(crate) fn is_held(file: &File) -> bool {
        let tried = flock(file, FlockOperation::NonBlockingLockShared);
        if tried.is_ok() {
            let _ = flock(file, FlockOperation::NonBlockingUnlock);
        }
        tried == Err(Errno::WOULDBLOCK)
    }

    /// Makes one that nobody has made before; `None` where somebody has.
    ///
    /// # Errors
    /// Where it can't be made.
    pub(crate) fn make(path: &Path) -> io::Result<Option<Running>> {
        match private().create_new(true).open(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
            file => {
                let file = file?;
                // So that it can be told whether its maker lives. Where locks are none of the file system's, it can't.
                let _ = flock(&file, FlockOperation::NonBlockingLockExclusive);
                Ok(Some(Running(file)))
            }
        }
    }

    /// Who held it before, and what it has started, as far as that is known.
    pub(crate) fn before(&self) -> Option<(Holder, Vec<Entry>)> {
        read(&self.0)
    }

    /// From now on this one holds it, and nothing runs.
    pub(crate) fn begin(&self, holder: &Holder) -> io::Result<()> {
        self.0.set_len(0)?;
        let mut line = serde_json::to_vec(holder)?;
        line.push(b'\n');
        self.0.write_all_at(&line, 0)
    }

    /// A process was started in this slot.
    pub(crate) fn note(&self, slot: usize, entry: Entry) -> io::Result<()> {
        self.0.write_all_at(&entry.bytes(), TABLE + (slot as u64 - 1) * ENTRY as u64)
    }
}

/// Whether the path still names this very file.
fn is_at(file: &File, path: &Path) -> bool {
    let identity = |data: fs::Metadata| (data.dev(), data.ino());
    file.metadata().map(identity).ok() == fs::metadata(path).map(identity).ok()
}

/// How long to wait for who holds the file.
fn patience(file: &File) -> Duration {
    let is_here = |holder: &Holder| holder.whereabouts.seen() == Seen::Here;
    match holder(file).filter(is_here) {
        Some(holder) if !has_guardian(holder.pid) => LAST_BREATH,
        _ => LETTING_GO,
    }
}

/// Whether a process lives whose parent runs the same program, as one does that nobody has killed.
fn has_guardian(pid: u32) -> bool {
    let guardian = proc::stat(pid).and_then(|stat| proc::program(stat.parent));
    guardian.is_some() && guardian == proc::program(pid)
}

/// Who holds it, or did, and what was started by then, for who only looks.
pub(crate) fn read(file: &File) -> Option<(Holder, Vec<Entry>)> {
    let holder = holder(file)?;
    let mut table = Vec::new();
    let mut offset = TABLE;
    let mut bytes = [0; ENTRY];
    while file.read_exact_at(&mut bytes, offset).is_ok() {
        table.extend(Entry::parse(&bytes));
        offset += ENTRY as u64;
    }
    Some((holder, table))
}

/// Who holds this file, or did.
pub(crate) fn holder(file: &File) -> Option<Holder> {
    let mut bytes = vec![0; usize::try_from(TABLE).ok()?];
    let count = file.read_at(&mut bytes, 0).ok()?;
    let line = bytes[..count].split(|byte| *byte == b'\n').next()?;
    serde_json::from_slice(line).ok()
}

impl Entry {
    /// One that is there now.
    pub(crate) fn now(pid: u32, seq: u64, attempt: u32) -> Entry {
        let now = clock_gettime(ClockId::Boottime);
        let ticks = now.tv_sec * (1_000_000_000 / TICK) + now.tv_nsec / TICK;
        Entry {
            pid,
            ticks: u64::try_from(ticks).unwrap_or_default(),
            seq,
            attempt,
        }
    }

    fn bytes(self) -> [u8; ENTRY] {
        let Entry { pid, ticks, seq, attempt } = self;
        let mut text = String::with_capacity(ENTRY);
        let _ = write!(text, "{pid} {ticks} {seq} {attempt}");
        let mut bytes = [b' '; ENTRY];
        // Four numbers: 10, 20, 20 and 10 digits at most.
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        bytes[ENTRY - 1] = b'\n';
        bytes
    }

    fn parse(bytes: &[u8]) -> Option<Entry> {
        let mut numbers = std::str::from_utf8(bytes).ok()?.split_ascii_whitespace().map(str::parse::<u64>);
        let mut next = || numbers.next()?.ok();
        Some(Entry {
            pid: next()?.try_into().ok().filter(|pid| *pid > 1)?,
            ticks: next()?,
            seq: next()?,
            attempt: next()?.try_into().ok()?,
        })
    }
}

/// When a process was started, in ticks; `None` where there is none.
pub(crate) fn started(pid: u32) -> Option<u64> {
    proc::stat(pid).filter(|stat| !stat.has_ended).map(|stat| stat.started)
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::process;

    use super::*;

    #[test]
    fn what_runs_is_read_back_and_what_is_no_process_is_left_out() {
        let temporary = tempfile::Builder::new().tempdir().unwrap();
        let path = temporary.path().join("running");
        let running = Running::lock(&path).unwrap();
        assert_eq!(running.before(), None);
        let holder = Holder {
            pid: 7,
            whereabouts: Whereabouts { host: "here".into(), ..Whereabouts::default() },
            generation: 3,
            ..Holder::default()
        };
        running.begin(&holder).unwrap();
        let entry = Entry {
            pid: u32::MAX,
            ticks: u64::MAX,
            seq: u64::MAX,
            attempt: u32::MAX,
        };
        running.note(3, entry).unwrap();
        running.note(1, Entry { pid: 0, ..entry }).unwrap();
        drop(running);
        let running = Running::lock(&path).unwrap();
        assert_eq!(running.before(), Some((holder, vec![entry])));
    }

    #[test]
    fn a_folder_that_is_held_is_refused_with_the_holder() {
        let temporary = tempfile::Builder::new().tempdir().unwrap();
        let path = temporary.path().join("running");
        let running = Running::lock(&path).unwrap();
        let refusal = |whereabouts| {
            running.begin(&Holder { pid: 4711, whereabouts, ..Holder::default() }).unwrap();
            Running::lock(&path).err().unwrap().to_string()
        };
        let there = Whereabouts { host: "there".into(), ..Whereabouts::default() };
        let error = refusal(there);
        assert!(error.contains("process 4711 on there"), "{error}");
        let error = refusal(Whereabouts { pid_namespace: "pid:[1]".into(), ..Whereabouts::own() });
        assert!(error.contains("process 4711 in another PID namespace of "), "{error}");
        assert!(Running::is_held(&File::open(&path).unwrap()));
        drop(running);
        assert!(!Running::is_held(&File::open(&path).unwrap()));
    }

    #[test]
    fn a_file_that_its_holder_took_away_while_it_was_waited_for_is_made_again() {
        let temporary = tempfile::Builder::new().tempdir().unwrap();
        let path = temporary.path().join("running");
        let first = Running::lock(&path).unwrap();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| Running::lock(&path).unwrap());
            // What waits has opened it.
            let opened = || {
                let files = fs::read_dir("/proc/self/fd").unwrap().flatten();
                files.filter(|file| fs::read_link(file.path()).is_ok_and(|file| file == path)).count()
            };
            while opened() < 2 {
                thread::yield_now();
            }
            fs::remove_file(&path).unwrap();
            drop(first);
            let second = waiting.join().unwrap();
            assert!(is_at(&second.0, &path));
        });
    }

    #[test]
    fn a_holder_that_nobody_guards_is_given_time_to_be_gone() {
        let temporary = tempfile::Builder::new().tempdir().unwrap();
        let path = temporary.path().join("running");
        let running = Running::lock(&path).unwrap();
        let here = Whereabouts::own;
        let wait_for = |pid, whereabouts| {
            running.begin(&Holder { pid, whereabouts, ..Holder::default() }).unwrap();
            patience(&running.0)
        };
        assert_eq!(wait_for(u32::MAX, here()), LAST_BREATH);
        assert_eq!(wait_for(u32::MAX, Whereabouts { host: "there".into(), ..here() }), LETTING_GO);
        // Of another namespace nothing is known by its numbers.
        assert_eq!(wait_for(u32::MAX, Whereabouts { pid_namespace: "pid:[1]".into(), ..here() }), LETTING_GO);
        // The parent of this one runs another program.
        assert_eq!(wait_for(process::id(), here()), LAST_BREATH);
        let mut guardian = process::Command::new("sh")
            .args(["-c", "sh -c 'echo $$; read line'; true"])
            .stdin(process::Stdio::piped())
            .stdout(process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut number = String::new();
        BufReader::new(guardian.stdout.take().unwrap()).read_line(&mut number).unwrap();
        assert_eq!(wait_for(number.trim().parse().unwrap(), here()), LETTING_GO);
        // The end of its input ends the inner one.
        guardian.wait().unwrap();
    }

    #[test]
    fn a_process_was_started_before_it_was_seen() {
        let entry = Entry::now(process::id(), 1, 1);
        assert!(started(process::id()).unwrap() <= entry.ticks);
        assert_eq!(started(u32::MAX), None);
    }
}
