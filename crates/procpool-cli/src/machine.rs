//! What a run asks of the machine: its priority, and room for it, by a higher limit of descriptors or fewer jobs.
//! Knows nothing of how many are needed; `descriptors.rs` does.

use anyhow::anyhow;
use procpool_core::{Limit, LocalProcess};
use rustix::process::{Resource, Rlimit, getrlimit, nice, setrlimit};

use crate::descriptors::{Jobs, Need, Soft};
use crate::screen;

/// Changes the priority of this process by so much, and with it that of each thread and process that it makes.
///
/// # Errors
/// Where that isn't allowed: usually a higher one.
pub(crate) fn renice(by: Option<i32>) -> anyhow::Result<()> {
    let Some(by) = by else { return Ok(()) };
    match nice(by) {
        Ok(_) => Ok(()),
        Err(error) => Err(anyhow!("--nice {by} is not allowed here: {error}; give a number from 0 to 19")),
    }
}

/// The limit that this machine has descriptors for, and a runner whose jobs don't notice what was done for
/// it. `jobs` is how many there are at most.
pub(crate) fn make_room(limit: Limit, jobs: Option<usize>, local: LocalProcess) -> (Limit, LocalProcess) {
    let at_once = jobs.map_or(limit.get(), |jobs| jobs.min(limit.get()));
    let Rlimit { current: soft, maximum: hard } = getrlimit(Resource::Nofile);
    let mut plan = Need { jobs: at_once, soft, hard }.plan();
    let mut allowed = hard;
    let mut local = local;
    if let (Soft::RaiseTo(more), Some(before)) = (plan.soft, soft) {
        match setrlimit(Resource::Nofile, Rlimit { current: Some(more), maximum: hard }) {
            Ok(()) => local = local.descriptor_limit(before),
            // Something stronger than the hard limit forbids it. What there is has to do.
            Err(_) => {
                allowed = soft;
                plan = Need { jobs: at_once, soft, hard: soft }.plan();
            }
        }
    }
    match plan.jobs {
        Jobs::Keep => (limit, local),
        Jobs::ClampTo(room) => {
            warn(at_once, room, allowed);
            (Limit::new(room).unwrap_or(limit), local)
        }
    }
}

fn warn(wanted: usize, room: usize, allowed: Option<u64>) {
    let allowed = allowed.map_or_else(|| "unlimited".to_owned(), |allowed| allowed.to_string());
    // Who can't see it has the same run.
    screen::say(&format!(
        "procpool: running {room} jobs at a time, not {wanted}: only {allowed} descriptors are allowed; \
         raise that with `ulimit -n`, or ask for fewer with -j\n"
    ));
}
