//! How sleeper ends: by an exit status, at a rate, by a signal.

use crate::quantity::rate;
use anyhow::{Error, Result, bail};
use clap::Args;
use rustix::process::{Resource, getrlimit, setrlimit};
use signal_hook::low_level;
use sleeper::fate::fails;
use sleeper::stamp;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;

#[derive(Args)]
#[command(next_help_heading = "Ending")]
pub(crate) struct Ending {
    /// Exit with N
    #[arg(long, value_name = "N", default_value = "0")]
    exit: u8,
    /// Fail with exit status 1 at this rate, 0 to 1
    #[arg(long, value_name = "RATE", default_value = "0", value_parser = rate)]
    fail_rate: f64,
    /// Let the same keys fail in each run with the same SEED [default: random]
    #[arg(long)]
    seed: Option<u64>,
    /// Exit with 1 in the first N processes of this key that have stamped their start
    #[arg(long, value_name = "N", default_value = "0", requires = "stamp")]
    fail_first: usize,
    /// Die by the signal of this number
    #[arg(long, value_name = "SIGNUM", conflicts_with_all = ["exit", "fail_rate"])]
    #[arg(value_parser = clap::value_parser!(i32).range(1..=64))]
    kill_self: Option<i32>,
}

impl Ending {
    /// `stamps` is the file in which processes have stamped.
    pub(crate) fn end(&self, key: &[u8], stamps: Option<&Path>) -> Result<Exit> {
        if let Some(stamps) = stamps.filter(|_| self.fail_first > 0) {
            if stamp::starts(stamps, key)? <= self.fail_first {
                return Ok(Exit::ToldToFail);
            }
        }
        if let Some(signal) = self.kill_self {
            die(signal)?;
        }
        let seed = self.seed.unwrap_or_else(rand::random);
        if fails(seed, key, self.fail_rate) {
            complain(&format!("{} was told to fail, at a rate of {}", key.escape_ascii(), self.fail_rate));
            return Ok(Exit::ToldToFail);
        }
        Ok(Exit::Asked(self.exit))
    }
}

/// The exit statuses.
pub(crate) enum Exit {
    Asked(u8),
    ToldToFail,
    CouldNotWork,
    /// Nobody reads its output: the status that a shell shows for death by PIPE.
    Unread,
}

impl Exit {
    pub(crate) fn of_error(error: &Error) -> Self {
        let cause = error.root_cause().downcast_ref::<io::Error>();
        if cause.is_some_and(|cause| cause.kind() == ErrorKind::BrokenPipe) {
            return Self::Unread;
        }
        complain(&format!("{error:#}"));
        Self::CouldNotWork
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Asked(code) => code.into(),
            Exit::ToldToFail => 1.into(),
            Exit::CouldNotWork => 3.into(),
            Exit::Unread => 141.into(),
        }
    }
}

fn die(signal: i32) -> Result<()> {
    // No core files in the folders of tests.
    let mut no_core = getrlimit(Resource::Core);
    no_core.current = Some(0);
    setrlimit(Resource::Core, no_core)?;
    // With the default action, because Rust ignores PIPE.
    _ = low_level::emulate_default_handler(signal);
    // signal-hook doesn't know real-time signals, and takes IO for a harmless one.
    low_level::raise(signal)?;
    bail!("the signal {signal} kills nobody")
}

/// One line on stderr; not `eprintln!`, which panics when nobody reads it.
fn complain(line: &str) {
    _ = io::stderr().write_all(format!("sleeper: {line}\n").as_bytes());
}
