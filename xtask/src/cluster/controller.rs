//! Takes the controller away for a moment, as a crash or a restart does.

use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};
use rustix::process::Signal;

use crate::cluster::daemon::Daemon;
use crate::cluster::home::Home;
use crate::cluster::wait::comes_true;
use crate::shell;

/// Long enough that regular requests find it gone.
const ABSENCE: Duration = Duration::from_secs(3);
const PATIENCE: Duration = Duration::from_secs(60);

/// Ends the controller by a signal, starts it again after a while, and returns when it answers.
pub(crate) fn bounce(home: &Home, signal: Signal) -> Result<()> {
    let controller = Daemon::Controller;
    ensure!(controller.process(home).is_some(), "no controller: `cargo xtask cluster start` brings it back");
    controller.signal(home, signal)?;
    ensure!(comes_true(PATIENCE, || controller.process(home).is_none()), "the controller doesn't end");
    thread::sleep(ABSENCE);
    controller.start(home)?;
    let answers = || shell::read(&mut home.ask("scontrol ping")).is_ok_and(|said| said.contains(" is UP"));
    ensure!(comes_true(PATIENCE, answers), "the controller is back and doesn't answer");
    eprintln!("the controller is back");
    Ok(())
}
