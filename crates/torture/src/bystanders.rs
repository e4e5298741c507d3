//! Bystanders: processes that are not procpool's, started before it and between its jobs, so that their
//! process IDs lie next to those of its own. A signal to one of them is a fault, whatever else is right.
//!
//! They do nothing, and catch and ignore no signal (`round::prepare`), so wait(2) tells their parent about
//! every signal that ends or stops one.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::io::retry_on_intr;
use rustix::process::{Pid, WaitId, WaitIdOptions, WaitIdStatus, WaitStatus, waitid};

/// The bystanders of a round.
pub(crate) struct Bystanders {
    begun: Instant,
    last: Instant,
    members: Vec<Child>,
    /// What happened to those that were signalled.
    hurt: Vec<String>,
}

/// How many run before procpool starts.
const AT_FIRST: usize = 12;

/// The most that run at once. Each further one replaces the oldest.
const MOST: usize = 60;

/// The pause before another one starts: short while procpool starts its first jobs, longer later.
const DENSE: Duration = Duration::from_millis(3);
const SPARSE: Duration = Duration::from_millis(25);
const RUSH: Duration = Duration::from_millis(150);

/// In seconds: longer than any round, and short enough to go away where a torture was interrupted.
const FOR_EVER: &str = "120";

impl Bystanders {
    fn nobody() -> Bystanders {
        let begun = Instant::now();
        Bystanders { begun, last: begun, members: Vec::new(), hurt: Vec::new() }
    }

    pub(crate) fn start() -> Result<Bystanders> {
        let mut bystanders = Bystanders::nobody();
        for _ in 0..AT_FIRST {
            bystanders.add()?;
        }
        Ok(bystanders)
    }

    /// Starts one more.
    pub(crate) fn add(&mut self) -> Result<u32> {
        let mut command = Command::new("sleep");
        command.arg(FOR_EVER).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // Every second one leads a process group: a signal to a group whose ID we mistook would reach it.
        if self.members.len() % 2 == 0 {
            command.process_group(0);
        }
        let member = command.spawn().context("can't start a bystander")?;
        let number = member.id();
        self.members.push(member);
        self.last = Instant::now();
        Ok(number)
    }

    /// Starts another one, if it is time, and ends the oldest.
    pub(crate) fn rotate(&mut self) -> Result<()> {
        let pause = if self.begun.elapsed() < RUSH { DENSE } else { SPARSE };
        if self.last.elapsed() < pause {
            return Ok(());
        }
        if self.members.len() >= MOST {
            let oldest = self.members.remove(0);
            self.dismiss(oldest)?;
        }
        self.add().map(drop)
    }

    /// Takes note of a reaped child. A bystander should never end, so it was hurt.
    pub(crate) fn note_reaped(&mut self, pid: Pid, status: WaitStatus) {
        let place = self.members.iter().position(|member| Pid::from_child(member) == pid);
        if place.map(|place| self.members.remove(place)).is_some() {
            self.hurt.push(format!("process {pid} ended: {status:?}"));
        }
    }

    /// Replaces bystanders until `is_over`, and returns what happened to those that were signalled.
    pub(crate) fn watch_until(mut self, is_over: impl Fn() -> bool) -> Result<Vec<String>> {
        while !is_over() {
            thread::sleep(DENSE);
            self.rotate()?;
        }
        self.finish()
    }

    /// Ends all of them, and returns what happened to those that were signalled.
    pub(crate) fn finish(mut self) -> Result<Vec<String>> {
        for member in std::mem::take(&mut self.members) {
            self.dismiss(member)?;
        }
        Ok(std::mem::take(&mut self.hurt))
    }

    fn dismiss(&mut self, mut member: Child) -> Result<()> {
        let pid = Pid::from_child(&member);
        let what =
            WaitIdOptions::EXITED | WaitIdOptions::STOPPED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let status =
            retry_on_intr(|| waitid(WaitId::Pid(pid), what)).context("can't wait for a bystander")?;
        if let Some(status) = status {
            self.hurt.push(format!("process {pid} {}", describe(&status)));
        }
        let _ = member.kill();
        member.wait().context("can't wait for a bystander")?;
        Ok(())
    }
}

impl Drop for Bystanders {
    fn drop(&mut self) {
        for member in &mut self.members {
            let _ = member.kill();
            let _ = member.wait();
        }
    }
}

fn describe(status: &WaitIdStatus) -> String {
    let ways = [
        ("died of", status.terminating_signal()),
        ("was stopped by", status.stopping_signal()),
        ("exited with", status.exit_status()),
    ];
    let way = ways.into_iter().find_map(|(way, number)| Some(format!("{way} {}", number?)));
    way.unwrap_or_else(|| "did something".to_owned())
}

#[cfg(test)]
mod tests {
    use rustix::process::{Signal, kill_process};

    use super::*;

    fn signalled(signal: Signal) -> Vec<String> {
        let mut bystanders = Bystanders::nobody();
        let pid = bystanders.add().unwrap();
        bystanders.add().unwrap();
        let process = Pid::from_raw(pid.try_into().unwrap()).unwrap();
        kill_process(process, signal).unwrap();
        let until = WaitIdOptions::EXITED | WaitIdOptions::STOPPED | WaitIdOptions::NOWAIT;
        waitid(WaitId::Pid(process), until).unwrap();
        let hurt = bystanders.finish().unwrap();
        hurt.into_iter().map(|line| line.replace(&pid.to_string(), "N")).collect()
    }

    #[test]
    fn whoever_is_killed_or_stopped_or_hung_up_on_is_named_and_nobody_else() {
        sleeper::heed_all_signals();
        assert_eq!(signalled(Signal::KILL), ["process N died of 9"]);
        assert_eq!(signalled(Signal::HUP), ["process N died of 1"]);
        assert_eq!(signalled(Signal::STOP), ["process N was stopped by 19"]);
        assert!(Bystanders::start().unwrap().finish().unwrap().is_empty());
    }
}
