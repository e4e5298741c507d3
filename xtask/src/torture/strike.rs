//! Sends the signals of a round, at their moment, to the process that is meant.
//! It does not know what they are to do.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::fd::OwnedFd;
use rustix::process::{Pid, PidfdFlags, pidfd_open, pidfd_send_signal};

use crate::torture::census;
use crate::torture::ending::{Struck, signal};
use crate::torture::plan::{Blow, Kind, Moment, Target};
use crate::torture::stage::Procpool;

/// Signals that were sent.
#[derive(Default)]
pub(crate) struct Strike {
    pub(crate) struck: Struck,
    /// When KILL was.
    pub(crate) killed: Option<Instant>,
}

/// How long a child of procpool is looked for.
const LONGEST_LOOK: Duration = Duration::from_millis(400);

/// Waits for the moment and sends what is to be sent, unless procpool has ended before.
pub(crate) fn strike(blow: &Blow, procpool: &Procpool) -> Result<Strike> {
    wait_for(blow.moment, procpool)?;
    let mut strike = Strike::default();
    strike.struck.settled = procpool.heard();
    let (process, target) = aim(blow.target, procpool.process.guardian)?;
    for (number, kind) in blow.kinds.iter().enumerate() {
        if number > 0 {
            thread::sleep(blow.pause);
        }
        if procpool.process.has_ended()? || pidfd_send_signal(&process, signal(*kind)).is_err() {
            break;
        }
        strike.struck.kinds.push(*kind);
        strike.struck.target = Some(target);
        if *kind == Kind::Kill {
            strike.killed = Some(Instant::now());
        }
    }
    Ok(strike)
}

fn wait_for(moment: Moment, procpool: &Procpool) -> Result<()> {
    match moment {
        Moment::Started(after) => thread::sleep(after.saturating_sub(procpool.process.started.elapsed())),
        Moment::Forked(after) => {
            // Without a pause: what comes right after the fork is what is wanted.
            while census::children(procpool.process.guardian).is_empty()
                && procpool.process.started.elapsed() < LONGEST_LOOK
                && !procpool.process.has_ended()?
            {
                thread::yield_now();
            }
            thread::sleep(after);
        }
    }
    Ok(())
}

/// The process that is meant, or where there is no pool the one that there is.
pub(crate) fn aim(target: Target, guardian: Pid) -> Result<(OwnedFd, Target)> {
    if target == Target::Pool {
        if let Some(pool) = pool_below(guardian) {
            return Ok((pool, Target::Pool));
        }
    }
    let held = pidfd_open(guardian, PidfdFlags::empty()).context("can't hold procpool")?;
    Ok((held, Target::Guardian))
}

/// Held, so that its number can't be another's by the time when the signal goes out.
fn pool_below(front: Pid) -> Option<OwnedFd> {
    let own = census::program(front).ok()?;
    let below = |parent: Pid| {
        let is_own = |child: &Pid| census::program(*child).is_ok_and(|program| program == own);
        census::children(parent).into_iter().find(is_own)
    };
    let keeper = below(front)?;
    let pool = below(keeper)?;
    let held = pidfd_open(pool, PidfdFlags::empty()).ok()?;
    (census::parent(pool) == Some(keeper)).then_some(held)
}
