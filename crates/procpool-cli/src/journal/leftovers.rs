//! Processes that an earlier run has left: found again, ended, and named.
//! Knows nothing of what they did.

use std::cell::Cell;
use std::collections::HashMap;
use std::ffi::CString;
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

/// So long a program may take to be loaded before it is taken for one that will never say what it is.
const LONGEST_EXEC: Duration = Duration::from_millis(500);

/// A process that was left, by its number and that of its job, 0 where it is not known.
pub(crate) type Leftover = (u32, u64);

/// So many bytes the system keeps of a thread's name.
const LONGEST_NAME: usize = 15;

/// Names this thread after the run, for a process that it starts: until that has become its program it has the thread's
/// name, and nothing else tells whose it is. Once is enough: a process has one run.
pub(crate) fn name_thread_after(run: &str) {
    thread_local!(static IS_NAMED: Cell<bool> = const { Cell::new(false) });
    if IS_NAMED.replace(true) {
        return;
    }
    // Without it only a process that a kill has caught in the middle of its start is missed.
    if let Ok(name) = CString::new(thread_name(run)) {
        let _ = rustix::thread::set_name(&name);
    }
}

/// The end of it differs most.
fn thread_name(run: &str) -> &str {
    run.get(run.len().saturating_sub(LONGEST_NAME)..).unwrap_or_default()
}

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
    let begun = Instant::now();
    loop {
        let mut left = find(holder, table);
        for Left { pid, seq, leads } in &left {
            seen.extend(seq.map(|seq| (*pid, seq)));
            let Some(pid) = i32::try_from(*pid).ok().and_then(Pid::from_raw) else { continue };
            if *leads {
                let _ = kill_process_group(pid, Signal::KILL);
            }
            let _ = kill_process(pid, Signal::KILL);
        }
        let is_over = left.is_empty() && (begun.elapsed() > LONGEST_EXEC || !is_anybody_about_to_be_known());
        if is_over || begun.elapsed() > LAST_EFFORT {
            left.retain(|left| started(left.pid).is_some());
            let still: Vec<Leftover> = left.iter().map(|left| (left.pid, left.seq.unwrap_or(0))).collect();
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

/// A process that was left.
struct Left {
    pid: u32,
    /// None where its start was not done: it can only be ended.
    seq: Option<u64>,
    /// Whether it leads a group.
    leads: bool,
}

/// Who is left: the processes of jobs, which lead their groups, what descends from them, which carries a mark, and who was
/// being started.
fn find(holder: &Holder, table: &[Entry]) -> Vec<Left> {
    // Whoever has the number of one that was there before, and was started later, is somebody else.
    let is_the_same = |entry: &&Entry| started(entry.pid).is_some_and(|ticks| ticks <= entry.ticks);
    let of_job = |entry: &Entry| Left { pid: entry.pid, seq: Some(entry.seq), leads: true };
    let mut left: Vec<Left> = table.iter().filter(is_the_same).map(of_job).collect();
    // Of jobs that had ended something may have been left on purpose; of one that had not, its own process tells.
    let looks_for_marks = holder.leaks != Leaks::Kept;
    let run = holder.run.as_str();
    for pid in processes() {
        let is_known = left.iter().any(|known| known.pid == pid);
        let seq = looks_for_marks.then(|| job_of(pid, run)).flatten();
        if !is_known && (seq.is_some() || is_being_started(pid, run)) && started(pid).is_some() {
            left.push(Left { pid, seq, leads: false });
        }
    }
    left
}

fn is_being_started(pid: u32, run: &str) -> bool {
    let name = fs::read(format!("/proc/{pid}/comm")).unwrap_or_default();
    name.strip_suffix(b"\n").is_some_and(|name| !name.is_empty() && name == thread_name(run).as_bytes())
}

/// Whether there is a process in the middle of execve(2): for a moment it has no environment, and its old name no more.
fn is_anybody_about_to_be_known() -> bool {
    processes().any(|pid| {
        let is_empty = |what| fs::read(format!("/proc/{pid}/{what}")).is_ok_and(|text| text.is_empty());
        // Threads of the kernel have no program, and other users' can't be read.
        fs::read_link(format!("/proc/{pid}/exe")).is_ok() && is_empty("cmdline") && started(pid).is_some()
    })
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Child, Command};

    use super::*;

    fn holder(run: &str) -> Holder {
        Holder {
            run: run.into(),
            host: host(),
            boot: boot(),
            ..Holder::default()
        }
    }

    /// A process with the name of the threads of such a run.
    fn child_named_after(run: &str) -> Child {
        let folder = tempfile::Builder::new().tempdir().unwrap();
        let program = folder.path().join(thread_name(run));
        symlink("/bin/sleep", &program).unwrap();
        Command::new(program).arg("86400").spawn().unwrap()
    }

    #[test]
    fn who_was_being_started_is_ended_and_no_job_is_named_for_it() {
        let run = "660e7fc662ff2-leftover";
        let mut other = child_named_after("660e7fc662ff2-somebody");
        for leaks in [Leaks::Nothing, Leaks::Kept] {
            let mut ours = child_named_after(run);
            assert_eq!(end(&Holder { leaks, ..holder(run) }, &[]), (vec![], vec![]));
            assert_eq!(ours.wait().unwrap().signal(), Some(9));
        }
        assert!(other.try_wait().unwrap().is_none());
        other.kill().unwrap();
        other.wait().unwrap();
    }

    /// A process that nothing tells from others but its number.
    fn stranger() -> Child {
        Command::new("sleep").arg("86400").spawn().unwrap()
    }

    #[test]
    fn a_job_that_was_left_is_ended_and_whoever_has_got_its_number_since_is_not() {
        let mut ours = stranger();
        let pid = ours.id();
        let began = started(pid).unwrap();
        let entry = |ticks| Entry { pid, ticks, seq: 7, attempt: 1 };
        let run = "no-such-run-1";
        assert_eq!(end(&holder(run), &[entry(began - 1)]), (vec![], vec![]));
        for elsewhere in [
            Holder { host: "elsewhere".into(), ..holder(run) },
            Holder { boot: "earlier".into(), ..holder(run) },
            Holder { boot: String::new(), ..holder(run) },
        ] {
            assert_eq!(end(&elsewhere, &[entry(began)]), (vec![], vec![]));
        }
        let still_there = Holder { pid: std::process::id(), ticks: u64::MAX, ..holder(run) };
        assert_eq!(end(&still_there, &[entry(began)]), (vec![], vec![]));
        assert!(ours.try_wait().unwrap().is_none());
        assert_eq!(end(&holder(run), &[entry(began)]), (vec![(pid, 7)], vec![]));
        assert_eq!(ours.wait().unwrap().signal(), Some(9));
        assert_eq!(end(&holder(run), &[entry(began)]), (vec![], vec![]));
    }

    #[test]
    fn who_carries_the_mark_of_a_run_is_of_that_job_and_of_no_other_run() {
        let marked = |marks: &str| Command::new("sleep").arg("86400").env(MARK, marks).spawn().unwrap();
        let mut ours = marked("1-outer:3:1 2-inner:12:1");
        // Its environment is there once it has become its program.
        while job_of(ours.id(), "1-outer").is_none() {
            thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(job_of(ours.id(), "1-outer"), Some(3));
        assert_eq!(job_of(ours.id(), "2-inner"), Some(12));
        assert_eq!(job_of(ours.id(), "2-inne"), None);
        assert_eq!(job_of(ours.id(), "3"), None);
        let kept = Holder { leaks: Leaks::Kept, ..holder("2-inner") };
        assert_eq!(end(&kept, &[]), (vec![], vec![]));
        assert_eq!(end(&holder("2-inner"), &[]), (vec![(ours.id(), 12)], vec![]));
        assert_eq!(ours.wait().unwrap().signal(), Some(9));
    }

    #[test]
    fn a_thread_is_named_by_as_much_as_the_system_keeps() {
        let name = |run: &'static str| {
            let named = thread::spawn(move || {
                name_thread_after(run);
                fs::read_to_string("/proc/thread-self/comm").unwrap()
            });
            named.join().unwrap().trim_end().to_owned()
        };
        for run in ["660e7fc662ff2-12874", "1-2"] {
            assert_eq!(name(run), thread_name(run));
        }
        assert_eq!(thread_name("660e7fc662ff2-12874"), "7fc662ff2-12874");
    }
}
