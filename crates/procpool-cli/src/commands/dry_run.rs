//! `--dry-run`: prints the commands of a run instead of running them.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::os::unix::ffi::OsStrExt;

use signal_hook::consts::SIGPIPE;

use crate::exit::{self, ExitStatus};
use crate::input::{Input, Jobs};
use crate::job::work::command_of;
use crate::os::closed::StandardStream;
use crate::shell::quote::{QuoteStyle, command_line, line_with_input};

/// Prints the command of each job, quoted for a shell, in the order of the input.
pub(crate) fn print(input: Input) -> ExitStatus {
    // The form for all shells is exact, but contains control characters unescaped.
    let style = if io::stdout().is_terminal() { QuoteStyle::Line } else { QuoteStyle::Shell };
    let printed = StandardStream::Output
        .check()
        .and_then(|()| print_to(&mut BufWriter::new(io::stdout()), input.jobs, style));
    match (printed, input.fault.get()) {
        (Err(error), _) if error.kind() == io::ErrorKind::BrokenPipe => ExitStatus::Signal(SIGPIPE),
        (Err(error), _) => {
            exit::own_failure(&anyhow::Error::from(error).context("can't write to standard output"))
        }
        (Ok(()), Some(fault)) => exit::bad_input(fault),
        (Ok(()), None) => ExitStatus::Success,
    }
}

fn print_to(writer: &mut impl Write, jobs: Jobs, style: QuoteStyle) -> io::Result<()> {
    for (job, seq) in jobs.zip(1..) {
        let command = command_of(&job, seq);
        let line = if job.work.is_in_command() { line_with_input } else { command_line };
        writer.write_all(line(&command, style).as_bytes())?;
        writer.write_all(b"\n")?;
    }
    writer.flush()
}
