//! How procpool ends that has only told something, on standard output.
//! Knows nothing of what was told.

use std::io::{self, BufWriter};

use procpool_core::Source;
use signal_hook::consts::SIGPIPE;

use crate::exit::{self, ExitStatus};
use crate::output::stream::{Control, OutputStream};
use crate::terminal::heartbeat::Heartbeat;
use crate::terminal::screen;

/// Why not all of it was told.
#[derive(Debug)]
pub(crate) enum PrintError {
    /// There is something wrong with what was read, or with what was asked for.
    Input(anyhow::Error),
    /// It could not be written.
    Output(io::Error),
    /// Something else failed that is needed for it.
    Own(anyhow::Error),
}

impl From<anyhow::Error> for PrintError {
    fn from(error: anyhow::Error) -> PrintError {
        PrintError::Input(error)
    }
}

impl From<io::Error> for PrintError {
    /// Only what is written fails with a bare error.
    fn from(error: io::Error) -> PrintError {
        PrintError::Output(error)
    }
}

/// Where it goes.
pub(crate) type StdoutWriter = BufWriter<OutputStream>;

/// Standard output, for all bytes. Nothing is lost on one that was closed, full, or is slow.
pub(crate) fn writer() -> StdoutWriter {
    BufWriter::with_capacity(
        64 * 1024,
        OutputStream::open(Source::Stdout, Control::Colour, Heartbeat::default()),
    )
}

/// What is to be known besides, on standard error.
pub(crate) fn remark(remarks: &[String]) {
    for remark in remarks {
        screen::say(&format!("procpool: {remark}\n"));
    }
}

/// The exit status, after it was said why.
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
