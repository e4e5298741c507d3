//! Standard output and the exit status of subcommands that only print.

use std::io::{self, BufWriter};

use procpool_core::Source;
use signal_hook::consts::SIGPIPE;

use crate::exit::{self, ExitStatus};
use crate::output::stream::{Control, OutputStream};
use crate::terminal::heartbeat::Heartbeat;
use crate::terminal::screen;

/// Why printing ended early.
#[derive(Debug)]
pub(crate) enum PrintError {
    /// The arguments or the input are wrong.
    Input(anyhow::Error),
    /// Standard output can't be written.
    Output(io::Error),
    /// Something else failed, such as a temporary file.
    Own(anyhow::Error),
}

impl From<anyhow::Error> for PrintError {
    fn from(error: anyhow::Error) -> PrintError {
        PrintError::Input(error)
    }
}

impl From<io::Error> for PrintError {
    /// A bare `io::Error` comes only from writing.
    fn from(error: io::Error) -> PrintError {
        PrintError::Output(error)
    }
}

/// Buffered standard output.
pub(crate) type StdoutWriter = BufWriter<OutputStream>;

/// Opens standard output. If it is closed, full or slow, nothing is lost without an error.
pub(crate) fn writer() -> StdoutWriter {
    BufWriter::with_capacity(
        64 * 1024,
        OutputStream::open(Source::Stdout, Control::Colour, Heartbeat::default()),
    )
}

/// Prints remarks to standard error.
pub(crate) fn remark(remarks: &[String]) {
    for remark in remarks {
        screen::say(&format!("procpool: {remark}\n"));
    }
}

/// Reports an error and gives the exit status.
pub(crate) fn end(told: Result<(), PrintError>) -> ExitStatus {
    match told {
        Ok(()) => ExitStatus::Success,
        Err(PrintError::Input(error)) => exit::bad_input(&error),
        Err(PrintError::Own(error)) => exit::own_failure(&error),
        Err(PrintError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitStatus::Signal(SIGPIPE)
        }
        Err(PrintError::Output(error)) => {
            exit::own_failure(&anyhow::Error::from(error).context("can't write to standard output"))
        }
    }
}
