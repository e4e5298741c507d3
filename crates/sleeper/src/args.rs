//! The command line. Each group of options lies in the file of what it asks for.

use crate::quantity::Seconds;
use crate::{behind::Behind, ending::Ending, output::Output, signals::Signals};
use clap::Parser;
use std::env;
use std::ffi::OsString;
use std::iter;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// Sleeps, prints `time slept:SECONDS` and exits with 0, unless told to misbehave.
///
/// In this order: stamp the start, leave processes behind, catch signals, print `ready`, copy and print what was asked
/// for, stop, sleep, print `time slept:`, stamp the end, exit.
///
/// Exit status: 0, or what was asked for; 1 told to fail; 2 usage; 3 could not do its work; 141 nobody reads its output.
#[derive(Parser)]
#[command(version)]
pub(crate) struct Args {
    /// How long to sleep; fractions allowed
    #[arg(default_value = "10", allow_negative_numbers = true)]
    pub(crate) seconds: Seconds,
    /// The name of this job in stamps and fates [default: the variable `PROCPOOL_KEY`, else SECONDS]
    #[arg(long)]
    key: Option<OsString>,
    /// Append `start KEY PID NANOS` and `end KEY PID NANOS` to FILE; no end when killed
    #[arg(long, value_name = "FILE")]
    pub(crate) stamp: Option<PathBuf>,
    /// Take all of this from WORDS, split at spaces: so each value of a list can ask for something else
    #[arg(long, exclusive = true, allow_hyphen_values = true)]
    words: Option<String>,
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) signals: Signals,
    #[command(flatten)]
    pub(crate) behind: Behind,
    #[command(flatten)]
    pub(crate) ending: Ending,
}

impl Args {
    pub(crate) fn typed() -> Self {
        let args = Self::parse();
        match &args.words {
            Some(words) => Self::parse_from(iter::once("sleeper").chain(words.split(' '))),
            None => args,
        }
    }

    pub(crate) fn key(&self) -> Vec<u8> {
        let key = self.key.clone().or_else(|| env::var_os("PROCPOOL_KEY"));
        key.unwrap_or_else(|| OsString::from(&*self.seconds.typed)).into_vec()
    }
}
