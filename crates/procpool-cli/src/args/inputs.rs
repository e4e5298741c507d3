//! What was typed about where jobs come from.
//! Knows nothing of how it is read: `input/` does.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::args::pipe::PipeArgs;
use crate::args::values::ValueArgs;

/// Sources of jobs.
#[derive(Debug, clap::Args)]
pub(crate) struct InputArgs {
    #[command(flatten)]
    pub(crate) values: ValueArgs,

    /// Take commands from a .json, .jsonl or .toml file
    ///
    /// `-` is JSONL on standard input.
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["null", "delimiter", "arg_file", "csv", "tsv", "max_args", "fill", "replace", "words"])]
    pub(crate) file: Option<PathBuf>,

    /// Have a shell read each line of the input as a command
    ///
    /// For input that is a list of commands. Each line goes whole to `sh -c`, or to another shell's: --shell=bash.
    #[arg(long, value_name = "PROGRAM", require_equals = true, num_args = 0..=1, default_missing_value = "sh")]
    #[arg(hide_short_help = true, help_heading = "Input", conflicts_with = "file")]
    pub(crate) shell: Option<OsString>,

    #[command(flatten)]
    pub(crate) pipe: PipeArgs,

    /// Print the commands, as a shell would read them, and run none
    ///
    /// `{%}` is shown as 1.
    #[arg(long, alias = "dryrun", hide_short_help = true)]
    pub(crate) dry_run: bool,

    /// The command, then `:::` and values; without `:::` the values come from standard input; without a command
    /// each line of standard input is one
    #[arg(trailing_var_arg = true, value_name = "COMMAND", hide = true)]
    pub(crate) words: Vec<OsString>,
}
