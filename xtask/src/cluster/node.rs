//! Takes a node away: with all its processes, as a power cut does, or only its daemon, as a broken network
//! does.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::cluster::daemon::{Daemon, remove};
use crate::cluster::home::Home;
use crate::cluster::size::ClusterSize;
use torture::census::children;

/// Kills all processes of a node at once.
pub(crate) fn kill(home: &Home, node: &str) -> Result<()> {
    check(home, node)?;
    let count = end(home, node)?;
    eprintln!("killed {node}: {count} processes");
    Ok(())
}

/// Kills only the node's daemon.
pub(crate) fn cut(home: &Home, node: &str) -> Result<()> {
    check(home, node)?;
    let daemon = Daemon::Node(node.to_owned());
    daemon.signal(home, Signal::KILL)?;
    remove(&daemon.pid_file(home))?;
    eprintln!("cut off {node}");
    Ok(())
}

/// Kills all that a node runs, and returns how many processes that were.
pub(crate) fn end(home: &Home, node: &str) -> Result<usize> {
    let daemon = Daemon::Node(node.to_owned());
    let mut stopped = BTreeSet::new();
    // All are stopped before the first one is killed, so that none starts another meanwhile or sees that
    // one is gone. The search is repeated for children that were started before a stop.
    loop {
        let found = processes(home, &daemon);
        let new: Vec<i32> = found.into_iter().filter(|number| stopped.insert(*number)).collect();
        if new.is_empty() {
            break;
        }
        signal(&new, Signal::STOP);
    }
    let all: Vec<i32> = stopped.into_iter().collect();
    signal(&all, Signal::KILL);
    remove(&daemon.pid_file(home))?;
    Ok(all.len())
}

fn check(home: &Home, node: &str) -> Result<()> {
    let size = ClusterSize::read(home)?.context("no cluster: `cargo xtask cluster start` makes one")?;
    let names: Vec<String> = size.names().collect();
    ensure!(names.iter().any(|name| name == node), "no node {node}: there are {}", names.join(" "));
    let is_up = Daemon::Node(node.to_owned()).process(home).is_some();
    ensure!(is_up, "{node} is down: `cargo xtask cluster start` brings it back");
    Ok(())
}

fn signal(processes: &[i32], signal: Signal) {
    for process in processes.iter().filter_map(|number| Pid::from_raw(*number)) {
        // It may have ended already.
        let _ = kill_process(process, signal);
    }
}

/// The daemon, its steps, and all their descendants.
fn processes(home: &Home, daemon: &Daemon) -> BTreeSet<i32> {
    let mut found = BTreeSet::new();
    let mut parents: Vec<Pid> = daemon.process(home).into_iter().chain(steps(home, daemon)).collect();
    while let Some(parent) = parents.pop() {
        if found.insert(parent.as_raw_pid()) {
            parents.extend(children(parent));
        }
    }
    found
}

/// A step is not a child of the daemon. It holds the daemon's log open as its descriptor 3.
fn steps(home: &Home, daemon: &Daemon) -> Vec<Pid> {
    let log = home.log(&daemon.name());
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?));
    let is_step = |process: &Pid| {
        fs::read(format!("/proc/{process}/comm")).is_ok_and(|name| name == b"slurmstepd\n")
            && fs::read_link(format!("/proc/{process}/fd/3")).is_ok_and(|file| file == log)
    };
    numbers.filter(is_step).collect()
}
