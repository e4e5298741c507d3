//! What `/proc` says about processes, if it can be trusted. Linux only; elsewhere nothing of this is known.
//!
//! A pid in `/proc` is one of the PID namespace that this `/proc` was mounted in. In a container without a `/proc` mount of
//! its own that is not our namespace, and the pids are those of other processes.

use std::os::fd::BorrowedFd;
use std::sync::OnceLock;
use std::{fs, io, process};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::data::shown::Shown;
use crate::sys::status::{ProcState, Stat};

/// Whether `/proc` belongs to our PID namespace and lists children. Checked once.
pub(crate) fn is_ours() -> bool {
    static FOUND: OnceLock<bool> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let itself = fs::read_link("/proc/self").ok();
        let itself = itself.as_deref().and_then(|path| path.to_str()?.parse().ok());
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        // Missing if the kernel was built without CONFIG_PROC_CHILDREN.
        is_of(process::id(), itself, &status) && fs::metadata("/proc/thread-self/children").is_ok()
    })
}

/// `itself` is the target of `/proc/self`. That it is our pid is not enough, because two namespaces may use the same pid. The
/// line `NSpid` has a pid for each namespace from that of `/proc` down to ours, see proc(5).
fn is_of(number: u32, itself: Option<u32>, status: &str) -> bool {
    let levels = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    let is_nested = levels.is_some_and(|levels| levels.split_ascii_whitespace().count() > 1);
    itself == Some(number) && !is_nested
}

/// `None` if there is no such process.
///
/// # Errors
/// If that can't be determined now, for lack of a descriptor for example.
pub(crate) fn stat(pid: i32) -> io::Result<Option<Stat>> {
    match fs::read(format!("/proc/{pid}/stat")) {
        Ok(text) => Ok(parse(&text)),
        Err(error) if is_gone(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(libc::ESRCH)
}

/// Parses the file, see proc(5): the name is in parentheses and may contain some; after the last one follow the fields
/// from the third on.
fn parse(stat: &[u8]) -> Option<Stat> {
    let fields: Vec<&str> = behind_the_name(stat)?.split_ascii_whitespace().collect();
    let field = |number: usize| fields.get(number - 3).copied();
    let state = match field(3)? {
        // The first thread has ended, but others still run.
        "Z" if field(20)?.parse::<u32>().ok()? > 1 => ProcState::Runs,
        "Z" | "X" => ProcState::Ended,
        "T" | "t" => ProcState::Stopped,
        _ => ProcState::Runs,
    };
    Some(Stat {
        state,
        parent: field(4)?.parse().ok()?,
        group: field(5)?.parse().ok()?,
        session: field(6)?.parse().ok()?,
        started: field(22)?.parse().ok()?,
    })
}

fn behind_the_name(stat: &[u8]) -> Option<&str> {
    let name_end = stat.iter().rposition(|byte| *byte == b')')?;
    std::str::from_utf8(&stat[name_end + 1..]).ok()
}

/// The children of all its threads, including zombies; empty if the process is gone.
pub(crate) fn children(pid: i32) -> Vec<i32> {
    let threads = numbers_in(&format!("/proc/{pid}/task"));
    threads.into_iter().flat_map(|thread| children_of_thread(pid, thread)).collect()
}

/// The orphans that this process has adopted, and the children of its first thread, to which the kernel gives orphans.
pub(crate) fn own_children() -> Vec<i32> {
    let own = i32::try_from(process::id()).unwrap_or_default();
    children_of_thread(own, own)
}

fn children_of_thread(pid: i32, thread: i32) -> Vec<i32> {
    let list = fs::read_to_string(format!("/proc/{pid}/task/{thread}/children")).unwrap_or_default();
    list.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// All visible processes.
pub(crate) fn all_pids() -> Vec<i32> {
    numbers_in("/proc")
}

/// Whether none of its threads can fork any more: all are stopped or have ended.
pub(crate) fn is_at_rest(pid: i32) -> bool {
    let is_at_rest = |thread: i32| {
        let Ok(stat) = fs::read(format!("/proc/{pid}/task/{thread}/stat")) else { return true };
        behind_the_name(&stat).is_none_or(|fields| fields.trim_start().starts_with(['T', 't', 'Z', 'X']))
    };
    numbers_in(&format!("/proc/{pid}/task")).into_iter().all(is_at_rest)
}

/// Our own session; 0 if that is not in our PID namespace.
pub(crate) fn own_session() -> i32 {
    #[expect(unsafe_code, reason = "rustix takes the 0 for a number that no process can have, and panics")]
    // SAFETY: getsid(2) takes and returns a number and touches no memory.
    unsafe {
        libc::getsid(0)
    }
}

/// The inode of a pipe, the same for both ends.
pub(crate) fn pipe_number(pipe: BorrowedFd<'_>) -> Option<u64> {
    Some(rustix::fs::fstat(pipe).ok()?.st_ino)
}

/// Whether a process has one of these pipes open.
///
/// # Errors
/// If that can't be determined, for another user's process for example.
pub(crate) fn holds(pid: i32, pipes: &[u64]) -> io::Result<bool> {
    let names: Vec<String> = pipes.iter().map(|pipe| format!("pipe:[{pipe}]")).collect();
    let entries = match fs::read_dir(format!("/proc/{pid}/fd")) {
        Ok(entries) => entries,
        Err(error) if is_gone(&error) => return Ok(false),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let link = entry.and_then(|entry| fs::read_link(entry.path()));
        match link {
            Ok(link) if names.iter().any(|name| link.as_os_str() == name.as_str()) => return Ok(true),
            Err(error) if !is_gone(&error) => return Err(error),
            // Another file, or closed meanwhile.
            Ok(_) | Err(_) => {}
        }
    }
    Ok(false)
}

/// The name of its program, as far as the kernel keeps it; empty if it is gone.
pub(crate) fn program(pid: i32) -> String {
    let name = fs::read(format!("/proc/{pid}/comm")).unwrap_or_default();
    let name = String::from_utf8_lossy(&name);
    name.trim_end_matches('\n').replace(Shown::controls, "\u{fffd}")
}

/// Sends a signal to the process with this pid and start time, and to no other: the start time is checked
/// while a pidfd holds the process.
///
/// # Errors
/// If it is gone or belongs to another user, or if there is no descriptor.
pub(crate) fn signal(pid: i32, started: u64, signal: Signal) -> io::Result<()> {
    let gone = || io::Error::from_raw_os_error(libc::ESRCH);
    let held = pidfd_open(Pid::from_raw(pid).ok_or_else(gone)?, PidfdFlags::empty())?;
    match stat(pid)? {
        Some(stat) if stat.started == started => Ok(pidfd_send_signal(&held, signal)?),
        _ => Err(gone()),
    }
}

fn numbers_in(folder: &str) -> Vec<i32> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_believed_where_proc_is_of_our_own_namespace() {
        assert!(is_of(7, Some(7), "Name:\tx\nNSpid:\t7\n"));
        assert!(!is_of(7, None, ""));
        assert!(!is_of(7, Some(4711), "NSpid:\t4711\t7\n"));
        assert!(!is_of(7, Some(7), "NSpid:\t7\t7\n"), "the same number by chance");
    }

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        let stat = |state: &str, threads: u32| {
            parse(format!("7 (a) b) {state} 3 5 6{} {threads} 0 4711 1 1", " 1".repeat(13)).as_bytes())
        };
        let expected = Stat {
            state: ProcState::Runs,
            parent: 3,
            group: 5,
            session: 6,
            started: 4711,
        };
        assert_eq!(stat("S", 1), Some(expected));
        assert_eq!(stat("T", 1), Some(Stat { state: ProcState::Stopped, ..expected }));
        assert_eq!(stat("Z", 1), Some(Stat { state: ProcState::Ended, ..expected }));
        assert_eq!(stat("Z", 2), Some(expected), "only its first thread has ended");
        assert_eq!(parse(b""), None);
    }

    #[test]
    fn a_number_with_another_start_is_somebody_else() {
        let mut child = process::Command::new("sleep").arg("86400").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let stat = stat(pid).unwrap().unwrap();
        assert!(children(stat.parent).contains(&pid) && all_pids().contains(&pid));
        let refused = signal(pid, stat.started + 1, Signal::KILL).unwrap_err();
        assert_eq!(refused.raw_os_error(), Some(libc::ESRCH));
        assert_eq!(child.try_wait().unwrap(), None);
        signal(pid, stat.started, Signal::STOP).unwrap();
        while !is_at_rest(pid) {
            std::thread::yield_now();
        }
        signal(pid, stat.started, Signal::KILL).unwrap();
        child.wait().unwrap();
        assert_eq!(super::stat(pid).unwrap(), None);
    }
}
