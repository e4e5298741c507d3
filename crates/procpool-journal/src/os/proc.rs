//! Processes as `/proc` shows them, and whether its PIDs are of our namespace.
//!
//! A PID in `/proc` is of the PID namespace in which that `/proc` was mounted. In a container without a mount
//! of its own this is another namespace than ours, and the PIDs mean other processes. So nothing here answers
//! unless `/proc` is ours.

use std::fmt;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::process;
use std::sync::OnceLock;

use procpool_core::Shown;

/// Why PIDs in `/proc` can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distrust {
    /// It isn't mounted, or doesn't show this process.
    Absent,
    /// It is that of another PID namespace.
    Foreign,
}

impl fmt::Display for Distrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Distrust::Absent => "/proc is missing",
            Distrust::Foreign => "/proc is that of another PID namespace",
        })
    }
}

impl std::error::Error for Distrust {}

/// Whether PIDs in `/proc` are of our PID namespace. Checked once: a fork changes our PID, but not the
/// namespace.
///
/// # Errors
/// If they are not.
pub fn trust() -> Result<(), Distrust> {
    static FOUND: OnceLock<Result<(), Distrust>> = OnceLock::new();
    *FOUND.get_or_init(|| judge(&fs::read_to_string("/proc/self/status").unwrap_or_default(), process::id()))
}

/// `status` is `/proc/self/status`. That its PID is ours is not enough: both namespaces may have given us the
/// same one. The line `NSpid` has a PID for each namespace from that of `/proc` down to ours, see proc(5);
/// Linux before 4.1 has none.
fn judge(status: &str, number: u32) -> Result<(), Distrust> {
    let numbers = |line: &str| {
        let numbers = status.lines().find_map(|text| text.strip_prefix(line));
        numbers.map(|numbers| numbers.split_ascii_whitespace().map(str::to_owned).collect::<Vec<_>>())
    };
    let itself = numbers("Pid:").ok_or(Distrust::Absent)?;
    let is_nested = numbers("NSpid:").is_some_and(|levels| levels.len() > 1);
    if itself != [number.to_string()] || is_nested { Err(Distrust::Foreign) } else { Ok(()) }
}

/// A process as `/proc/PID/stat` shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// Whether it is a zombie.
    pub(crate) has_ended: bool,
    /// Whether a signal or a debugger has stopped it.
    pub is_stopped: bool,
    pub(crate) parent: u32,
    /// Its process group.
    pub group: u32,
    pub(crate) session: u32,
    /// When it was started, in ticks since boot.
    pub(crate) started: u64,
    /// Whether it has memory for an environment, if only an empty one. It has none in the middle of execve(2)
    /// and while it exits.
    pub(crate) has_environment: bool,
}

/// A process by its PID; `None` if there is none, or `/proc` is not ours.
#[must_use]
pub fn stat(pid: u32) -> Option<Stat> {
    trust().ok()?;
    parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// See proc(5): the name is in parentheses and may contain some itself; the fields from the third on follow
/// the last one.
fn parse(stat: &str) -> Option<Stat> {
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split_ascii_whitespace().collect();
    let field = |number: usize| fields.get(number - 3).copied();
    Some(Stat {
        has_ended: matches!(field(3)?, "Z" | "X"),
        is_stopped: matches!(field(3)?, "T" | "t"),
        parent: field(4)?.parse().ok()?,
        group: field(5)?.parse().ok()?,
        session: field(6)?.parse().ok()?,
        started: field(22)?.parse().ok()?,
        has_environment: field(51) != Some("0"),
    })
}

/// The environment that a process was started with, `NAME=VALUE` with a NUL behind each.
///
/// # Errors
/// If it can't be read: the process is another user's or has ended, or `/proc` is not ours.
pub(crate) fn environment(pid: u32) -> io::Result<Vec<u8>> {
    trust().map_err(io::Error::other)?;
    fs::read(format!("/proc/{pid}/environ"))
}

/// The name of a process, as much as the kernel keeps of it; empty if there is no such process.
pub fn name(pid: u32) -> String {
    let name = trust().ok().and_then(|()| fs::read(format!("/proc/{pid}/comm")).ok()).unwrap_or_default();
    String::from_utf8_lossy(&name).trim_end_matches('\n').replace(Shown::controls, "\u{fffd}")
}

/// The program file that a process runs; `None` if it can't be read.
pub(crate) fn program(pid: u32) -> Option<PathBuf> {
    trust().ok()?;
    fs::read_link(format!("/proc/{pid}/exe")).ok()
}

/// All visible processes but this one.
pub(crate) fn others() -> impl Iterator<Item = u32> {
    let own = process::id();
    numbers_in("/proc").into_iter().filter(move |pid| *pid != own)
}

/// The children of a process's first thread, zombies included.
///
/// # Errors
/// If the kernel was built without that list (proc(5), `CONFIG_PROC_CHILDREN`), or `/proc` is not ours.
pub fn children_of_first_thread(pid: u32) -> io::Result<Vec<u32>> {
    children_of_thread(pid, pid)
}

/// The children of one thread of a process, zombies included.
///
/// # Errors
/// As [`children_of_first_thread`].
fn children_of_thread(pid: u32, thread: u32) -> io::Result<Vec<u32>> {
    trust().map_err(io::Error::other)?;
    let list = fs::read_to_string(format!("/proc/{pid}/task/{thread}/children"))?;
    Ok(list.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect())
}

/// The children of all threads of a process, zombies included; empty if the kernel doesn't list them.
#[must_use]
pub fn children(pid: u32) -> Vec<u32> {
    let threads = numbers_in(&format!("/proc/{pid}/task"));
    threads.into_iter().flat_map(|thread| children_of_thread(pid, thread).unwrap_or_default()).collect()
}

fn numbers_in(folder: &str) -> Vec<u32> {
    let entries = trust().ok().and_then(|()| fs::read_dir(folder).ok());
    entries
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_used_where_proc_is_of_our_own_namespace() {
        assert_eq!(judge("Name:\tx\nPid:\t7\nNSpid:\t7\n", 7), Ok(()));
        assert_eq!(judge("Name:\tx\nPid:\t7\n", 7), Ok(()), "before Linux 4.1");
        assert_eq!(judge("", 7), Err(Distrust::Absent));
        assert_eq!(judge("Pid:\t4711\nNSpid:\t4711\t7\n", 7), Err(Distrust::Foreign));
        assert_eq!(judge("Pid:\t7\nNSpid:\t7\t7\n", 7), Err(Distrust::Foreign), "the same number by chance");
    }

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        let stat = |state: &str, environment_end: &str| {
            format!("7 (a) b) {state} 3 5 6{} 4711{} {environment_end} 0", " 1".repeat(15), " 2".repeat(28))
        };
        let expected = Stat {
            has_ended: false,
            is_stopped: false,
            parent: 3,
            group: 5,
            session: 6,
            started: 4711,
            has_environment: true,
        };
        assert_eq!(parse(&stat("S", "140733193388032")), Some(expected));
        assert_eq!(parse(&stat("R", "0")), Some(Stat { has_environment: false, ..expected }));
        assert_eq!(parse(&stat("Z", "9")), Some(Stat { has_ended: true, ..expected }));
        assert_eq!(parse(&stat("T", "9")), Some(Stat { is_stopped: true, ..expected }));
        assert_eq!(parse(""), None);
    }

    #[test]
    fn this_process_is_there_with_its_parent_and_its_children() {
        let own = process::id();
        let mut child = process::Command::new("sleep").arg("86400").spawn().unwrap();
        assert!(children(own).contains(&child.id()));
        let stat = stat(child.id()).unwrap();
        assert_eq!((stat.parent, stat.has_ended, name(child.id()).as_str()), (own, false, "sleep"));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(super::stat(child.id()), None);
    }
}
