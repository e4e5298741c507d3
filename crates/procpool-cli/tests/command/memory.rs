//! Jobs that the kernel kills for lack of memory, in a memory cgroup that is made for the case.
//!
//! If no cgroup can be made (no permission, no controller), a case says so and ends. How procpool reads the
//! kernel's counts is tested in the library, with counts of the tests' own.

use std::fs;
use std::path::PathBuf;

use sleeper::needs;

use crate::{Folder, wait_for};

/// A memory cgroup below ours, removed at the end of its case.
struct Cgroup(PathBuf);

/// Much more than procpool uses, so that procpool is not the largest process when the jobs together use the
/// rest.
const BYTES: &str = "200000000";

impl Cgroup {
    fn new(name: &str) -> Option<Cgroup> {
        let made = Cgroup::make(&format!("procpool-{name}-{}", std::process::id()));
        if made.is_none() {
            needs::skip(needs::NO_MEMORY_CGROUP);
        }
        made
    }

    fn make(name: &str) -> Option<Cgroup> {
        let ours = fs::read_to_string("/proc/self/cgroup").ok()?;
        let path = |of: &str| ours.lines().find_map(|line| line.split_once(':')?.1.strip_prefix(of));
        let (parent, limits) = match (path("memory:/"), path(":/")) {
            (Some(path), _) => {
                (PathBuf::from("/sys/fs/cgroup/memory").join(path), ["memory.limit_in_bytes"; 2])
            }
            (None, path) => (PathBuf::from("/sys/fs/cgroup").join(path?), ["memory.max", "memory.swap.max"]),
        };
        let folder = parent.join(name);
        fs::create_dir(&folder).ok()?;
        let cgroup = Cgroup(folder);
        // Without the controller, the folder can be made, but these files don't exist.
        fs::write(cgroup.0.join(limits[0]), BYTES).ok()?;
        if limits[1] == "memory.swap.max" {
            let _ = fs::write(cgroup.0.join(limits[1]), "0");
        }
        // The rules of version 2 may allow no process in this cgroup; then nothing can be tested here.
        let join = format!("echo $$ > '{}'", cgroup.0.join("cgroup.procs").display());
        let joined = std::process::Command::new("sh").args(["-c", &join]).status();
        joined.ok()?.success().then_some(cgroup)
    }

    /// Shell code that joins the cgroup, to be run before anything else.
    fn join(&self) -> String {
        format!("echo $$ > '{}'/cgroup.procs && ", self.0.display())
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // Its last process may still be exiting.
        wait_for("the end of the memory cgroup", || fs::remove_dir(&self.0).is_ok() || !self.0.exists());
    }
}

#[test]
fn a_job_that_the_kernel_kills_for_want_of_memory_says_so() {
    let Some(cgroup) = Cgroup::new("one") else { return };
    // tail keeps the last line in memory, and this one has no end.
    let run = cgroup.join() + "exec procpool run -j1 -k tail ::: /dev/zero /dev/null";
    let ended = Folder::new().sh(&run).end().exited(1).printed("");
    ended.said("2 jobs: 1 succeeded, 1 failed; ").said("\n  /dev/zero: killed by SIGKILL, out of memory, ");
}

#[test]
fn a_job_that_is_killed_by_hand_does_not_say_that_it_was_for_want_of_memory() {
    let Some(cgroup) = Cgroup::new("hand") else { return };
    let folder = Folder::new();
    folder.write_program("eat", "#!/bin/sh\nexec tail /dev/zero\n");
    folder.write_program("before", "#!/bin/sh\nkill -9 $$\n");
    folder.write_program("after", "#!/bin/sh\nkill -9 $$\n");
    let run = cgroup.join() + "exec procpool run -j1 {} ::: ./before ./eat ./after";
    let ended = folder.sh(&run).end().exited(1).said("3 failed");
    let ended = ended.said("\n  ./eat: killed by SIGKILL, out of memory, ");
    let text = ended.error_text();
    assert_eq!(text.matches("out of memory").count(), 1, "{text}");
}

#[test]
fn each_of_many_jobs_that_the_kernel_kills_says_so() {
    let Some(cgroup) = Cgroup::new("many") else { return };
    let run = cgroup.join() + "exec procpool run -j4 tail ::: $(yes /dev/zero | head -n 12)";
    let ended = Folder::new().sh(&run).end().exited(1).said("12 failed");
    let text = ended.error_text();
    assert_eq!(text.matches("killed by SIGKILL, out of memory").count(), 12, "{text}");
}
