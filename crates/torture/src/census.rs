//! Which processes of a round are left: finds, reaps, describes and kills them.
//!
//! There are two ways to find them. This process is their subreaper, so a process that loses its parent
//! becomes its child, and wait(2) without a child to wait for proves that none is left. And each process
//! inherits a variable, by which a search through /proc finds it anywhere, unless it has cleared its
//! environment.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, set_child_subreaper, wait};

/// The pause between two looks.
const PULSE: Duration = Duration::from_micros(500);

/// Processes by their IDs, each with a line that describes it.
pub type Found = BTreeMap<i32, String>;

/// Whether descendants are left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Descendants {
    Gone,
    Left,
}

/// Makes this process the parent of all descendants that lose theirs.
pub(crate) fn adopt_orphans() -> Result<()> {
    set_child_subreaper(Some(getpid())).context("can't adopt orphans")
}

/// Reaps descendants until none is left or the deadline has passed.
pub(crate) fn wait_until_gone(deadline: Instant) -> Result<Descendants> {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some(_)) | Err(Errno::INTR) => {}
            Ok(None) if Instant::now() < deadline => thread::sleep(PULSE),
            Ok(None) => return Ok(Descendants::Left),
            Err(Errno::CHILD) => return Ok(Descendants::Gone),
            Err(error) => return Err(error).context("can't wait for children"),
        }
    }
}

/// Waits until the only living descendants are those that may stay. Reaps none of them: procpool's exit
/// status is still to be read.
pub(crate) fn wait_until_only(may_stay: impl Fn(Pid) -> bool, deadline: Instant) -> Descendants {
    loop {
        if living().into_iter().all(&may_stay) {
            return Descendants::Gone;
        }
        if Instant::now() >= deadline {
            return Descendants::Left;
        }
        thread::sleep(PULSE * 4);
    }
}

/// Kills all descendants. It signals only its own children, whose IDs can't be reused before it reaps them;
/// their children become its own when they die.
pub(crate) fn kill_all(patience: Duration) -> Result<()> {
    let deadline = Instant::now() + patience;
    loop {
        for child in children(getpid()) {
            // It may have ended already.
            let _ = kill_process(child, Signal::KILL);
        }
        let round = deadline.min(Instant::now() + PULSE);
        match wait_until_gone(round)? {
            Descendants::Gone => return Ok(()),
            Descendants::Left if Instant::now() < deadline => {}
            Descendants::Left => bail!("these can't be killed: {:?}", descendants()),
        }
    }
}

/// All living descendants of this process.
pub(crate) fn descendants() -> Found {
    let described =
        living().into_iter().filter_map(|process| Some((process.as_raw_pid(), describe(process)?)));
    described.collect()
}

fn living() -> Vec<Pid> {
    let mut found = Vec::new();
    let mut parents = vec![getpid()];
    while let Some(parent) = parents.pop() {
        let children = children(parent);
        found.extend(children.iter().copied().filter(|child| has_not_ended(*child)));
        parents.extend(children);
    }
    found
}

/// All processes that have the variable `marker`, as `NAME=value`, in their environment.
///
/// # Errors
/// Where /proc can't be listed.
pub fn marked(marker: &str) -> Result<Found> {
    let mut found = Found::new();
    for entry in fs::read_dir("/proc").context("can't list processes")? {
        let name = entry.context("can't list processes")?.file_name();
        let Some(process) = name.to_str().and_then(|name| Pid::from_raw(name.parse().ok()?)) else {
            continue;
        };
        // The environment of other users' processes can't be read; those are not ours.
        let environment = fs::read(folder(process).join("environ")).unwrap_or_default();
        if environment.split(|byte| *byte == 0).any(|variable| variable == marker.as_bytes()) {
            found.extend(describe(process).map(|line| (process.as_raw_pid(), line)));
        }
    }
    Ok(found)
}

/// The children of a process, the oldest first; none where it has ended.
#[must_use]
pub fn children(parent: Pid) -> Vec<Pid> {
    let tasks = fs::read_dir(folder(parent).join("task")).into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let lists: String = lists.collect();
    lists.split_whitespace().filter_map(|number| Pid::from_raw(number.parse().ok()?)).collect()
}

/// The program that a process runs.
pub(crate) fn program(process: Pid) -> io::Result<PathBuf> {
    fs::read_link(folder(process).join("exe"))
}

/// The arguments that it was started with, the program's name included.
pub(crate) fn words(process: Pid) -> Vec<String> {
    let words = fs::read(folder(process).join("cmdline")).unwrap_or_default();
    words.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

/// The parent of a process that has not been reaped.
pub(crate) fn parent(process: Pid) -> Option<Pid> {
    Stat::of(process)?.parent
}

/// Whether it blocks or catches the signal.
pub(crate) fn handles_or_blocks(process: Pid, signal: Signal) -> bool {
    let status = fs::read_to_string(folder(process).join("status")).unwrap_or_default();
    let sets = ["SigBlk:", "SigCgt:"].into_iter().filter_map(|name| {
        let set = status.lines().find_map(|line| line.strip_prefix(name))?;
        u64::from_str_radix(set.trim(), 16).ok()
    });
    sets.fold(0, |all, set| all | set) >> (signal.as_raw() - 1) & 1 == 1
}

/// Whether it leads its process group. A process that it forks does not, unless it makes itself a leader.
pub(crate) fn leads_group(process: Pid) -> bool {
    Stat::of(process).is_some_and(|stat| stat.group == Some(process))
}

/// None where the process has ended, even if it is not reaped yet.
fn describe(process: Pid) -> Option<String> {
    let Stat { state, parent, .. } = Stat::of(process).filter(Stat::lives)?;
    let words = words(process).join(" ");
    let parent = parent.map_or(0, Pid::as_raw_pid);
    Some(format!("pid {process}, state {state}, parent {parent}: {}", words.trim_end()))
}

fn has_not_ended(process: Pid) -> bool {
    Stat::of(process).as_ref().is_some_and(Stat::lives)
}

struct Stat {
    state: String,
    parent: Option<Pid>,
    group: Option<Pid>,
}

impl Stat {
    fn of(process: Pid) -> Option<Stat> {
        let stat = fs::read_to_string(folder(process).join("stat")).ok()?;
        // The program's name, before this, may contain anything.
        let (_, after_name) = stat.rsplit_once(") ")?;
        let mut fields = after_name.split(' ').map(str::to_owned);
        let state = fields.next()?;
        // A process that is just being reaped has the group -1.
        let mut next = || Some(Pid::from_raw(fields.next()?.parse::<i32>().ok()?.max(0)));
        Some(Stat { state, parent: next()?, group: next()? })
    }

    fn lives(&self) -> bool {
        !"ZX".contains(&self.state)
    }
}

fn folder(process: Pid) -> PathBuf {
    PathBuf::from(format!("/proc/{process}"))
}

/// Waits for the end of all descendants of this process and of all processes with this marker.
///
/// # Errors
/// Names the processes that are left.
pub(crate) fn nobody_is_left(marker: &str, deadline: Instant) -> Result<()> {
    let state = wait_until_gone(deadline)?;
    let mut survivors = descendants();
    survivors.extend(marked(marker)?);
    ensure!(state == Descendants::Gone && survivors.is_empty(), "these are left: {survivors:?}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command};

    use super::*;

    /// A process that is killed with the test.
    struct Sleeper(Child);

    impl Sleeper {
        fn start(marker: &str) -> Sleeper {
            let (name, value) = marker.split_once('=').unwrap();
            Sleeper(Command::new(sleeper::binary()).arg("86400").env(name, value).spawn().unwrap())
        }

        fn pid(&self) -> Pid {
            Pid::from_child(&self.0)
        }
    }

    impl Drop for Sleeper {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    /// Runs a test in a process of its own: adopting and reaping would disturb the other tests.
    fn alone(test: &str, run: fn()) {
        const VARIABLE: &str = "CENSUS_ALONE";
        if std::env::var_os(VARIABLE).is_some() {
            return run();
        }
        let mut again = Command::new(std::env::current_exe().unwrap());
        let test = format!("{}::{test}", module_path!().split_once("::").unwrap().1);
        let output = again.args(["--exact", &test]).env(VARIABLE, "1").output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
    }

    #[test]
    fn a_daemon_without_environment_is_found_and_killed() {
        alone("a_daemon_without_environment_is_found_and_killed", || {
            adopt_orphans().unwrap();
            let mut sleeper = Command::new(sleeper::binary());
            sleeper.args("0 --quiet --daemon 86400 --deaf --clear-env".split(' ')).env("CENSUS", "2");
            assert!(sleeper.status().unwrap().success());
            assert!(marked("CENSUS=2").unwrap().is_empty());
            assert_eq!(descendants().len(), 1);
            assert_eq!(wait_until_gone(Instant::now()).unwrap(), Descendants::Left);
            kill_all(Duration::from_secs(10)).unwrap();
            assert_eq!(wait_until_gone(Instant::now()).unwrap(), Descendants::Gone);
            assert!(descendants().is_empty());
        });
    }

    #[test]
    fn whoever_goes_on_forking_is_caught_up_with() {
        alone("whoever_goes_on_forking_is_caught_up_with", || {
            adopt_orphans().unwrap();
            let mut sleeper = Command::new(sleeper::binary());
            let chain = "0 --quiet --fork-chain 86400 --count 60000 --deaf";
            assert!(sleeper.args(chain.split(' ')).status().unwrap().success());
            assert_eq!(wait_until_gone(Instant::now()).unwrap(), Descendants::Left);
            kill_all(Duration::from_secs(60)).unwrap();
            assert_eq!(wait_until_gone(Instant::now()).unwrap(), Descendants::Gone);
        });
    }

    #[test]
    fn a_process_is_found_by_its_parent_and_by_its_environment_while_it_lives() {
        let marker = format!("CENSUS={}", getpid());
        let mut process = Sleeper::start(&marker);
        // Just after the start the new program may not have its arguments and its environment yet.
        while !describe(process.pid()).unwrap().ends_with("sleeper 86400") {}
        assert!(descendants().contains_key(&process.pid().as_raw_pid()));
        assert_eq!(marked(&marker).unwrap().len(), 1);
        assert!(marked("CENSUS=").unwrap().is_empty());
        assert_eq!(parent(process.pid()), Some(getpid()));
        assert!(children(getpid()).contains(&process.pid()));
        assert_eq!(program(process.pid()).unwrap(), sleeper::binary().canonicalize().unwrap());

        process.0.kill().unwrap();
        // Not reaped yet once it is a zombie.
        while describe(process.pid()).is_some() {}
        assert_eq!(parent(process.pid()), Some(getpid()));
        assert!(marked(&marker).unwrap().is_empty());
    }
}
