//! Sends the signals of a round, at the planned moment, to procpool's processes.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open, pidfd_send_signal};

use crate::attack::{Attack, Moment, SignalKind, TargetedSignal};
use crate::census;
use crate::ending::{AppliedAttack, signal};
use crate::folder::Procpool;
use crate::running::RunningProcpool;
use crate::target::{Member, Target};

/// What was sent, and when.
#[derive(Default)]
pub(crate) struct SentAttack {
    pub(crate) applied: AppliedAttack,
    /// When KILL was sent.
    pub(crate) killed: Option<Instant>,
    /// The processes, of which some may have to be continued.
    pub(crate) trio: Option<Trio>,
}

/// The longest wait for a child of procpool.
const LONGEST_LOOK: Duration = Duration::from_millis(400);

/// The longest wait for procpool's signal handlers.
const LONGEST_START: Duration = Duration::from_secs(10);

/// Waits for the moment and sends the signals, unless procpool has ended before.
pub(crate) fn send(attack: &Attack, procpool: &Procpool) -> Result<SentAttack> {
    wait_for(attack.moment, procpool)?;
    if procpool.process.is_first_of_namespace() {
        // The kernel drops a signal to a namespace's first process as long as that has no handler for it.
        wait_until_handled(attack.signals[0].kind, procpool)?;
    }
    let mut sent = SentAttack::default();
    sent.applied.settled = procpool.heard();
    // Opened before any process is killed: a pool whose parent is gone can't be found.
    let Some(trio) = Trio::of(&procpool.process)? else { return Ok(sent) };
    for (number, targeted) in attack.signals.iter().enumerate() {
        if number > 0 {
            thread::sleep(attack.pause);
        }
        let Some(target) = trio.send(*targeted, &procpool.process)? else { break };
        sent.applied.signals.push(TargetedSignal { target, ..*targeted });
        if targeted.kind == SignalKind::Kill {
            sent.killed = Some(Instant::now());
        }
    }
    sent.trio = Some(trio);
    Ok(sent)
}

fn wait_for(moment: Moment, procpool: &Procpool) -> Result<()> {
    match moment {
        Moment::Started(after) => thread::sleep(after.saturating_sub(procpool.process.started.elapsed())),
        Moment::Forked(after) => {
            // No sleep: the moment right after the fork is the interesting one.
            while census::children(procpool.process.front).is_empty()
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

fn wait_until_handled(kind: SignalKind, procpool: &Procpool) -> Result<()> {
    let is_never_handled = matches!(kind, SignalKind::Kill | SignalKind::Stop);
    let begun = Instant::now();
    while !is_never_handled
        && !census::handles_or_blocks(procpool.process.front, signal(kind))
        && begun.elapsed() < LONGEST_START
        && !procpool.process.has_ended()?
    {
        thread::yield_now();
    }
    Ok(())
}

/// pidfds of procpool's three processes, so that no signal can go to another process that reuses an ID.
pub(crate) struct Trio {
    front: OwnedFd,
    /// Keeper and pool; None where they don't exist yet or were not found.
    others: Option<[OwnedFd; 2]>,
}

impl Trio {
    /// None where procpool has ended and been reaped elsewhere.
    pub(crate) fn of(process: &RunningProcpool) -> Result<Option<Trio>> {
        let front = match pidfd_open(process.front, PidfdFlags::empty()) {
            Err(Errno::SRCH) => return Ok(None),
            front => front.context("can't hold procpool")?,
        };
        Ok(Some(Trio { front, others: others_below(process.front) }))
    }

    /// Which processes it reached, if any: where only the front exists, that gets all signals.
    pub(crate) fn send(&self, targeted: TargetedSignal, process: &RunningProcpool) -> Result<Option<Target>> {
        if process.has_ended()? {
            return Ok(None);
        }
        let signal = signal(targeted.kind);
        if let (Target::Group, Some(group)) = (targeted.target, process.group) {
            // The group's leader is not reaped yet, so its ID can't have been reused.
            return Ok(kill_process_group(group, signal).ok().map(|()| Target::Group));
        }
        let target = if self.others.is_some() { targeted.target } else { Target::Front };
        let reached = target.members().iter().filter(|member| self.send_to(**member, signal));
        Ok((reached.count() > 0).then_some(target))
    }

    /// Continues a process that was stopped.
    pub(crate) fn resume(&self, member: Member) {
        self.send_to(member, Signal::CONT);
    }

    fn send_to(&self, member: Member, signal: Signal) -> bool {
        let process = match (member, &self.others) {
            (Member::Keeper, Some([keeper, _])) => keeper,
            (Member::Pool, Some([_, pool])) => pool,
            _ => &self.front,
        };
        pidfd_send_signal(process, signal).is_ok()
    }
}

fn others_below(front: Pid) -> Option<[OwnedFd; 2]> {
    let own = census::program(front).ok()?;
    let below = |parent: Pid| {
        let is_own = |child: &Pid| census::program(*child).is_ok_and(|program| program == own);
        let child = census::children(parent).into_iter().find(is_own)?;
        let held = pidfd_open(child, PidfdFlags::empty()).ok()?;
        (census::parent(child) == Some(parent)).then_some((child, held))
    };
    let (keeper, keeper_held) = below(front)?;
    let (_, pool_held) = below(keeper)?;
    Some([keeper_held, pool_held])
}
