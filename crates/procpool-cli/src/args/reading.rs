//! `procpool ls`, `show` and `export`: subcommands that read a journal.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::terminal::colour;

/// List the jobs of a journal with their outcomes
///
/// Jobs are listed in the order of the list, including those that have not run. OUTCOME, SECONDS and PEAK
/// (memory) are of the attempt that counts; TRIES counts the attempts of all runs. A running job has no
/// SECONDS yet. Nothing is locked or changed, and the run may be in progress.
#[derive(Debug, clap::Args)]
pub(crate) struct LsArgs {
    /// The folder of the journal
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,

    /// Only jobs whose key matches: `*` is any text, `?` any character, `[a-z]` one of these, `[*]` a star
    ///
    /// Invalid UTF-8 in a key counts as the character U+FFFD, as it is shown.
    #[arg(value_name = "GLOB")]
    pub(crate) glob: Option<String>,

    /// Only jobs that have failed: they ended by themselves without success, or timed out
    #[arg(long)]
    pub(crate) failed: bool,

    /// Only the N jobs that took the longest time, slowest first
    #[arg(long, value_name = "N")]
    pub(crate) slowest: Option<usize>,

    #[command(flatten)]
    pub(crate) colour: ColourArgs,
}

/// Show everything that a journal has about a job: command, attempts and outputs
///
/// On a terminal control sequences other than colours are removed from outputs; elsewhere outputs are exact.
#[derive(Debug, clap::Args)]
pub(crate) struct ShowArgs {
    /// The folder of the journal
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,

    /// The job's key, as it was given or as `procpool ls` shows it
    #[arg(value_name = "KEY")]
    pub(crate) key: OsString,

    /// Only the standard output of the attempt that counts, or so far of a running one on a cluster
    #[arg(long, conflicts_with = "stderr")]
    pub(crate) stdout: bool,

    /// Only its standard error
    #[arg(long)]
    pub(crate) stderr: bool,

    #[command(flatten)]
    pub(crate) colour: ColourArgs,
}

/// Print a journal for other programs: as a job log, a table, JSON or a report
///
/// One entry per job, in the order of the list, for the attempt that counts. Nothing is locked or changed,
/// and the run may be in progress.
#[derive(Debug, clap::Args)]
pub(crate) struct ExportArgs {
    /// The folder of the journal
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,

    /// joblog, csv, jsonl or junit
    ///
    /// joblog and junit are what --joblog and --junit write; csv is a table with a header; jsonl has a record
    /// per line, with short outputs and the command. To a pipe or file names are exact, on a terminal control
    /// characters are escaped. docs/journal.md describes the fields. In csv and jsonl, jobs that have not
    /// ended have the outcome `never_reached`, `running` or `interrupted`.
    #[arg(long, value_name = "FORMAT", hide_possible_values = true)]
    pub(crate) format: ExportFormat,

    /// Protect cells of csv from being read as formulas: put a `'` before those that begin like one
    ///
    /// Those are cells that begin with `=`, `+`, `-`, `@`, a tab, a carriage return or a newline, and with
    /// `'` itself, so that the text after one `'` is always the exact value. Without this option all cells
    /// are exact.
    #[arg(long)]
    pub(crate) csv_safe: bool,

    /// An entry for each attempt, including those of jobs that have left the list; for csv and jsonl
    #[arg(long)]
    pub(crate) all: bool,
}

/// What is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ExportFormat {
    Joblog,
    Csv,
    Jsonl,
    Junit,
}

/// When there is colour.
#[derive(Debug, clap::Args)]
pub(crate) struct ColourArgs {
    /// When to use colour: auto, always or never; `NO_COLOR` and the like apply as in `procpool run`
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        hide_default_value = true,
        hide_possible_values = true
    )]
    pub(crate) color: colour::ColourChoice,
}
