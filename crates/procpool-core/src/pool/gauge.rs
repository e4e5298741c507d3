//! Reads the load and the free memory of the machine, as far as the admission rules of a run need them.

use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::data::error::Error;
use crate::schedule::admission::{AdmissionRules, Reading};
use crate::sys::cgroup::{MemoryCgroup, Version};

/// Reads what the rules need, and nothing without rules.
pub(crate) struct Gauge {
    rules: AdmissionRules,
    /// Our memory cgroup and its ancestors: each may have a limit.
    levels: Vec<CgroupLevel>,
}

/// The files of a memory cgroup.
#[derive(Debug, PartialEq, Eq)]
struct CgroupLevel {
    limit: PathBuf,
    usage: PathBuf,
    statistics: PathBuf,
    /// The line of the statistics with the memory that is reclaimed on demand.
    reclaimable: &'static str,
}

const LOAD: &str = "/proc/loadavg";
const MEMORY: &str = "/proc/meminfo";

impl Gauge {
    /// Fails if a value that the rules need can't be read: else nothing would ever start.
    pub(crate) fn new(rules: AdmissionRules) -> Result<Gauge, Error> {
        let found = rules.memory_reserve.and_then(|_| MemoryCgroup::find());
        let levels = found.as_ref().map(levels).unwrap_or_default();
        let gauge = Gauge { rules, levels };
        let reading = gauge.read();
        if rules.load_limit.is_some() && reading.running_tasks.is_none() {
            return Err(unreadable("the number of running tasks", LOAD));
        }
        if rules.memory_reserve.is_some() && reading.available_memory.is_none() {
            return Err(unreadable("the available memory", MEMORY));
        }
        Ok(gauge)
    }

    pub(crate) fn read(&self) -> Reading {
        Reading {
            running_tasks: self.rules.load_limit.and_then(|_| running_in(&text(LOAD)?)),
            available_memory: self.rules.memory_reserve.and_then(|_| self.available()),
        }
    }

    fn available(&self) -> Option<u64> {
        let of_the_machine = available_in(&text(MEMORY)?)?;
        let of_cgroups = self.levels.iter().filter_map(CgroupLevel::room);
        Some(of_cgroups.fold(of_the_machine, u64::min))
    }
}

impl CgroupLevel {
    fn of(folder: &Path, version: Version) -> CgroupLevel {
        let (limit, usage, reclaimable) = match version {
            Version::One => ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
            Version::Two => ("memory.max", "memory.current", "inactive_file"),
        };
        let [limit, usage, statistics] = [limit, usage, "memory.stat"].map(|name| folder.join(name));
        CgroupLevel { limit, usage, statistics, reclaimable }
    }

    /// The memory left under the limit; `None` if it has no limit, like the root of version 2, or can't be read.
    fn room(&self) -> Option<u64> {
        let limit = text(&self.limit)?;
        // Most cgroups have no limit; the other files are expensive to read.
        limit.trim().parse::<u64>().ok()?;
        let reclaimable = value_in(&text(&self.statistics)?, self.reclaimable)?;
        room_in(&limit, &text(&self.usage)?, reclaimable)
    }
}

fn levels(cgroup: &MemoryCgroup) -> Vec<CgroupLevel> {
    let folders = cgroup.folder.ancestors().take_while(|folder| folder.starts_with(&cgroup.top));
    folders.map(|folder| CgroupLevel::of(folder, cgroup.version)).collect()
}

fn text(path: impl AsRef<Path>) -> Option<String> {
    fs::read_to_string(path).ok()
}

fn unreadable(what: &'static str, path: &str) -> Error {
    let reason = io::Error::other(format!("{path} can't be read or does not say it"));
    Error::resource(what, reason)
}

/// The number of runnable tasks, without the calling thread, from /proc/loadavg (`0.20 0.18 0.12 3/80 11206`).
fn running_in(loadavg: &str) -> Option<u64> {
    let (running, _) = loadavg.split(' ').nth(3)?.split_once('/')?;
    Some(running.parse::<u64>().ok()?.saturating_sub(1))
}

/// The memory available without swapping, in bytes, from /proc/meminfo (`MemAvailable:   123 kB`).
fn available_in(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The number in a line `NAME N`.
fn value_in(statistics: &str, name: &str) -> Option<u64> {
    let value = statistics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
    value.trim().parse().ok()
}

/// The memory left in a cgroup, given its limit, its usage, and how much of that is reclaimed on demand.
fn room_in(limit: &str, usage: &str, reclaimable: u64) -> Option<u64> {
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let held = number(usage)?.saturating_sub(reclaimable);
    Some(number(limit)?.saturating_sub(held))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn running_tasks_are_counted_without_who_looks() {
        assert_eq!(running_in("0.20 0.18 0.12 3/80 11206\n"), Some(2));
        assert_eq!(running_in("0.00 0.00 0.00 0/80 1\n"), Some(0));
        assert_eq!(running_in("0.20 0.18 0.12\n"), None);
    }

    #[test]
    fn available_memory_is_told_in_bytes() {
        let meminfo =
            "MemTotal:       16303428 kB\nMemFree:          530820 kB\nMemAvailable:    9876543 kB\n";
        assert_eq!(available_in(meminfo), Some(9_876_543 * 1024));
        assert_eq!(available_in("MemTotal: 5 kB\n"), None);
    }

    #[test]
    fn a_cgroup_has_left_what_it_does_not_hold_and_gives_back_its_file_pages() {
        assert_eq!(room_in("1000\n", "700\n", 200), Some(500));
        assert_eq!(room_in("1000\n", "1500\n", 200), Some(0));
        assert_eq!(room_in("max\n", "700\n", 0), None);
        let statistics = "anon 5\ninactive_file_x 7\ninactive_file 200\ntotal_inactive_file 300\n";
        assert_eq!(value_in(statistics, "inactive_file"), Some(200));
        assert_eq!(value_in(statistics, "total_inactive_file"), Some(300));
        assert_eq!(value_in(statistics, "file"), None);
    }

    #[test]
    fn each_cgroup_up_to_the_topmost_that_is_seen_has_a_say() {
        let cgroup = MemoryCgroup {
            version: Version::Two,
            folder: "/s/c/a/b".into(),
            top: "/s/c".into(),
        };
        let limits: Vec<PathBuf> = levels(&cgroup).into_iter().map(|level| level.limit).collect();
        let expected = ["/s/c/a/b/memory.max", "/s/c/a/memory.max", "/s/c/memory.max"];
        assert_eq!(limits, expected.map(PathBuf::from));
        let one = MemoryCgroup { version: Version::One, ..cgroup };
        assert_eq!(levels(&one)[0].usage, Path::new("/s/c/a/b/memory.usage_in_bytes"));
    }

    #[test]
    fn a_cgroup_is_read_from_its_files() {
        let folder = tempfile::tempdir().unwrap();
        let level = CgroupLevel::of(folder.path(), Version::Two);
        assert_eq!(level.room(), None);
        fs::write(&level.limit, "1000\n").unwrap();
        fs::write(&level.usage, "600\n").unwrap();
        fs::write(&level.statistics, "file 300\ninactive_file 100\n").unwrap();
        assert_eq!(level.room(), Some(500));
        fs::write(&level.limit, "max\n").unwrap();
        assert_eq!(level.room(), None);
    }

    #[test]
    fn this_machine_can_be_looked_at_and_nobody_looks_unasked() {
        let rules = AdmissionRules { load_limit: Some(1), memory_reserve: Some(1) };
        let reading = Gauge::new(rules).unwrap().read();
        assert!(reading.running_tasks.is_some());
        assert!(reading.available_memory.is_some_and(|available| available > 0));
        let unasked = Gauge::new(AdmissionRules::default()).unwrap().read();
        assert_eq!(unasked, Reading::default());
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in "[0-9a-zA-Z:/ \n]{0,60}", number: u64) {
            prop_assert!(running_in(&text).is_none_or(|_| text.contains('/')));
            prop_assert!(available_in(&text).is_none_or(|_| text.contains("MemAvailable:")));
            prop_assert!(room_in(&text, &text, number).is_none_or(|room| room <= number));
        }
    }
}
