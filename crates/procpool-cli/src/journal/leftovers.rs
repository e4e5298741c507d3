//! Processes that an earlier run has left: found again, ended, and named.
//! Knows nothing of what they did.

use std::collections::HashMap;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::guard::MARK;
use crate::journal::running::{Entry, Holder, Leaks, boot, host, started};

/// After this long what still lives can't be killed: another user's, or waiting for a dead disk.
const LAST_EFFORT: Duration = Duration::from_secs(5);

/// So long one that was killed may take to be gone.
const LETTING_GO: Duration = Duration::from_secs(1);

/// A process that was left, by its number and that of its job.
pub(crate) type Leftover = (u32, u64);

/// Ends what is left, and says what that was, and what of it can't be ended.
pub(crate) fn end(holder: &Holder, table: &[Entry]) -> (Vec<Leftover>, Vec<Leftover>) {
    // Numbers of processes mean nothing on another machine, or after another start of this one.
    if holder.host != host() || holder.boot != boot() || holder.boot.is_empty() {
        return (Vec::new(), Vec::new());
    }
    // Who holds a copy of this journal goes on, and so do its jobs. One that was killed may take a moment to be gone.
    let until = Instant::now() + LETTING_GO;
    while is_alive(holder) {
        if Instant::now() > until {
            return (Vec::new(), Vec::new());
        }
        thread::sleep(Duration::from_millis(2));
    }
    let mut seen: HashMap<u32, u64> = HashMap::new();
    let until = Instant::now() + LAST_EFFORT;
    loop {
        let left = find(holder, table);
        for (pid, seq, leads) in &left {
            seen.insert(*pid, *seq);
            let Some(pid) = i32::try_from(*pid).ok().and_then(Pid::from_raw) else { continue };
            if *leads {
                let _ = kill_process_group(pid, Signal::KILL);
            }
            let _ = kill_process(pid, Signal::KILL);
        }
        if left.is_empty() || Instant::now() > until {
            let still: Vec<Leftover> = left.into_iter().map(|(pid, seq, _)| (pid, seq)).collect();
            let mut ended: Vec<Leftover> = seen.into_iter().filter(|seen| !still.contains(seen)).collect();
            ended.sort_unstable();
            return (ended, still);
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// Whether the process is still there that held the journal.
fn is_alive(holder: &Holder) -> bool {
    started(holder.pid).is_some_and(|ticks| ticks <= holder.ticks)
}

/// Who is left: the processes of jobs, which lead their groups, and what descends from them, which carries a mark.
fn find(holder: &Holder, table: &[Entry]) -> Vec<(u32, u64, bool)> {
    // Whoever has the number of one that was there before, and was started later, is somebody else.
    let is_the_same = |entry: &&Entry| started(entry.pid).is_some_and(|ticks| ticks <= entry.ticks);
    let mut left: Vec<(u32, u64, bool)> =
        table.iter().filter(is_the_same).map(|entry| (entry.pid, entry.seq, true)).collect();
    // Of jobs that had ended something may have been left on purpose; of one that had not, its own process tells.
    let marked = if holder.leaks == Leaks::Kept { Vec::new() } else { processes().collect() };
    for pid in marked {
        let is_known = left.iter().any(|(known, ..)| *known == pid);
        if let (false, Some(seq)) = (is_known, job_of(pid, &holder.run)) {
            if started(pid).is_some() {
                left.push((pid, seq, false));
            }
        }
    }
    left
}

fn processes() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let own = std::process::id();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(move |pid| *pid != own)
}

/// The job of this run within which a process runs, if it does.
fn job_of(pid: u32, run: &str) -> Option<u64> {
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let value = |variable| <[u8]>::strip_prefix(variable, MARK.as_bytes())?.strip_prefix(b"=");
    let marks = environment.split(|byte| *byte == 0).find_map(value)?;
    let mark = marks
        .split(|byte| *byte == b' ')
        .find_map(|mark| mark.strip_prefix(run.as_bytes())?.strip_prefix(b":"))?;
    std::str::from_utf8(mark.split(|byte| *byte == b':').next()?).ok()?.parse().ok()
}
