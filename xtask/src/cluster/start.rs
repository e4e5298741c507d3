//! Starts the cluster, or what is missing of it, and waits until each node takes jobs.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::cluster::daemon::{Daemon, daemons};
use crate::cluster::home::Home;
use crate::cluster::size::{ClusterSize, RequestedSize};
use crate::cluster::{configuration, ports, stop};
use crate::shell;

/// The longest that the nodes may take to register.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts what isn't running, and returns when all nodes take jobs.
pub(crate) fn start(home: &Home, wanted: &RequestedSize) -> Result<()> {
    let mut size = ClusterSize::of(home, wanted)?;
    if size.port == 0 {
        size.port = ports::free_row(size.nodes + 1)?;
    }
    configure(home, &size)?;
    let daemons = daemons(&size);
    check_ports(home, &size)?;
    for node in size.names() {
        let spool = home.file(&format!("spool/{node}"));
        fs::create_dir_all(&spool).with_context(|| format!("can't make {}", spool.display()))?;
    }
    for daemon in &daemons {
        daemon.start(home)?;
    }
    wait_for_nodes(home, &size)
}

/// Writes the configuration, and stops daemons that have read another one.
fn configure(home: &Home, size: &ClusterSize) -> Result<()> {
    lend_an_address()?;
    write_key(home)?;
    let host = fs::read_to_string("/proc/sys/kernel/hostname").context("this machine has no name")?;
    let host = host.trim().split('.').next().unwrap_or_default();
    let text = configuration::slurm(home, size, host);
    let file = home.configuration();
    let before = fs::read_to_string(&file).unwrap_or_default();
    if before == text && ClusterSize::read(home)?.as_ref() == Some(size) {
        return Ok(());
    }
    if !before.is_empty() {
        stop::stop(home)?;
    }
    fs::write(home.file("cgroup.conf"), configuration::CGROUPS).context("can't write cgroup.conf")?;
    fs::write(&file, text).with_context(|| format!("can't write {}", file.display()))?;
    size.write(home)
}

/// Slurm resolves even 127.0.0.1 with `AI_ADDRCONFIG`, which fails where only loopback addresses are
/// configured, as in a container without a network. An address reserved for documentation helps.
fn lend_an_address() -> Result<()> {
    let Ok(addresses) = shell::read(Command::new("ip").args(["-4", "-o", "addr"])) else {
        // Without ip(8): most likely there is a network.
        return Ok(());
    };
    if addresses.lines().all(|line| line.contains(" 127.")) {
        let lend = "addr add 198.51.100.1/32 dev lo";
        shell::read(Command::new("ip").args(lend.split(' '))).context("no address but loopback")?;
    }
    Ok(())
}

/// Writes munge's key.
fn write_key(home: &Home) -> Result<()> {
    let file = home.file("munge.key");
    if file.exists() {
        return Ok(());
    }
    let key: [u8; 1024] = rand::random();
    let mut created = OpenOptions::new();
    let created = created.write(true).create_new(true).mode(0o400).open(&file);
    let written = created.and_then(|mut opened| opened.write_all(&key));
    written.with_context(|| format!("can't write {}", file.display()))
}

/// Names a port that is in use, before a daemon fails because of it.
fn check_ports(home: &Home, size: &ClusterSize) -> Result<()> {
    let last = size.port.checked_add(size.nodes).context("ports end at 65535: choose a lower --port")?;
    let listeners = daemons(size).into_iter().filter(|daemon| *daemon != Daemon::Munge);
    for (port, daemon) in (size.port..=last).zip(listeners) {
        ensure!(
            daemon.process(home).is_some() || ports::is_free(port),
            "port {port} is taken: `--port 0` finds {} in a row that are free",
            size.nodes + 1
        );
    }
    Ok(())
}

fn wait_for_nodes(home: &Home, size: &ClusterSize) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        // The controller may not answer yet.
        let states = shell::read(&mut home.ask("sinfo --noheader --Node --partition=main --format=%N=%T"))
            .unwrap_or_default();
        let (ready, hurt) = judge(&states);
        if ready == usize::from(size.nodes) {
            return Ok(());
        }
        for node in hurt {
            // A node that has not registered refuses this, and comes back by itself.
            let _ = shell::read(&mut home.ask(&format!("scontrol update nodename={node} state=resume")));
        }
        if Instant::now() >= deadline {
            let reasons = shell::read(&mut home.ask("sinfo --list-reasons")).unwrap_or_default();
            let logs = home.file("log");
            bail!("not all nodes take jobs:\n{states}{reasons}the logs are in {}", logs.display());
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// How many nodes take jobs, and which were taken out of service.
fn judge(states: &str) -> (usize, Vec<&str>) {
    let of = |wanted: &'static [&str]| {
        let nodes = states.lines().filter_map(|line| line.split_once('='));
        nodes.filter(|(_, state)| wanted.contains(state)).map(|(node, _)| node).collect::<Vec<_>>()
    };
    let ready = of(&["idle", "mixed", "allocated", "completing"]);
    (ready.len(), of(&["drained", "draining", "down"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_that_do_not_answer_are_neither_ready_nor_to_be_resumed() {
        let states = "n1=idle\nn2=mixed\nn3=idle*\nn4=down*\nn5=drained\nn6=unknown\n";
        assert_eq!(judge(states), (2, vec!["n5"]));
        assert_eq!(judge(""), (0, vec![]));
    }
}
