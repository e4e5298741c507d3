//! Where the kernel counts the processes that it killed for want of memory, and the count.
//! Knows nothing of which process that was, or of any job.
//!
//! The count of our own memory cgroup says it best: it rises whether its limit or the whole machine ran out, and
//! not for processes of others. In version 2 cgroups below it count too; in version 1 only itself does. Where
//! there is none (no controller, or the root of version 2), the whole machine's is taken.

use std::fs;
use std::path::PathBuf;

use crate::sys::cgroup::{MemoryCgroup, Version};

/// A file in which a line `oom_kill N` stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OomCounter {
    file: PathBuf,
}

const OF_THE_MACHINE: &str = "/proc/vmstat";

impl OomCounter {
    /// The one for this process, as things stand now.
    pub(crate) fn find() -> OomCounter {
        let of_cgroup = MemoryCgroup::find().map(|cgroup| OomCounter::of(&cgroup));
        let readable = of_cgroup.filter(|counter| counter.read().is_some());
        readable.unwrap_or_else(|| OomCounter { file: OF_THE_MACHINE.into() })
    }

    fn of(cgroup: &MemoryCgroup) -> OomCounter {
        let name = match cgroup.version {
            Version::One => "memory.oom_control",
            Version::Two => "memory.events",
        };
        OomCounter { file: cgroup.folder.join(name) }
    }

    #[cfg(test)]
    pub(crate) fn in_file(file: &std::path::Path) -> OomCounter {
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_count_is_found_among_others() {
        assert_eq!(count_in("low 0\nhigh 1\nmax 17\noom 3\noom_kill 2\noom_group_kill 9\n"), Some(2));
        assert_eq!(count_in("oom_kill_disable 0\nunder_oom 0\noom_kill 5\n"), Some(5));
        assert_eq!(count_in("oom_kill_disable 0\nunder_oom 0\n"), None);
        assert_eq!(count_in("oom_kill x\n"), None);
    }

    #[test]
    fn each_version_has_it_in_a_file_of_its_own() {
        let file =
            |version| OomCounter::of(&MemoryCgroup { version, folder: "/a/b".into(), top: "/a".into() }).file;
        assert_eq!(file(Version::One), Path::new("/a/b/memory.oom_control"));
        assert_eq!(file(Version::Two), Path::new("/a/b/memory.events"));
    }

    #[test]
    fn this_machine_has_a_count() {
        assert!(OomCounter::find().read().is_some(), "{:?}", OomCounter::find());
    }
}
