//! The cluster's daemons: starts them, finds them by their pid files, signals them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, io};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::cluster::home::Home;
use crate::cluster::size::ClusterSize;
use crate::cluster::wait::comes_true;

/// The longest that a daemon may take to start, and to end when asked to.
const PATIENCE: Duration = Duration::from_secs(30);

/// A daemon of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Daemon {
    /// It signs the other daemons' messages.
    Munge,
    Controller,
    Node(String),
}

/// All daemons of a cluster, each after those that it talks to.
pub(crate) fn daemons(size: &ClusterSize) -> Vec<Daemon> {
    [Daemon::Munge, Daemon::Controller].into_iter().chain(size.names().map(Daemon::Node)).collect()
}

impl Daemon {
    /// Starts it, unless it is running.
    pub(crate) fn start(&self, home: &Home) -> Result<()> {
        if self.process(home).is_some() {
            return Ok(());
        }
        // A daemon that was killed leaves its pid file.
        remove(&self.pid_file(home))?;
        if *self == Daemon::Munge {
            remove(&home.socket())?;
            remove(&home.file("munge/socket.lock"))?;
        }
        // A file, because daemons keep it open. They log elsewhere once they have read their configuration.
        let said = home.log(&format!("{}-start", self.name()));
        let errors = File::create(&said).with_context(|| format!("can't make {}", said.display()))?;
        let mut command = self.command(home);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors);
        // The variables of cargo and the shell are not for daemons.
        command.env_clear().envs(env::var_os("PATH").map(|path| ("PATH", path)));
        command.env("SLURM_CONF", home.configuration());
        let status = command.status().with_context(|| format!("can't start {}", self.program()))?;
        if !status.success() || !comes_true(PATIENCE, || self.process(home).is_some()) {
            let (said, log) = (last_lines(&said), last_lines(&home.log(&self.name())));
            bail!("{} doesn't start ({status}):\n{said}{log}", self.name());
        }
        Ok(())
    }

    /// Ends it, by KILL if it ignores TERM.
    pub(crate) fn stop(&self, home: &Home) -> Result<()> {
        self.signal(home, Signal::TERM)?;
        if !comes_true(PATIENCE, || self.process(home).is_none()) {
            self.signal(home, Signal::KILL)?;
        }
        remove(&self.pid_file(home))
    }

    /// Sends it a signal, unless it has ended.
    pub(crate) fn signal(&self, home: &Home, signal: Signal) -> Result<()> {
        let Some(process) = self.process(home) else {
            return Ok(());
        };
        kill_process(process, signal).with_context(|| format!("can't signal {}", self.name()))
    }

    /// Its running process. Process IDs are reused, so only a process of this program and of this cluster
    /// counts.
    pub(crate) fn process(&self, home: &Home) -> Option<Pid> {
        let number = fs::read_to_string(self.pid_file(home)).ok()?;
        let process = Pid::from_raw(number.trim().parse().ok()?)?;
        let about = |name: &str| fs::read(format!("/proc/{process}/{name}"));
        let mark = format!("SLURM_CONF={}", home.configuration().display());
        // Of a zombie nothing can be read here.
        let is_ours = about("environ").ok()?.split(|byte| *byte == 0).any(|one| one == mark.as_bytes());
        (is_ours && about("comm").ok()?.trim_ascii() == self.program().as_bytes()).then_some(process)
    }

    pub(crate) fn name(&self) -> String {
        match self {
            Daemon::Munge | Daemon::Controller => self.program().to_owned(),
            Daemon::Node(node) => format!("slurmd-{node}"),
        }
    }

    pub(crate) fn pid_file(&self, home: &Home) -> PathBuf {
        home.file(&format!("{}.pid", self.name()))
    }

    fn program(&self) -> &'static str {
        match self {
            Daemon::Munge => "munged",
            Daemon::Controller => "slurmctld",
            Daemon::Node(_) => "slurmd",
        }
    }

    fn command(&self, home: &Home) -> Command {
        let mut command = Command::new(self.program());
        match self {
            Daemon::Munge => {
                let option = |name: &str, file: PathBuf| format!("--{name}={}", file.display());
                // `--force`, because the folders above may be closed to other users; nobody else uses this
                // munge.
                command.arg("--force").args([
                    option("socket", home.socket()),
                    option("key-file", home.file("munge.key")),
                    option("pid-file", self.pid_file(home)),
                    option("log-file", home.log("munged")),
                    option("seed-file", home.file("munge.seed")),
                ]);
            }
            Daemon::Controller => {}
            Daemon::Node(node) => {
                command.args(["-N", node]);
            }
        }
        command
    }
}

pub(crate) fn remove(file: &Path) -> Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("can't remove {}", file.display()))
        }
        _ => Ok(()),
    }
}

fn last_lines(file: &Path) -> String {
    let text = String::from_utf8_lossy(&fs::read(file).unwrap_or_default()).into_owned();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(5)..].iter().flat_map(|line| [line, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_who_signs_is_started_first() {
        let size = ClusterSize { nodes: 1, cpus: 1, port: 1, max_array: 1 };
        let expected = [Daemon::Munge, Daemon::Controller, Daemon::Node("n1".to_owned())];
        assert_eq!(daemons(&size), expected);
    }
}
