//! What sleeper prints before it sleeps.

use crate::quantity::{Seconds, byte_count};
use crate::signals::Signals;
use anyhow::Result;
use clap::Args;
use sleeper::bytes::{Stream, reader};
use sleeper::lines::Mark;
use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::thread;
use std::time::Duration;

/// Small enough that the two streams alternate long before a pipe's 64 KiB are full.
const CHUNK: u64 = 8 << 10;

/// How many lines are written at once.
const PACE: usize = 64;

#[derive(Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct Output {
    /// Don't print `time slept:`
    #[arg(long)]
    quiet: bool,
    /// Copy stdin to stdout
    #[arg(long)]
    cat: bool,
    /// Print the raw value of the variable NAME and a newline, or nothing if it isn't set; repeatable
    #[arg(long, value_name = "NAME")]
    print_env: Vec<OsString>,
    /// Print the working directory and a newline
    #[arg(long)]
    print_dir: bool,
    /// Write N bytes to stdout (300, 64K, 20M, 10G)
    #[arg(long, value_name = "N", default_value = "0", value_parser = byte_count)]
    stdout_bytes: u64,
    /// Write N bytes to stderr, in turn with those to stdout: a parent that reads only one stream hangs
    #[arg(long, value_name = "N", default_value = "0", value_parser = byte_count)]
    stderr_bytes: u64,
    /// Which bytes
    #[arg(long, value_name = "SEED", default_value = "0")]
    byte_seed: u64,
    /// Write N lines to stdout that each say whose they are and which
    #[arg(long, value_name = "N", default_value = "0")]
    stdout_lines: u64,
    /// Write N such lines to stderr, in turn with those to stdout
    #[arg(long, value_name = "N", default_value = "0")]
    stderr_lines: u64,
    /// How long each is
    #[arg(long, value_name = "BYTES", default_value = "60")]
    line_bytes: usize,
    /// Rest so many milliseconds after each 64 lines
    #[arg(long, value_name = "MS", default_value = "0")]
    pace: u64,
}

impl Output {
    /// Prints everything that comes before the sleep.
    pub(crate) fn print(&self, signals: &Signals, key: &[u8]) -> Result<()> {
        let mut stdout = unbuffered(io::stdout())?;
        if signals.announces() {
            stdout.write_all(b"ready\n")?;
        }
        if self.cat {
            io::copy(&mut io::stdin().lock(), &mut stdout)?;
        }
        for value in self.print_env.iter().filter_map(env::var_os) {
            stdout.write_all(&[value.as_bytes(), b"\n"].concat())?;
        }
        if self.print_dir {
            stdout.write_all(&[env::current_dir()?.as_os_str().as_bytes(), b"\n"].concat())?;
        }
        let mut stderr = unbuffered(io::stderr())?;
        self.print_lines(&String::from_utf8_lossy(key), &mut stdout, &mut stderr)?;
        self.print_bytes(stdout, stderr)
    }

    fn print_lines(&self, key: &str, stdout: &mut File, stderr: &mut File) -> Result<()> {
        let mut outputs =
            [(Stream::Stdout, self.stdout_lines, stdout), (Stream::Stderr, self.stderr_lines, stderr)];
        let most = self.stdout_lines.max(self.stderr_lines);
        for first in (1..=most).step_by(PACE) {
            for (stream, count, output) in &mut outputs {
                let numbers = first..=(first + PACE as u64 - 1).min(*count);
                let pid = std::process::id();
                let line = |number| {
                    let (key, stream, count) = (key.to_owned(), *stream, *count);
                    Mark { key, pid, stream, number, count }.line(self.line_bytes)
                };
                output.write_all(&numbers.flat_map(line).collect::<Vec<u8>>())?;
            }
            thread::sleep(Duration::from_millis(self.pace));
        }
        Ok(())
    }

    fn print_bytes(&self, mut stdout: File, mut stderr: File) -> Result<()> {
        let mut to_stdout = reader(self.byte_seed, Stream::Stdout).take(self.stdout_bytes);
        let mut to_stderr = reader(self.byte_seed, Stream::Stderr).take(self.stderr_bytes);
        loop {
            let written = io::copy(&mut to_stdout.by_ref().take(CHUNK), &mut stdout)?
                + io::copy(&mut to_stderr.by_ref().take(CHUNK), &mut stderr)?;
            if written == 0 {
                return Ok(());
            }
        }
    }

    pub(crate) fn print_slept(&self, seconds: &Seconds) -> Result<()> {
        if !self.quiet {
            let line = format!("time slept:{}\n", seconds.typed);
            unbuffered(io::stdout())?.write_all(line.as_bytes())?;
        }
        Ok(())
    }
}

/// The stream without std's buffer, so that output can be read at once and each line is one write.
fn unbuffered(stream: impl AsFd) -> Result<File> {
    Ok(stream.as_fd().try_clone_to_owned()?.into())
}
