//! Ends all children of this process until there are none. A subreaper's children are all that its descendants leave behind:
//! what a process leaves when it is killed becomes a child of this one.

use std::thread;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, wait, waitpid};

use crate::guard::children::{children_of, number};
use crate::terminal::screen;
use procpool_journal::os::proc;

/// After this long what still lives can't be killed: another user's, or waiting for a dead disk.
const LAST_EFFORT: Duration = Duration::from_secs(5);

/// How long a pool that lives may take to end by itself what it has started.
const POOLS_EFFORT: Duration = Duration::from_millis(700);

/// Waits for the end of a pool that has heard that it is to end everything, and ends what is left. To kill it at once would take
/// away the one who knows what runs, while this process may be killed next.
pub(super) fn sweep_after(pool: Pid, before: &mut Vec<Pid>) {
    let until = Instant::now() + POOLS_EFFORT;
    // It may be stopped, and would not hear.
    let _ = kill_process(pool, Signal::CONT);
    while Instant::now() < until && !matches!(waitpid(Some(pool), WaitOptions::NOHANG), Ok(Some(_)) | Err(_))
    {
        thread::sleep(Duration::from_millis(1));
    }
    sweep(before);
}

/// Kills all but these, which were there before the run, and says what can't be killed.
///
/// Only wait(2) says that no child is left. The list in `/proc` names those to kill, but it can't always be read: opening it
/// takes a descriptor and memory.
pub(super) fn sweep(before: &mut Vec<Pid>) {
    let until = Instant::now() + LAST_EFFORT;
    loop {
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, _))) => before.retain(|earlier| *earlier != pid),
                // There is no child at all, as at most ends: nobody has to be looked for.
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
            // A child that was not reaped: it can't be anybody else.
            let _ = kill_process(*pid, Signal::KILL);
        }
        if Instant::now() > until {
            return give_up(&left);
        }
        // A process that forks and forks is faster than a long sleep.
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
    // Whoever can't see it can't be helped.
    screen::say(&text);
}
