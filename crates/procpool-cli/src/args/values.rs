//! Options about the values that jobs are made of.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};

use crate::args::delimiter;

/// Values, and how they become jobs.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "a flag is there or not")]
#[command(next_help_heading = "Input")]
pub(crate) struct ValueArgs {
    /// Values end with a NUL byte, as `find -print0` does
    #[arg(short = '0', long = "null", conflicts_with = "delimiter")]
    pub(crate) null: bool,

    /// Values end with this byte instead of a newline
    ///
    /// A character, or `\n`, `\t`, `\r`, `\0`, `\\`, `\xNN`. The last value may lack it.
    #[arg(
        short,
        long,
        value_name = "C",
        value_parser = delimiter::parse,
        allow_hyphen_values = true
    )]
    pub(crate) delimiter: Option<u8>,

    /// Take values from a file, as `:::: FILE` does
    ///
    /// `-` is standard input. If given several times, each file is a list, and there is a job for each
    /// combination of their values and those after `:::`. The values of the last list change fastest. If a
    /// list is empty, there are no jobs. Only the first list is read as needed, the others are held in
    /// memory.
    ///
    /// `:::+` and `::::+` pair the values of a list with those of the list before it, which must have the
    /// same length.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) arg_file: Vec<PathBuf>,

    /// Take values from a table whose first row names its columns
    ///
    /// Each row is a job, and each column is a placeholder by its name: `{name}`, `{name/.}`; `{1}` is the
    /// first column. A field with a comma, a newline or a quote in it is quoted; blank lines are skipped. The
    /// table is standard input, or a file given by -a or `::::`.
    ///
    /// The key of a job is the first field of its row.
    #[arg(long, conflicts_with_all = ["tsv", "null", "delimiter"])]
    pub(crate) csv: bool,

    /// Like --csv, with tabs between the fields; quotes have no special meaning
    #[arg(long, conflicts_with_all = ["null", "delimiter"])]
    pub(crate) tsv: bool,

    /// Make TEXT the placeholder of the value, and leave all braces as they are
    ///
    /// As in xargs: if TEXT occurs nowhere in the command, jobs don't get their values.
    #[arg(
        short = 'I',
        long = "replace",
        value_name = "TEXT",
        value_parser = OsStringValueParser::new().try_map(not_empty),
        allow_hyphen_values = true
    )]
    pub(crate) replace: Option<OsString>,

    /// Give each command up to N values; the last one may get fewer
    ///
    /// A word that contains `{}` is repeated for each value: `cat pre{}` becomes `cat prea preb`. `{1}` is
    /// the first value, `{2}` the second, and empty if the last command has fewer. A key that would be longer
    /// than 1000 bytes is cut and ends in `…`.
    #[arg(short = 'n', long, short_alias = 'N', value_name = "N", value_parser = parse_max_args)]
    #[arg(allow_hyphen_values = true)]
    pub(crate) max_args: Option<NonZeroUsize>,

    /// Give each command as many values as the system allows, or up to N with -n
    ///
    /// Values are not spread over the slots: a command starts as soon as it is full.
    #[arg(short = 'X', long = "xargs")]
    pub(crate) fill: bool,

    /// Make the jobs' keys of this text with placeholders: `{2}`, `{/.}`
    ///
    /// By default a key is the job's values, joined by a space; with a table it is the first field.
    #[arg(long, value_name = "TEMPLATE", allow_hyphen_values = true, conflicts_with = "file")]
    pub(crate) key: Option<OsString>,

    /// Nothing to do: without values there are no jobs anyway. GNU xargs has it
    #[arg(short = 'r', long = "no-run-if-empty", hide = true)]
    pub(crate) _no_run_if_empty: bool,
}

fn not_empty(text: OsString) -> Result<OsString, &'static str> {
    if text.is_empty() { Err("it stands everywhere; give a text such as `{}`") } else { Ok(text) }
}

fn parse_max_args(text: &str) -> Result<NonZeroUsize, &'static str> {
    // Digits only: `parse` accepts `+2`.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    digits.ok_or("give a number from 1 up")
}
