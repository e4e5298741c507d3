//! What a run changes on its machine: its priority, and room for it, by a higher limit of descriptors or by
//! fewer jobs. `os/descriptors.rs` computes how many descriptors are needed.

use std::io;

use anyhow::anyhow;
use procpool_core::{Limit, LocalProcess};
use rustix::io::{Errno, fcntl_dupfd_cloexec};
use rustix::process::{Resource, Rlimit, getrlimit, nice, setrlimit};
use rustix::stdio;

use crate::os::descriptors::{self, DescriptorNeed, JobLimit, SoftLimit};
use crate::terminal::screen;

/// Changes the priority of this process by this much, and so of all threads and processes that it creates.
///
/// # Errors
/// If that isn't allowed: usually for a higher priority.
pub(crate) fn renice(by: Option<i32>) -> anyhow::Result<()> {
    let Some(by) = by else { return Ok(()) };
    match nice(by) {
        Ok(_) => Ok(()),
        Err(error) => Err(anyhow!("--nice {by} is not allowed here: {error}; give a number from 0 to 19")),
    }
}

/// How many jobs are to run at once, as far as that is known before the run.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    pub(super) limit: Limit,
    jobs: Option<usize>,
    beside: Beside,
}

impl Wanted {
    /// `jobs` is the number of jobs at most.
    pub(crate) fn new(limit: Limit, jobs: Option<usize>, beside: Beside) -> Wanted {
        Wanted { limit, jobs, beside }
    }
}

/// Descriptors that a run needs in addition to its jobs'.
#[derive(Clone, Copy, Default)]
pub(crate) struct Beside {
    /// All descriptors for records and a journal.
    pub(crate) records: u64,
    /// Those among them that are opened only for a moment, while jobs run.
    pub(crate) spare: u64,
}

/// Raises the descriptor limit, or lowers the limit of jobs, as far as needed. Jobs of the returned runner
/// still get the old descriptor limit, and they leave records the descriptors that those need.
pub(crate) fn make_room(wanted: Wanted, local: LocalProcess) -> (Limit, LocalProcess) {
    let Wanted { limit, jobs, beside: Beside { records, spare } } = wanted;
    let at_once = jobs.map_or(limit.get(), |jobs| jobs.min(limit.get()));
    let Rlimit { current: soft, maximum: hard } = getrlimit(Resource::Nofile);
    let need = DescriptorNeed { records, jobs: at_once, soft, hard };
    let mut plan = need.plan();
    let mut allowed = hard;
    let mut local = local;
    if let (SoftLimit::RaiseTo(more), Some(before)) = (plan.soft, soft) {
        match setrlimit(Resource::Nofile, Rlimit { current: Some(more), maximum: hard }) {
            Ok(()) => local = local.descriptor_limit(before),
            // Something stricter than the hard limit forbids it, so the current limit has to do.
            Err(_) => {
                allowed = soft;
                plan = DescriptorNeed { hard: soft, ..need }.plan();
            }
        }
    }
    let local = if spare > 0 { local.spare_descriptors(spare) } else { local };
    match plan.jobs {
        JobLimit::Keep => (limit, local),
        JobLimit::ClampTo(room) => {
            warn(at_once, room, allowed);
            (Limit::new(room).unwrap_or(limit), local)
        }
    }
}

/// Checks that there are enough descriptors for one job at a time. This is done before the first job, because
/// that job would be reported as failed. Everything else that a run keeps open is open by now.
///
/// # Errors
/// If there are too few; the error says how many are needed.
pub(crate) fn check_room(beside: Beside) -> anyhow::Result<()> {
    let wanted = descriptors::for_one_job(beside.spare);
    // Duplicates an existing descriptor: a call that opens something new may be refused for other reasons,
    // and may have a fallback.
    let copies = (0..wanted).map(|_| fcntl_dupfd_cloexec(stdio::stderr(), 3));
    let held: Vec<_> = copies.take_while(|copy| !matches!(copy, Err(Errno::MFILE))).collect();
    let missing = wanted - held.len() as u64;
    if missing == 0 {
        return Ok(());
    }
    let allowed = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let error = anyhow::Error::from(io::Error::from(Errno::MFILE));
    Err(error.context(format!("no job can be run with so few descriptors, {} are needed", allowed + missing)))
}

fn warn(wanted: usize, room: usize, allowed: Option<u64>) {
    let allowed = allowed.map_or_else(|| "unlimited".to_owned(), |allowed| allowed.to_string());
    // If the message can't be written, the run is the same.
    screen::say(&format!(
        "procpool: running {room} jobs at a time, not {wanted}: only {allowed} descriptors are allowed; \
         raise that with `ulimit -n`, or ask for fewer with -j\n"
    ));
}
