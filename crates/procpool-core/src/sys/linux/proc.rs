//! What `/proc` tells of processes, where it may be believed. Linux only; elsewhere nothing of this is known.
//!
//! A number in `/proc` means a process of the PID namespace that this `/proc` was mounted in. In a container that was
//! made without a mount of its own that is another namespace than ours, and the numbers are strangers'.

use std::fs;
use std::io;
use std::os::fd::BorrowedFd;
use std::process;
use std::sync::OnceLock;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::data::shown::Shown;
use crate::sys::status::{ProcState, Stat};

/// Whether `/proc` is of our own namespace, and tells of children. Found out once.
pub(crate) fn is_ours() -> bool {
    static FOUND: OnceLock<bool> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let itself = fs::read_link("/proc/self").ok();
        let itself = itself.as_deref().and_then(|path| path.to_str()?.parse().ok());
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        // A kernel that was built without CONFIG_PROC_CHILDREN has no such file.
        is_of(process::id(), itself, &status) && fs::metadata("/proc/thread-self/children").is_ok()
    })
}

/// `itself` is what `/proc/self` points to. That alone is not enough: two namespaces may have given us the same number.
/// The line `NSpid` has a number for each namespace from that of `/proc` down to ours, see proc(5).
fn is_of(number: u32, itself: Option<u32>, status: &str) -> bool {
    let levels = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    let is_nested = levels.is_some_and(|levels| levels.split_ascii_whitespace().count() > 1);
    itself == Some(number) && !is_nested
}

/// `None` where there is no such process.
///
/// # Errors
/// Where that can't be found out now, as for want of a descriptor.
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

/// See proc(5): the name is in parentheses and may hold some itself; behind the last stand the fields from the third on.
fn parse(stat: &[u8]) -> Option<Stat> {
    let fields: Vec<&str> = behind_the_name(stat)?.split_ascii_whitespace().collect();
    let field = |number: usize| fields.get(number - 3).copied();
    let state = match field(3)? {
        // Of a process whose first thread has ended the others may run on.
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

/// The children of all its threads, ended ones included; none where the process is gone.
pub(crate) fn children(pid: i32) -> Vec<i32> {
    let threads = numbers_in(&format!("/proc/{pid}/task"));
    threads.into_iter().flat_map(|thread| children_of_thread(pid, thread)).collect()
}

/// What this process has adopted, and what its first thread has started: the kernel gives orphans to that one.
pub(crate) fn own_children() -> Vec<i32> {
    let own = i32::try_from(process::id()).unwrap_or_default();
    children_of_thread(own, own)
}

fn children_of_thread(pid: i32, thread: i32) -> Vec<i32> {
    let list = fs::read_to_string(format!("/proc/{pid}/task/{thread}/children")).unwrap_or_default();
    list.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// All processes that can be seen.
pub(crate) fn all_pids() -> Vec<i32> {
    numbers_in("/proc")
}

/// Whether no thread of it can start a process any more: they are all stopped, or have ended.
pub(crate) fn is_at_rest(pid: i32) -> bool {
    let is_at_rest = |thread: i32| {
        let Ok(stat) = fs::read(format!("/proc/{pid}/task/{thread}/stat")) else { return true };
        behind_the_name(&stat).is_none_or(|fields| fields.trim_start().starts_with(['T', 't', 'Z', 'X']))
    };
    numbers_in(&format!("/proc/{pid}/task")).into_iter().all(is_at_rest)
}

/// The number of our own session; 0 where that is not of our namespace.
pub(crate) fn own_session() -> i32 {
    #[expect(unsafe_code, reason = "rustix takes the 0 for a number that no process can have, and panics")]
    // SAFETY: it takes a number, gives one, and touches no memory.
    unsafe {
        libc::getsid(0)
    }
}

/// The number by which a pipe is known, whichever of its ends this is.
pub(crate) fn pipe_number(pipe: BorrowedFd<'_>) -> Option<u64> {
    Some(rustix::fs::fstat(pipe).ok()?.st_ino)
}

/// Whether a process has one of these pipes open.
///
/// # Errors
/// Where that may not be known: another user's.
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

/// The name of its program, as much as the kernel keeps of it; empty where there is none.
pub(crate) fn program(pid: i32) -> String {
    let name = fs::read(format!("/proc/{pid}/comm")).unwrap_or_default();
    let name = String::from_utf8_lossy(&name);
    name.trim_end_matches('\n').replace(Shown::controls, "\u{fffd}")
}

/// Sends a signal to the process that had this number and was started then, and to no other: the number is looked up
/// once the process is held by a descriptor, and until then it was never free.
///
/// # Errors
/// Where it is gone, is another user's, or the system has no descriptor.
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
