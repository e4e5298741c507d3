//! Files that values are read from, standard input among them.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal};
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::input::lines::explain;
use crate::os::closed::StandardStream;
use crate::terminal::{screen, shown};

/// A file that was named, or standard input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum InputSource {
    StandardInput,
    File(PathBuf),
}

/// What is read while the run goes on.
pub(crate) type Reader = Box<dyn BufRead + Send>;

impl InputSource {
    /// `-` is standard input.
    pub(crate) fn named(name: impl AsRef<Path>) -> InputSource {
        match name.as_ref() {
            path if path.as_os_str() == "-" => InputSource::StandardInput,
            path => InputSource::File(path.to_owned()),
        }
    }

    /// What it is called in what there is to say about it.
    pub(crate) fn name(&self) -> String {
        match self {
            InputSource::StandardInput => "standard input".to_owned(),
            InputSource::File(path) => shown::name(path),
        }
    }

    /// Opens it. Whoever types on a terminal is told `what` is awaited there.
    ///
    /// # Errors
    /// Where it can't be read, or is a directory.
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

/// Who sits at the terminal doesn't wonder why nothing happens.
fn announce(what: &str) {
    if io::stdin().is_terminal() {
        let hint = format!("procpool: reading {what} from the terminal, one a line; Ctrl-D ends them\n");
        screen::say(&hint);
        screen::leave_to_keyboard();
    }
}
