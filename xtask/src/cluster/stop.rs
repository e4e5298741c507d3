//! Stops the cluster: its jobs, its daemons, and processes below nodes that were cut off.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::cluster::daemon::{Daemon, daemons};
use crate::cluster::home::Home;
use crate::cluster::node;
use crate::cluster::size::ClusterSize;
use crate::cluster::wait::comes_true;
use crate::shell;

/// The longest that cancelled jobs may take to end.
const PATIENCE: Duration = Duration::from_secs(5);

/// Cancels all jobs and stops the daemons.
pub(crate) fn stop(home: &Home) -> Result<()> {
    for other in home.others() {
        stop(&other)?;
    }
    let Some(size) = ClusterSize::read(home)? else {
        return Ok(());
    };
    // Without a controller jobs can't be cancelled; they are killed below.
    if Daemon::Controller.process(home).is_some() {
        let _ = shell::read(&mut home.ask("scancel --user=root"));
        let is_empty = || shell::read(&mut home.ask("squeue --noheader")).is_ok_and(|jobs| jobs.is_empty());
        comes_true(PATIENCE, is_empty);
    }
    for node in size.names() {
        node::end(home, &node)?;
    }
    // In reverse: daemons that others talk to come last.
    for daemon in daemons(&size).iter().rev() {
        daemon.stop(home)?;
    }
    Ok(())
}

/// Stops the cluster and removes its folder.
pub(crate) fn purge(home: &Home) -> Result<()> {
    stop(home)?;
    let folder = home.folder();
    fs::remove_dir_all(folder).with_context(|| format!("can't remove {}", folder.display()))
}
