//! Where the kernel counts the processes that it killed for want of memory, and the count.
//! Knows nothing of which process that was, or of any job.
//!
//! The count of our own memory cgroup says it best: it rises whether its limit or the whole machine ran out, and
//! not for processes of others. In version 2 cgroups below it count too; in version 1 only itself does. Where
//! there is none (no controller, or the root of version 2), the whole machine's is taken.

use std::fs;
use std::path::{Path, PathBuf};

/// A file in which a line `oom_kill N` stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OomCounter {
    file: PathBuf,
}

const OF_THE_MACHINE: &str = "/proc/vmstat";

impl OomCounter {
    /// The one for this process, as things stand now.
    pub(crate) fn find() -> OomCounter {
        let cgroups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        // Not all that is mounted somewhere is text.
        let mounts = fs::read("/proc/self/mountinfo").unwrap_or_default();
        let of_cgroup = file_of_cgroup(&cgroups, &String::from_utf8_lossy(&mounts));
        let readable = |file: PathBuf| Some(OomCounter { file }).filter(|counter| counter.read().is_some());
        of_cgroup.and_then(readable).unwrap_or_else(|| OomCounter { file: OF_THE_MACHINE.into() })
    }

    #[cfg(test)]
    pub(crate) fn in_file(file: &Path) -> OomCounter {
        OomCounter { file: file.to_owned() }
    }

    /// How many it has been so far; `None` where that can't be read, for want of a descriptor say.
    pub(crate) fn read(&self) -> Option<u64> {
        count_in(&fs::read_to_string(&self.file).ok()?)
    }
}

/// The number in the line `oom_kill N`.
fn count_in(text: &str) -> Option<u64> {
    let number = text.lines().find_map(|line| line.strip_prefix("oom_kill "))?;
    number.trim().parse().ok()
}

/// Where the memory cgroup named in /proc/self/cgroup (`ID:CONTROLLERS:PATH`) has its count, given
/// /proc/self/mountinfo. A memory controller of version 1 counts before the hierarchy of version 2, which has none then.
fn file_of_cgroup(cgroups: &str, mounts: &str) -> Option<PathBuf> {
    let path_of = |wanted: fn(&str) -> bool| {
        cgroups.lines().find_map(|line| {
            let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
            wanted(controllers).then_some(path)
        })
    };
    if let Some(path) = path_of(|controllers| controllers.split(',').any(|name| name == "memory")) {
        let is_memory =
            |mount: &Mount| mount.kind == "cgroup" && mount.options.split(',').any(|o| o == "memory");
        return Some(folder(mounts, path, is_memory)?.join("memory.oom_control"));
    }
    let path = path_of(str::is_empty)?;
    Some(folder(mounts, path, |mount| mount.kind == "cgroup2")?.join("memory.events"))
}

struct Mount<'a> {
    /// What of the hierarchy is mounted there: in a container often not all of it.
    root: &'a str,
    point: &'a str,
    kind: &'a str,
    options: &'a str,
}

fn folder(mounts: &str, path: &str, is_wanted: impl Fn(&Mount) -> bool) -> Option<PathBuf> {
    mounts.lines().filter_map(mount).filter(is_wanted).find_map(|mount| {
        let below = Path::new(path).strip_prefix(mount.root).ok()?;
        Some(Path::new(mount.point).join(below))
    })
}

/// A line of mountinfo, see proc(5): `36 35 98:0 ROOT POINT rw shared:1 - KIND SOURCE OPTIONS`. A name with a
/// space in it, written as `\040`, is not found.
fn mount(line: &str) -> Option<Mount<'_>> {
    let (front, back) = line.split_once(" - ")?;
    let mut front = front.split(' ').skip(3);
    let mut back = back.split(' ');
    let (root, point) = (front.next()?, front.next()?);
    let (kind, options) = (back.next()?, back.nth(1)?);
    Some(Mount { root, point, kind, options })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const VERSION_1: &str = "\
25 22 0:24 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
30 25 0:27 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct
31 25 0:28 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
35 25 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate
";

    fn file(cgroups: &str, mounts: &str) -> Option<String> {
        Some(file_of_cgroup(cgroups, mounts)?.to_str().unwrap().to_owned())
    }

    #[test]
    fn the_count_is_found_among_others() {
        assert_eq!(count_in("low 0\nhigh 1\nmax 17\noom 3\noom_kill 2\noom_group_kill 9\n"), Some(2));
        assert_eq!(count_in("oom_kill_disable 0\nunder_oom 0\noom_kill 5\n"), Some(5));
        assert_eq!(count_in("oom_kill_disable 0\nunder_oom 0\n"), None);
        assert_eq!(count_in("oom_kill x\n"), None);
    }

    #[test]
    fn version_1_is_found_by_its_controller() {
        let cgroups = "9:name=systemd:/\n4:memory:/a/b\n1:cpu,cpuacct:/c\n0::/\n";
        let expected = "/sys/fs/cgroup/memory/a/b/memory.oom_control";
        assert_eq!(file(cgroups, VERSION_1).as_deref(), Some(expected));
    }

    #[test]
    fn version_2_is_found_where_no_controller_of_version_1_is() {
        let mounts = "31 25 0:28 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup rw\n";
        let expected = Some("/sys/fs/cgroup/user.slice/x:y/memory.events".to_owned());
        assert_eq!(file("0::/user.slice/x:y\n", mounts), expected);
    }

    #[test]
    fn in_a_container_only_what_is_mounted_is_looked_into() {
        let mounts = "31 25 0:28 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n";
        let expected = Some("/sys/fs/cgroup/memory/sub/memory.oom_control".to_owned());
        assert_eq!(file("4:memory:/docker/abc/sub\n", mounts), expected);
        assert_eq!(file("4:memory:/docker/other\n", mounts), None);
    }

    #[test]
    fn where_nothing_is_mounted_there_is_none() {
        assert_eq!(file("4:memory:/\n0::/\n", "25 22 0:24 / /sys rw - sysfs sysfs rw\n"), None);
        assert_eq!(file("", VERSION_1), None);
    }

    #[test]
    fn this_machine_has_a_count() {
        assert!(OomCounter::find().read().is_some(), "{:?}", OomCounter::find());
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(cgroups in "[0-9:/a-z, \n-]{0,80}", mounts in "[0-9:/a-z, \n-]{0,80}") {
            let _ = file_of_cgroup(&cgroups, &mounts);
            let _ = count_in(&mounts);
        }
    }
}
