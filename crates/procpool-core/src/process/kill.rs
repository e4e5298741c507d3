//! Kills a job's process with all of its descendants, and waits until they are gone.
//!
//! A process that is just forking can't be killed together with its new child, which is on no list yet. So all are stopped
//! first, until nobody is left who could fork, and then killed, children before parents: else the kernel would continue
//! children that are stopped and whose process group becomes orphaned.

use std::time::{Duration, Instant};
use std::{io, thread};

use rustix::process::Signal;

use crate::outcome::Survivor;
use crate::process::child::Child;
use crate::process::descendants::{Descendants, Kernel, Member, SearchScope};
use crate::sys::proc;
use crate::sys::status::Stat;

/// Asks `/proc`.
pub(crate) struct ProcFs;

/// How long to wait for processes to stop. One that a busy machine doesn't schedule, or that waits for a disk, is
/// then killed as it is.
const STOPPING: Duration = Duration::from_millis(10);

/// A killed process is gone within moments; one with much memory takes longer. One that can't be killed, such as
/// another user's, has this long to end by itself.
const LAST_EFFORT: Duration = Duration::from_secs(2);

const SHORTEST_PAUSE: Duration = Duration::from_micros(200);
const LONGEST_PAUSE: Duration = Duration::from_millis(5);

impl Kernel for ProcFs {
    fn stat(&self, pid: i32) -> io::Result<Option<Stat>> {
        proc::stat(pid)
    }

    fn children(&self, pid: i32) -> Vec<i32> {
        proc::children(pid)
    }

    fn candidates(&self, reach: SearchScope) -> Vec<i32> {
        match reach {
            SearchScope::Adopted => proc::own_children(),
            SearchScope::AllProcesses => proc::all_pids(),
        }
    }
}

/// Kills the job's process group, its process, and all of its descendants that can be found.
pub(crate) fn kill(child: &Child, descendants: &mut Descendants) {
    child.stop();
    stop(descendants.members());
    let until = Instant::now() + STOPPING;
    loop {
        // Before the scan: only a process that was at rest by then can't have a child that the scan misses.
        let members = descendants.members();
        let is_at_rest = child.is_at_rest() && members.iter().all(|member| proc::is_at_rest(member.pid));
        let found = descendants.scan(&ProcFs);
        stop(&found);
        if (is_at_rest && found.is_empty()) || Instant::now() >= until {
            break;
        }
        thread::sleep(SHORTEST_PAUSE);
    }
    for member in descendants.members().iter().rev() {
        let _ = proc::signal(member.pid, member.started, Signal::KILL);
    }
    child.kill();
}

/// Waits until all processes of a job that has ended are gone, killing those that are left. Returns those that
/// can't be killed.
pub(crate) fn end(child: &Child, mut descendants: Descendants) -> Vec<Survivor> {
    let until = Instant::now() + LAST_EFFORT;
    let mut pause = SHORTEST_PAUSE;
    loop {
        descendants.scan(&ProcFs);
        if descendants.is_empty() {
            return Vec::new();
        }
        if Instant::now() >= until {
            return descendants.members().iter().map(survivor).collect();
        }
        kill(child, &mut descendants);
        thread::sleep(pause);
        pause = (2 * pause).min(LONGEST_PAUSE);
    }
}

fn stop(members: &[Member]) {
    for member in members {
        let _ = proc::signal(member.pid, member.started, Signal::STOP);
    }
}

fn survivor(member: &Member) -> Survivor {
    Survivor {
        pid: member.pid.unsigned_abs(),
        program: proc::program(member.pid),
    }
}
