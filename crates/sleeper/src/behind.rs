//! The processes that sleeper leaves behind: one that holds its stdout, one that leaves the session.
//! Does not know how long sleeper itself goes on.

use crate::quantity::Seconds;
use anyhow::{Context, Result, ensure};
use clap::Args;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};

#[derive(Args)]
#[command(next_help_heading = "Processes left behind")]
pub(crate) struct Behind {
    /// Leave a process of the same group that holds stdout for SECONDS
    #[arg(long, value_name = "SECONDS", group = "left")]
    hold_stdout: Option<Seconds>,
    /// Leave a process in a session of its own for SECONDS, with all streams on /dev/null
    #[arg(long, value_name = "SECONDS", group = "left")]
    daemon: Option<Seconds>,
    /// Write the pid of the process left behind to FILE, at once as a whole, before `ready` and before sleeper ends
    #[arg(long, value_name = "FILE", requires = "left")]
    pid_file: Option<PathBuf>,
    /// Begin with a session of its own
    #[arg(long, hide = true)]
    new_session: bool,
}

impl Behind {
    pub(crate) fn leave(&self) -> Result<()> {
        if self.new_session {
            rustix::process::setsid().context("can't begin a session")?;
        }
        if let Some(seconds) = &self.hold_stdout {
            self.hold_stdout(seconds)?;
        }
        if let Some(seconds) = &self.daemon {
            self.daemonize(seconds)?;
        }
        Ok(())
    }

    fn hold_stdout(&self, seconds: &Seconds) -> Result<()> {
        let mut holder = another(&seconds.typed)?;
        holder.stdout(Stdio::inherit());
        let holder = holder.spawn().context("can't leave a process behind")?;
        if let Some(file) = &self.pid_file {
            write_whole(file, holder.id())?;
        }
        Ok(())
    }

    /// The double fork of every daemon: a process between begins the session, leaves the daemon in it and is gone. Only
    /// then does sleeper go on, so no signal to its own group can still reach the daemon.
    fn daemonize(&self, seconds: &Seconds) -> Result<()> {
        let mut between = another("0")?;
        between.args(["--new-session", "--hold-stdout", &seconds.typed]);
        if let Some(file) = &self.pid_file {
            between.arg("--pid-file").arg(file);
        }
        let status = between.status().context("can't leave a daemon behind")?;
        ensure!(status.success(), "can't leave a daemon behind: {status}");
        Ok(())
    }
}

/// Another sleeper, of which nothing is heard.
fn another(seconds: &str) -> Result<Command> {
    let mut command = Command::new(env::current_exe().context("can't find sleeper itself")?);
    command.args([seconds, "--quiet"]);
    command.stdin(Stdio::null());
    command.stdout(Stdio::null());
    command.stderr(Stdio::null());
    Ok(command)
}

/// Whoever waits for the file must not see half a number.
fn write_whole(file: &Path, pid: u32) -> Result<()> {
    let unfinished = file.with_extension(process::id().to_string());
    let written = fs::write(&unfinished, format!("{pid}\n"));
    let renamed = written.and_then(|()| fs::rename(&unfinished, file));
    renamed.with_context(|| format!("can't write the pid file {}", file.display()))
}
