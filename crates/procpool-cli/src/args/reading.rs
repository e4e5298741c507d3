//! `procpool ls`, `show` and `export`: subcommands that read a journal.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::terminal::colour;

/// List the jobs of a journal, and what came of each.
///
/// In the order of their list, those that have not run too. OUTCOME is that of the attempt that counts,
/// SECONDS and PEAK (memory) are its own; TRIES are all attempts of all runs. SECONDS of a job that runs are
/// not known yet. Nothing is locked or changed, and the run may go on meanwhile.
#[derive(Debug, clap::Args)]
pub(crate) struct LsArgs {
    /// The folder of the journal
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,

    /// Only jobs whose whole key is like this: `*` is any text, `?` any character, `[a-z]` one of these,
    /// `[*]` a star
    ///
    /// What of a key is no UTF-8 counts as the character U+FFFD, as it is shown.
    #[arg(value_name = "GLOB")]
    pub(crate) glob: Option<String>,

    /// Only jobs that have failed: come to an end of their own or timed out, and not succeeded
    #[arg(long)]
    pub(crate) failed: bool,

    /// Only the N jobs that took the longest time, the slowest first
    #[arg(long, value_name = "N")]
    pub(crate) slowest: Option<usize>,

    #[command(flatten)]
    pub(crate) colour: ColourArgs,
}

/// Show all that a journal has on a job: its command, attempts and outputs.
///
/// To a terminal outputs come without what would control it, but for colours; anywhere else byte by byte.
#[derive(Debug, clap::Args)]
pub(crate) struct ShowArgs {
    /// The folder of the journal
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,

    /// The job's key, as it was given or as `procpool ls` shows it
    #[arg(value_name = "KEY")]
    pub(crate) key: OsString,

    /// Nothing but what the attempt that counts has written to standard output; on a cluster one that runs,
    /// so far
    #[arg(long, conflicts_with = "stderr")]
    pub(crate) stdout: bool,

    /// Nothing but what it has written to standard error
    #[arg(long)]
    pub(crate) stderr: bool,

    #[command(flatten)]
    pub(crate) colour: ColourArgs,
}

/// Print what a journal says for other programs: a job log, a table, JSON or a report.
///
/// One entry a job, in the order of the list, of the attempt that counts. Nothing is locked or changed, and
/// the run may go on meanwhile.
#[derive(Debug, clap::Args)]
pub(crate) struct ExportArgs {
    /// The folder of the journal
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,

    /// joblog, csv, jsonl or junit
    ///
    /// joblog and junit are what --joblog and --junit write; csv is a table with a header; jsonl has the
    /// whole record a line, with the shorter outputs and the command. To a pipe or file names are exact, on a
    /// terminal what would control it is escaped. docs/journal.md names the fields. In csv and jsonl jobs
    /// that have not ended have the outcome `never_reached`, `running` or `interrupted`.
    #[arg(long, value_name = "FORMAT", hide_possible_values = true)]
    pub(crate) format: ExportFormat,

    /// Keep a spreadsheet from taking cells of csv for formulas: a `'` before those that begin like one
    ///
    /// Which are those that begin with `=`, `+`, `-`, `@`, a tab, a carriage return or a newline, and with
    /// `'` itself, so that what stands behind one `'` is always the exact value. Without this all cells are
    /// exact.
    #[arg(long)]
    pub(crate) csv_safe: bool,

    /// An entry for each attempt, those of jobs that left the list too; for csv and jsonl
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
    /// When it is coloured: auto, always or never; `NO_COLOR` and its like count as in `procpool run`
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        hide_default_value = true,
        hide_possible_values = true
    )]
    pub(crate) color: colour::ColourChoice,
}
