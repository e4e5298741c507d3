//! The pool's last act: the keeper is dead, so nobody else might kill what this process leaves.

use std::thread;
use std::time::{Duration, Instant};

use procpool_core::{Handle, Processes};
use rustix::process::{Signal, kill_process};
use signal_hook::consts::SIGKILL;

use crate::guard::children::{children_of_all_threads, has_children};
use crate::guard::orphans::Orphans;
use crate::os::sys;
use crate::terminal::screen;

/// After this long the pool gives up and leaves the rest to the front.
const LAST_EFFORT: Duration = Duration::from_secs(1);

/// Kills all jobs, then all other children until there are none, then this process.
pub(super) fn kill_everything(handle: &Handle, processes: &Processes, orphans: &Orphans) -> ! {
    // A child that was stopped with our group before its exec would block its start, and so `processes.stop()`.
    for pid in children_of_all_threads(&numbers(processes)) {
        let _ = kill_process(pid, Signal::CONT);
    }
    // Nothing is started after this, and what is being started is on the list.
    let _stopped = processes.stop();
    handle.kill();
    screen::suspend();
    let until = Instant::now() + LAST_EFFORT;
    while Instant::now() < until {
        // In this order: what a job has left behind becomes our child before the job leaves the list.
        let known = numbers(processes);
        let unknown = children_of_all_threads(&known);
        for pid in &unknown {
            let _ = kill_process(*pid, Signal::KILL);
        }
        orphans.reap();
        if known.is_empty() && unknown.is_empty() && !has_children() {
            break;
        }
        thread::sleep(Duration::from_millis(1));
    }
    loop {
        sys::take_default_action(SIGKILL);
    }
}

/// The numbers of the jobs' own processes.
fn numbers(processes: &Processes) -> Vec<u32> {
    processes.list().iter().map(|process| process.pid).collect()
}
