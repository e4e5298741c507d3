//! Kills all children of this process until there are none. As a subreaper it adopts whatever its descendants
//! leave behind, so killing a process makes that one's children ours.

use std::thread;
use std::time::{Duration, Instant};

use procpool_journal::os::proc;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, wait, waitpid};

use crate::guard::children::{children_of, number};
use crate::terminal::screen;

/// What still lives after this long can't be killed: it is another user's, or waits for a dead disk.
const LAST_EFFORT: Duration = Duration::from_secs(5);

/// How long a pool that is alive may take to kill its jobs itself.
const POOLS_EFFORT: Duration = Duration::from_millis(700);

/// Waits for a pool that is killing its jobs, and then kills what is left. The pool is not killed at once: it
/// knows what runs, and this process may be the next that is killed.
pub(super) fn sweep_after(pool: Pid, before: &mut Vec<Pid>) {
    let until = Instant::now() + POOLS_EFFORT;
    // It may be stopped.
    let _ = kill_process(pool, Signal::CONT);
    while Instant::now() < until && !matches!(waitpid(Some(pool), WaitOptions::NOHANG), Ok(Some(_)) | Err(_))
    {
        thread::sleep(Duration::from_millis(1));
    }
    sweep(before);
}

/// Kills all children but those in `before`, which are older than the run, and reports those that can't be
/// killed.
///
/// Only wait(2) tells that no child is left. The list in `/proc` names those to kill, but reading it takes a
/// descriptor and memory, so it can fail.
pub(super) fn sweep(before: &mut Vec<Pid>) {
    let until = Instant::now() + LAST_EFFORT;
    loop {
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, _))) => before.retain(|earlier| *earlier != pid),
                // The usual case: `/proc` need not be read.
                Err(Errno::CHILD) => return,
                Ok(None) | Err(_) => break,
            }
        }
        let children = children_of(getpid()).unwrap_or_default();
        let left: Vec<Pid> = children.iter().copied().filter(|child| !before.contains(child)).collect();
        if left.is_empty() && !children.is_empty() {
            return;
        }
        for pid in &left {
            // An unreaped child: its number can't belong to another process.
            let _ = kill_process(*pid, Signal::KILL);
        }
        if Instant::now() > until {
            return give_up(&left);
        }
        // Short, because a process that keeps forking would win otherwise.
        thread::sleep(Duration::from_micros(200));
    }
}

fn give_up(left: &[Pid]) {
    let list: Vec<String> = left.iter().map(|pid| format!("{pid} ({})", proc::name(number(*pid)))).collect();
    let text = if list.is_empty() {
        "procpool: can't list its children; processes of the run may be left\n".to_owned()
    } else {
        format!("procpool: these processes of the run could not be killed: {}\n", list.join(", "))
    };
    screen::say(&text);
}
