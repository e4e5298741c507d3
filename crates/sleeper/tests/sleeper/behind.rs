//! The processes that sleeper leaves behind, for real: holders, daemons, storms, chains.

use crate::{sleeper, start};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, getpgid, kill_process, kill_process_group};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Child;
use tempfile::tempdir;

/// A process that a sleeper left behind, killed at the end of the test even if it fails.
struct LeftBehind(Pid);

impl LeftBehind {
    fn of(pid_file: &Path) -> Self {
        let pid = fs::read_to_string(pid_file).unwrap();
        Self(Pid::from_raw(pid.trim_end().parse().unwrap()).unwrap())
    }

    fn stream(&self, number: u8) -> PathBuf {
        fs::read_link(format!("/proc/{}/fd/{number}", self.0)).unwrap()
    }
}

/// The session of a process as in proc(5): `0` if its leader is outside of this pid namespace, which is
/// possible for a container's first process. `getsid` of rustix treats 0 as impossible.
fn session(process: &str) -> String {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let (_, after_name) = stat.rsplit_once(") ").unwrap();
    after_name.split(' ').nth(3).unwrap().to_owned()
}

/// All processes of a group, killed at the end of the test even if it fails.
struct Group(Pid);

impl Group {
    /// The group of a child that led it and has exited. The number can't be reused while the group has a
    /// member.
    fn of(child: &Child) -> Self {
        Self(Pid::from_child(child))
    }

    fn members(&self) -> Vec<String> {
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let numbers = processes.filter_map(|entry| entry.file_name().into_string().ok());
        let is_member = |number: &String| {
            // An entry that is no process, or a process that has just exited, is in no group.
            let stat = fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
            let fields = stat.rsplit_once(") ").map(|(_, after_name)| after_name.split(' '));
            fields.and_then(|mut fields| fields.nth(2)) == Some(&self.0.to_string())
        };
        numbers.filter(is_member).collect()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        _ = kill_process_group(self.0, Signal::KILL);
    }
}

/// Waits until this process catches INT, TERM and HUP.
fn wait_until_deaf(process: &str) {
    let deaf = (1 << 1) | (1 << 14) | 1;
    let mut caught = 0;
    while caught & deaf != deaf {
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:\t")).unwrap();
        caught = u64::from_str_radix(mask, 16).unwrap();
    }
}

impl Drop for LeftBehind {
    fn drop(&mut self) {
        _ = kill_process(self.0, Signal::KILL);
    }
}

#[test]
fn a_process_of_its_group_holds_stdout_when_it_is_gone() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("pid");
    let mut command = sleeper("0 --hold-stdout 86400 --pid-file");
    let mut child = start(command.arg(&file).process_group(0));
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    assert_eq!(child.wait().unwrap().code(), Some(0));

    let holder = LeftBehind::of(&file);
    assert_eq!(getpgid(Some(holder.0)), Ok(Pid::from_child(&child)));
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert_eq!(line, "time slept:0\n");
    let mut pipe = [PollFd::new(stdout.get_ref(), PollFlags::IN)];
    let no_time = Timespec::default();
    let ended = poll(&mut pipe, Some(&no_time));
    assert_eq!(ended, Ok(0), "the pipe has ended");

    drop(holder);
    assert_eq!(stdout.read_to_string(&mut line).unwrap(), 0);
}

#[test]
fn a_daemon_has_left_the_session_and_all_streams_when_it_is_gone() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("pid");
    // Its stdout ends although the daemon lives; otherwise this would hang.
    let mut command = sleeper("0 --daemon 86400 --pid-file");
    let output = command.arg(&file).output().unwrap();
    assert_eq!(output.status.code(), Some(0));

    let daemon = LeftBehind::of(&file);
    assert_ne!(session(&daemon.0.to_string()), session("self"));
    for number in [0, 1, 2] {
        assert_eq!(daemon.stream(number), Path::new("/dev/null"));
    }
    let files = fs::read_dir(&folder).unwrap().count();
    assert_eq!(files, 1, "an unfinished pid file was left");
}

#[test]
fn a_storm_of_its_group_holds_stdout_when_it_is_gone_and_is_as_deaf_as_it_was_told() {
    let mut command = sleeper("0 --quiet --fork-storm 86400 --count 3 --keep-stdout --deaf");
    let mut child = start(command.process_group(0));
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let group = Group::of(&child);
    let members = group.members();
    assert_eq!(members.len(), 3);
    for member in &members {
        wait_until_deaf(member);
    }
    drop(group);
    let mut text = String::new();
    child.stdout.unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "");
}

#[test]
fn of_a_chain_only_the_last_stays() {
    let mut command = sleeper("0 --quiet --fork-chain 86400 --count 4");
    let mut child = start(command.process_group(0));
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let group = Group::of(&child);
    let words = |member: &String| fs::read(format!("/proc/{member}/cmdline")).unwrap_or_default();
    let is_last = |member: &String| words(member).ends_with(b"\x0086400\0--quiet\0");
    while !matches!(&group.members()[..], [only] if is_last(only)) {}
}

#[test]
fn a_chain_that_has_come_to_its_end_has_let_go_of_stdout() {
    let mut child = start(&mut sleeper("0 --quiet --fork-chain 0 --count 4 --keep-stdout"));
    child.wait().unwrap();
    let mut text = String::new();
    // This ends only when the last process of the chain has exited.
    child.stdout.unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "");
}

#[test]
fn a_daemon_can_hold_stdout_and_have_no_environment() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("pid");
    let mut command = sleeper("0 --quiet --daemon 86400 --keep-stdout --clear-env --pid-file");
    let mut child = start(command.arg(&file));
    child.wait().unwrap();
    let daemon = LeftBehind::of(&file);
    assert_eq!(fs::read(format!("/proc/{}/environ", daemon.0)).unwrap(), b"");
    assert_ne!(daemon.stream(1), Path::new("/dev/null"));
    drop(daemon);
    let mut text = String::new();
    child.stdout.unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "");
}
