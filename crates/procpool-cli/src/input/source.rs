//! Files that values are read from, including standard input.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal};
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::input::lines::explain;
use crate::os::closed::StandardStream;
use crate::terminal::{screen, shown};

/// A named file, or standard input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum InputSource {
    StandardInput,
    File(PathBuf),
}

/// A source that is read during the run.
pub(crate) type Reader = Box<dyn BufRead + Send>;

impl InputSource {
    /// `-` is standard input.
    pub(crate) fn named(name: impl AsRef<Path>) -> InputSource {
        match name.as_ref() {
            path if path.as_os_str() == "-" => InputSource::StandardInput,
            path => InputSource::File(path.to_owned()),
        }
    }

    /// Its name in messages.
    pub(crate) fn name(&self) -> String {
        match self {
            InputSource::StandardInput => "standard input".to_owned(),
            InputSource::File(path) => shown::name(path),
        }
    }

    /// Opens it. If it is a terminal, tells the user that `what` is expected there.
    ///
    /// # Errors
    /// If it can't be read, or is a directory.
    pub(crate) fn open(&self, what: &str) -> anyhow::Result<Reader> {
        match self {
            InputSource::StandardInput => {
                StandardStream::Input.check().context("standard input")?;
                announce(what);
                Ok(Box::new(BufReader::new(io::stdin())))
            }
            InputSource::File(path) => {
                let open = || {
                    let file = File::open(path)?;
                    let is_directory = file.metadata()?.is_dir();
                    if is_directory { Err(io::ErrorKind::IsADirectory.into()) } else { Ok(file) }
                };
                let file = open().map_err(explain).with_context(|| format!("can't read {path:?}"))?;
                Ok(Box::new(BufReader::new(file)))
            }
        }
    }
}

/// Tells the user at a terminal why nothing happens yet.
fn announce(what: &str) {
    if io::stdin().is_terminal() {
        let hint = format!("procpool: reading {what} from the terminal, one a line; Ctrl-D ends them\n");
        screen::say(&hint);
        screen::leave_to_keyboard();
    }
}
