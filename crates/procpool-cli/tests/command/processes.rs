//! The state of any process, read from /proc, and waits for it.

use std::fs;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::{Folder, wait_for};

/// Whether a process with this pid exists.
pub(crate) fn lives(pid: &str) -> bool {
    test_kill_process(number(pid)).is_ok()
}

pub(crate) fn number(pid: &str) -> Pid {
    Pid::from_raw(pid.trim().parse().unwrap()).unwrap()
}

pub(crate) fn kill(pid: &str, signal: Signal) {
    kill_process(number(pid), signal).unwrap();
}

/// The kernel's letter for the state of a process: `T` is stopped, `Z` is a zombie.
pub(crate) fn state(pid: &str) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

/// Whether it does nothing until it is continued: it is stopped, or waits in vfork(2) for a child that is.
pub(crate) fn is_stopped(pid: &str) -> bool {
    match state(pid) {
        Some('T') => true,
        Some('D') => children(pid).iter().any(|child| state(child) == Some('T')),
        _ => false,
    }
}

pub(crate) fn is_gone(pid: &str) -> bool {
    matches!(state(pid), None | Some('Z' | 'X'))
}

/// The children of all its threads.
pub(crate) fn children(pid: &str) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// Waits until the process has a child.
pub(crate) fn only_child(parent: &str) -> String {
    let mut child = String::new();
    wait_for("it to have a child", || {
        child = children(parent).concat();
        !child.is_empty()
    });
    child
}

/// Waits until this many processes have written their pids to files with this prefix.
#[track_caller]
pub(crate) fn pids(folder: &Folder, prefix: &str, count: usize) -> Vec<String> {
    let mut pids = Vec::new();
    wait_for(&format!("{count} numbers in {prefix}*"), || {
        pids = folder.files(prefix).iter().filter_map(|file| whole_number(file)).collect();
        pids.len() == count
    });
    pids
}

fn whole_number(file: &Path) -> Option<String> {
    Some(fs::read_to_string(file).ok()?.strip_suffix('\n')?.to_owned())
}
