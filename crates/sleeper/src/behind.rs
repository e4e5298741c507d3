//! The processes that sleeper leaves behind: in its group or out of its session, one or many, with or
//! without its standard output.

use crate::quantity::Seconds;
use crate::signals::Signals;
use anyhow::{Context, Result, ensure};
use clap::Args;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, Stdio};

#[derive(Args)]
#[command(next_help_heading = "Processes left behind")]
pub(crate) struct Behind {
    /// Leave a process of the same group that holds stdout for SECONDS
    #[arg(long, value_name = "SECONDS", group = "left")]
    hold_stdout: Option<Seconds>,
    /// Leave a process in a session of its own for SECONDS, with all streams on /dev/null
    #[arg(long, value_name = "SECONDS", group = "left")]
    daemon: Option<Seconds>,
    /// Leave many processes of the same group for SECONDS, with all streams on /dev/null
    #[arg(long, value_name = "SECONDS", group = "left", group = "many")]
    fork_storm: Option<Seconds>,
    /// Leave a process that starts the next and ends, as that does, and so on; the last stays for SECONDS
    #[arg(long, value_name = "SECONDS", group = "left", group = "many")]
    fork_chain: Option<Seconds>,
    /// How many processes a storm or a chain has
    #[arg(long, value_name = "N", default_value = "50", requires = "many")]
    count: u16,
    /// What is left holds stdout, instead of /dev/null
    #[arg(long, requires = "left")]
    keep_stdout: bool,
    /// What is left has an empty environment
    #[arg(long, requires = "left")]
    clear_env: bool,
    /// Write the pid of the process left behind to FILE, at once as a whole, before `ready` and before sleeper ends
    #[arg(long, value_name = "FILE", requires = "left", conflicts_with = "many")]
    pid_file: Option<PathBuf>,
    /// Begin with a session of its own
    #[arg(long, hide = true)]
    new_session: bool,
}

impl Behind {
    /// Starts the processes that stay. They ignore signals as sleeper itself is told to.
    pub(crate) fn leave(&self, signals: &Signals) -> Result<()> {
        if self.new_session {
            rustix::process::setsid().context("can't begin a session")?;
        }
        if let Some(seconds) = &self.hold_stdout {
            self.hold_stdout(self.another(seconds, signals)?)?;
        }
        if let Some(seconds) = &self.daemon {
            self.daemonize(seconds, signals)?;
        }
        if let Some(seconds) = &self.fork_storm {
            for _ in 0..self.count {
                spawn(&mut self.another(seconds, signals)?)?;
            }
        }
        if let Some(seconds) = &self.fork_chain {
            self.chain(seconds, signals)?;
        }
        Ok(())
    }

    fn hold_stdout(&self, mut holder: Command) -> Result<()> {
        let holder = spawn(holder.stdout(Stdio::inherit()))?;
        if let Some(file) = &self.pid_file {
            write_whole(file, holder.id())?;
        }
        Ok(())
    }

    /// The double fork of a daemon: a process between starts the session, leaves the daemon in it and ends.
    /// sleeper goes on only then, so a signal to its own group can't reach the daemon any more.
    fn daemonize(&self, seconds: &Seconds, signals: &Signals) -> Result<()> {
        let mut between = self.another(&Seconds::NONE, signals)?;
        between.args(["--new-session", "--hold-stdout", &seconds.typed]);
        if let Some(file) = &self.pid_file {
            between.arg("--pid-file").arg(file);
        }
        let status = between.status().context("can't leave a daemon behind")?;
        ensure!(status.success(), "can't leave a daemon behind: {status}");
        Ok(())
    }

    fn chain(&self, seconds: &Seconds, signals: &Signals) -> Result<()> {
        let Some(rest) = self.count.checked_sub(1) else {
            return Ok(());
        };
        let mut link = match rest {
            0 => self.another(seconds, signals)?,
            _ => {
                let mut link = self.another(&Seconds::NONE, signals)?;
                link.args(["--fork-chain", &seconds.typed, "--count", &rest.to_string()]);
                link.args(self.keep_stdout.then_some("--keep-stdout"));
                link
            }
        };
        spawn(&mut link)?;
        Ok(())
    }

    /// Another sleeper, with its streams on /dev/null.
    fn another(&self, seconds: &Seconds, signals: &Signals) -> Result<Command> {
        let mut command = Command::new(env::current_exe().context("can't find sleeper itself")?);
        command.args([&*seconds.typed, "--quiet"]).args(signals.inherited());
        command.stdin(Stdio::null());
        command.stdout(if self.keep_stdout { Stdio::inherit() } else { Stdio::null() });
        command.stderr(Stdio::null());
        if self.clear_env {
            command.env_clear();
        }
        Ok(command)
    }
}

fn spawn(command: &mut Command) -> Result<Child> {
    command.spawn().context("can't leave a process behind")
}

/// A test that waits for the file must not read half a number.
fn write_whole(file: &Path, pid: u32) -> Result<()> {
    let unfinished = file.with_extension(process::id().to_string());
    let written = fs::write(&unfinished, format!("{pid}\n"));
    let renamed = written.and_then(|()| fs::rename(&unfinished, file));
    renamed.with_context(|| format!("can't write the pid file {}", file.display()))
}
