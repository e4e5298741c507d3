//! The lock of a journal's folder: the file `running`, locked as long as its holder lives.
//!
//! A line of JSON names the holder. From byte 1024 on each slot has 64 bytes for the process that was started
//! in it last, so that the next run finds the processes that a killed one has left.

use std::fmt::Write as _;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::fs::fstat;
use rustix::io::Errno;
use rustix::time::{ClockId, clock_gettime};

use crate::files::file::JournalFile;
use crate::files::folder::Folder;
pub use crate::files::holder::{Holder, Leaks};
use crate::files::lock::{is_locked, is_taken, try_flock};
use crate::files::whereabouts::Locality;
use crate::os::proc;

/// The lock of a journal's folder.
pub struct RunLock {
    file: File,
    /// Released with it; none if this is the file of a slice.
    _locks: Locks,
}

/// What is locked besides `running`. Users take that file for a leftover of a killed run and remove it;
/// because of these locks, that doesn't let a second run in.
#[derive(Default)]
struct Locks {
    _folder: Option<OwnedFd>,
    _journal: Option<File>,
}

/// The result of [`RunLock::lock`].
pub enum LockResult {
    /// This process has the lock.
    Taken(RunLock),
    /// Another process has it; which one, if that is known.
    Held(Option<Holder>),
}

/// A process that was started for an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StartedProcess {
    pub(crate) pid: u32,
    /// A time at which it existed, in ticks since boot, as in /proc/PID/stat.
    pub ticks: u64,
    /// The position of its job in the list, from 1.
    pub seq: u64,
    /// The number of the attempt, from 1.
    pub attempt: u32,
}

const TABLE: u64 = 1024;
const ENTRY: usize = 64;

/// Nanoseconds in a tick: /proc counts hundredths of a second on every Linux (proc(5), `USER_HZ`).
const TICK: i64 = 10_000_000;

/// How long to wait for a live lock holder; it may just have been killed.
const LETTING_GO: Duration = Duration::from_millis(700);

/// How long to wait for a holder that is exiting: on a busy machine it takes seconds until all its jobs are
/// killed.
const LAST_BREATH: Duration = Duration::from_secs(10);

impl RunLock {
    /// Locks the folder for this process. Waits up to 10 s for a holder that is exiting.
    ///
    /// # Errors
    /// If a file can't be written or locked.
    pub fn lock(folder: &Folder) -> anyhow::Result<LockResult> {
        let begun = Instant::now();
        loop {
            if let Some(running) = RunLock::try_lock(folder)? {
                return Ok(LockResult::Taken(running));
            }
            let holder = folder.running().open().ok().and_then(|file| holder(&file));
            if begun.elapsed() >= patience(holder.as_ref()) {
                return Ok(LockResult::Held(holder));
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// `None` if another process has one of the locks, or has just removed the file.
    fn try_lock(folder: &Folder) -> anyhow::Result<Option<RunLock>> {
        let directory = folder.open_again().context("can't open the folder")?;
        // Not every file system can lock directories: NFS locks only what is open for writing.
        if try_flock(&directory) == Err(Errno::WOULDBLOCK) {
            return Ok(None);
        }
        let place = folder.running();
        let file = place.open_or_make().with_context(|| format!("can't write {place:?}"))?;
        if !is_taken(&file, &place)? {
            return Ok(None);
        }
        let place = folder.own_files().journal;
        let journal = match place.open_to_write() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            journal => Some(journal.with_context(|| format!("can't write {place:?}"))?),
        };
        if let Some(journal) = &journal {
            if !is_taken(journal, &place)? {
                return Ok(None);
            }
        }
        let locks = Locks { _folder: Some(directory), _journal: journal };
        Ok(Some(RunLock { file, _locks: locks }))
    }

    /// Whether another process has the lock, on whichever machine. The test takes shared locks and releases
    /// them at once; a process that wants the lock meanwhile tries for much longer.
    pub(crate) fn is_held(folder: &Folder) -> bool {
        let files =
            [folder.running(), folder.own_files().journal].map(|file| file.open().ok().map(OwnedFd::from));
        let directory = folder.open_again().ok();
        files.into_iter().chain([directory]).flatten().any(|file| is_locked(&file))
    }

    /// Creates the file of a slice, locked; `None` if it exists.
    ///
    /// # Errors
    /// If it can't be created.
    pub fn make(place: &JournalFile) -> io::Result<Option<RunLock>> {
        match place.make() {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
            file => {
                let file = file?;
                // Tells others whether its creator lives, if the file system has locks.
                let _ = try_flock(&file);
                Ok(Some(RunLock { file, _locks: Locks::default() }))
            }
        }
    }

    /// The last holder and the processes that it started, if they are known.
    #[must_use]
    pub fn before(&self) -> Option<(Holder, Vec<StartedProcess>)> {
        read(&self.file)
    }

    /// Writes the name of the new holder, with no processes.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn begin(&self, holder: &Holder) -> io::Result<()> {
        self.file.set_len(0)?;
        let mut line = serde_json::to_vec(holder)?;
        line.push(b'\n');
        self.file.write_all_at(&line, 0)
    }

    /// Notes that a process was started in this slot.
    ///
    /// # Errors
    /// If it can't be written, or the file was removed, so that a resume wouldn't find it.
    pub fn note(&self, slot: usize, entry: StartedProcess) -> io::Result<()> {
        self.file.write_all_at(&entry.bytes(), TABLE + (slot as u64 - 1) * ENTRY as u64)?;
        if fstat(&self.file)?.st_nlink == 0 {
            return Err(io::Error::other("somebody has taken its file `running` away, which says what runs"));
        }
        Ok(())
    }
}

/// How long to wait for the holder of the lock.
fn patience(holder: Option<&Holder>) -> Duration {
    let is_here = |holder: &&Holder| holder.whereabouts.locality() == Locality::Here;
    match holder.filter(is_here) {
        Some(holder) if !has_guardian(holder.pid) => LAST_BREATH,
        _ => LETTING_GO,
    }
}

/// Whether a process lives and its parent, the guardian, runs the same program. That is so unless the
/// guardian was killed.
fn has_guardian(pid: u32) -> bool {
    let guardian = proc::stat(pid).and_then(|stat| proc::program(stat.parent));
    guardian.is_some() && guardian == proc::program(pid)
}

/// Reads the present or last holder and the processes that it started, without taking the lock.
#[must_use]
pub fn read(file: &File) -> Option<(Holder, Vec<StartedProcess>)> {
    let holder = holder(file)?;
    let mut table = Vec::new();
    let mut offset = TABLE;
    let mut bytes = [0; ENTRY];
    while file.read_exact_at(&mut bytes, offset).is_ok() {
        table.extend(StartedProcess::parse(&bytes));
        offset += ENTRY as u64;
    }
    Some((holder, table))
}

/// The present or last holder of the lock on this file.
pub(crate) fn holder(file: &File) -> Option<Holder> {
    let mut bytes = vec![0; usize::try_from(TABLE).ok()?];
    let count = file.read_at(&mut bytes, 0).ok()?;
    let line = bytes[..count].split(|byte| *byte == b'\n').next()?;
    serde_json::from_slice(line).ok()
}

impl StartedProcess {
    /// A process that exists now.
    #[must_use]
    pub fn now(pid: u32, seq: u64, attempt: u32) -> StartedProcess {
        let now = clock_gettime(ClockId::Boottime);
        let ticks = now.tv_sec * (1_000_000_000 / TICK) + now.tv_nsec / TICK;
        StartedProcess {
            pid,
            ticks: u64::try_from(ticks).unwrap_or_default(),
            seq,
            attempt,
        }
    }

    fn bytes(self) -> [u8; ENTRY] {
        let StartedProcess { pid, ticks, seq, attempt } = self;
        let mut text = String::with_capacity(ENTRY);
        let _ = write!(text, "{pid} {ticks} {seq} {attempt}");
        let mut bytes = [b' '; ENTRY];
        // Four numbers: 10, 20, 20 and 10 digits at most.
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        bytes[ENTRY - 1] = b'\n';
        bytes
    }

    fn parse(bytes: &[u8]) -> Option<StartedProcess> {
        let mut numbers = std::str::from_utf8(bytes).ok()?.split_ascii_whitespace().map(str::parse::<u64>);
        let mut next = || numbers.next()?.ok();
        Some(StartedProcess {
            pid: next()?.try_into().ok().filter(|pid| *pid > 1)?,
            ticks: next()?,
            seq: next()?,
            attempt: next()?.try_into().ok()?,
        })
    }
}

/// When a process was started, in ticks; `None` if there is none.
pub(crate) fn started(pid: u32) -> Option<u64> {
    proc::stat(pid).filter(|stat| !stat.has_ended).map(|stat| stat.started)
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::process;

    use super::*;
    use crate::files::lock::is_at;
    use crate::files::whereabouts::Whereabouts;

    /// Locks the folder; the error is the holder, if that is another process.
    fn taken(folder: &Folder) -> Result<RunLock, Option<Box<Holder>>> {
        match RunLock::lock(folder).unwrap() {
            LockResult::Taken(running) => Ok(running),
            LockResult::Held(holder) => Err(holder.map(Box::new)),
        }
    }

    #[test]
    fn what_runs_is_read_back_and_what_is_no_process_is_left_out() {
        let temporary = tempfile::Builder::new().tempdir().unwrap();
        let (folder, _) = Folder::make(temporary.path()).unwrap();
        let running = taken(&folder).unwrap();
        assert_eq!(running.before(), None);
        let holder = Holder {
            pid: 7,
            whereabouts: Whereabouts { host: "here".into(), ..Whereabouts::default() },
            generation: 3,
            ..Holder::default()
        };
        running.begin(&holder).unwrap();
        let entry = StartedProcess {
            pid: u32::MAX,
            ticks: u64::MAX,
            seq: u64::MAX,
            attempt: u32::MAX,
        };
        running.note(3, entry).unwrap();
        running.note(1, StartedProcess { pid: 0, ..entry }).unwrap();
        drop(running);
        let running = taken(&folder).unwrap();
        assert_eq!(running.before(), Some((holder, vec![entry])));
    }

    #[test]
    fn a_folder_that_is_held_is_refused_with_the_holder() {
        let temporary = tempfile::Builder::new().tempdir().unwrap();
        let (folder, _) = Folder::make(temporary.path()).unwrap();
        let running = taken(&folder).unwrap();
        let holder = Holder {
            pid: 4711,
            whereabouts: Whereabouts { host: "there".into(), ..Whereabouts::default() },
            ..Holder::default()
        };
        running.begin(&holder).unwrap();
        assert_eq!(taken(&folder).err().unwrap(), Some(Box::new(holder)));
        assert!(RunLock::is_held(&folder));
        drop(running);
        assert!(!RunLock::is_held(&folder));
        taken(&folder).unwrap();
    }

    #[test]
    fn a_folder_whose_lock_was_taken_away_is_held_all_the_same_and_its_holder_sees_it() {
        let temporary = tempfile::Builder::new().tempdir().unwrap();
        let (folder, _) = Folder::make(temporary.path()).unwrap();
        let journal = folder.own_files().journal;
        journal.make().unwrap();
        let running = taken(&folder).unwrap();
        running.note(1, StartedProcess::now(1, 1, 1)).unwrap();
        folder.running().remove().unwrap();
        assert_eq!(taken(&folder).err().unwrap(), None);
        assert!(
            running
                .note(1, StartedProcess::now(1, 1, 1))
                .unwrap_err()
                .to_string()
                .contains("taken its file `running` away")
        );
        // The same on a file system that can't lock directories.
        assert!(is_locked(&folder.open_again().unwrap()));
        assert!(is_locked(&journal.open().unwrap().into()));
        drop(running);
        taken(&folder).unwrap();
    }

    #[test]
    fn a_file_that_its_holder_took_away_before_it_was_locked_is_made_again() {
        let temporary = tempfile::Builder::new().tempdir().unwrap();
        let (folder, _) = Folder::make(temporary.path()).unwrap();
        let place = folder.running();
        let file = place.open_or_make().unwrap();
        place.remove().unwrap();
        assert!(!is_taken(&file, &place).unwrap());
        let running = taken(&folder).unwrap();
        assert!(is_at(&running.file, &place).unwrap());
    }

    #[test]
    fn a_holder_that_nobody_guards_is_given_time_to_be_gone() {
        let here = Whereabouts::own;
        let wait_for = |pid, whereabouts| patience(Some(&Holder { pid, whereabouts, ..Holder::default() }));
        assert_eq!(wait_for(u32::MAX, here()), LAST_BREATH);
        assert_eq!(wait_for(u32::MAX, Whereabouts { host: "renamed".into(), ..here() }), LAST_BREATH);
        assert_eq!(wait_for(u32::MAX, Whereabouts { boot: "other".into(), ..here() }), LETTING_GO);
        // PIDs of another namespace say nothing here.
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
        let entry = StartedProcess::now(process::id(), 1, 1);
        assert!(started(process::id()).unwrap() <= entry.ticks);
        assert_eq!(started(u32::MAX), None);
    }
}
