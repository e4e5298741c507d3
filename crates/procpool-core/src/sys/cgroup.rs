//! Finds the memory cgroup of this process and the folder with its files.

use std::fs;
use std::path::{Path, PathBuf};

/// A memory cgroup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MemoryCgroup {
    pub(crate) version: Version,
    /// The folder with its files.
    pub(crate) folder: PathBuf,
    /// The folder of the topmost cgroup that is visible here; the limits of all in between apply too.
    pub(crate) top: PathBuf,
}

/// The kernel has two interfaces for cgroups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    One,
    Two,
}

impl MemoryCgroup {
    /// The current memory cgroup of this process.
    pub(crate) fn find() -> Option<MemoryCgroup> {
        let cgroups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        // Mount points need not be UTF-8.
        let mounts = fs::read("/proc/self/mountinfo").unwrap_or_default();
        MemoryCgroup::named_in(&cgroups, &String::from_utf8_lossy(&mounts))
    }

    /// Finds it by /proc/self/cgroup (`ID:CONTROLLERS:PATH`) and /proc/self/mountinfo. If version 1 has a memory
    /// controller, version 2 has none.
    fn named_in(cgroups: &str, mounts: &str) -> Option<MemoryCgroup> {
        let path_of = |wanted: fn(&str) -> bool| {
            cgroups.lines().find_map(|line| {
                let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
                wanted(controllers).then_some(path)
            })
        };
        if let Some(path) = path_of(|controllers| controllers.split(',').any(|name| name == "memory")) {
            let is_memory =
                |mount: &Mount| mount.kind == "cgroup" && mount.options.split(',').any(|o| o == "memory");
            return mounted(Version::One, mounts, path, is_memory);
        }
        let path = path_of(str::is_empty)?;
        mounted(Version::Two, mounts, path, |mount| mount.kind == "cgroup2")
    }
}

struct Mount<'a> {
    /// Which part of the hierarchy is mounted there; in a container often not all of it.
    root: &'a str,
    point: &'a str,
    kind: &'a str,
    options: &'a str,
}

fn mounted(
    version: Version,
    mounts: &str,
    path: &str,
    is_wanted: impl Fn(&Mount) -> bool,
) -> Option<MemoryCgroup> {
    mounts.lines().filter_map(mount).filter(is_wanted).find_map(|mount| {
        let below = Path::new(path).strip_prefix(mount.root).ok()?;
        let top = PathBuf::from(mount.point);
        Some(MemoryCgroup { version, folder: top.join(below), top })
    })
}

/// Parses a line of mountinfo, see proc(5): `36 35 98:0 ROOT POINT rw shared:1 - KIND SOURCE OPTIONS`. A name with a
/// space, which is written as `\040`, is not found.
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

    fn found(cgroups: &str, mounts: &str) -> Option<(Version, String, String)> {
        let found = MemoryCgroup::named_in(cgroups, mounts)?;
        let text = |path: PathBuf| path.to_str().unwrap().to_owned();
        Some((found.version, text(found.folder), text(found.top)))
    }

    fn cgroup(version: Version, folder: &str, top: &str) -> (Version, String, String) {
        (version, folder.to_owned(), top.to_owned())
    }

    #[test]
    fn version_1_is_found_by_its_controller() {
        let cgroups = "9:name=systemd:/\n4:memory:/a/b\n1:cpu,cpuacct:/c\n0::/\n";
        let expected = Some(cgroup(Version::One, "/sys/fs/cgroup/memory/a/b", "/sys/fs/cgroup/memory"));
        assert_eq!(found(cgroups, VERSION_1), expected);
    }

    #[test]
    fn version_2_is_found_where_no_controller_of_version_1_is() {
        let mounts = "31 25 0:28 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup rw\n";
        let expected = Some(cgroup(Version::Two, "/sys/fs/cgroup/user.slice/x:y", "/sys/fs/cgroup"));
        assert_eq!(found("0::/user.slice/x:y\n", mounts), expected);
    }

    #[test]
    fn in_a_container_only_what_is_mounted_is_looked_into() {
        let mounts = "31 25 0:28 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n";
        let expected = Some(cgroup(Version::One, "/sys/fs/cgroup/memory/sub", "/sys/fs/cgroup/memory"));
        assert_eq!(found("4:memory:/docker/abc/sub\n", mounts), expected);
        assert_eq!(found("4:memory:/docker/other\n", mounts), None);
    }

    #[test]
    fn where_nothing_is_mounted_there_is_none() {
        assert_eq!(found("4:memory:/\n0::/\n", "25 22 0:24 / /sys rw - sysfs sysfs rw\n"), None);
        assert_eq!(found("", VERSION_1), None);
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(cgroups in "[0-9:/a-z, \n-]{0,80}", mounts in "[0-9:/a-z, \n-]{0,80}") {
            let found = found(&cgroups, &mounts);
            prop_assert!(found.is_none_or(|(_, folder, top)| Path::new(&folder).starts_with(top)));
        }
    }
}
