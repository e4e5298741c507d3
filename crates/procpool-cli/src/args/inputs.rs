//! Options about the source of jobs, and the command.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};

use crate::args::pipe::PipeArgs;
use crate::args::values::ValueArgs;

/// Sources of jobs.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Input")]
pub(crate) struct InputArgs {
    #[command(flatten)]
    pub(crate) values: ValueArgs,

    /// Take commands from a .json, .jsonl or .toml file
    ///
    /// `-` is JSONL on standard input.
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["null", "delimiter", "arg_file", "csv", "tsv", "max_args", "fill", "replace", "words"])]
    pub(crate) file: Option<PathBuf>,

    /// Have sh, or another shell, read the command: --shell=bash
    ///
    /// The words of COMMAND, joined by a space, are a text for the shell, in which each placeholder becomes a
    /// quoted parameter ("${1}"), whatever quotes it stands in: the shell never reads a value as text. Where
    /// quotes don't help, it is refused, with what to write instead: where the shell computes it ($((…)), [[
    /// {} -eq 1 ]], subscripts, declare -i), takes it for a name (read, unset, printf -v, [ -v {} ]) or reads
    /// commands (eval, trap, sh -c 'a {}'), or where that isn't sure, as in a here-document. [ {} -gt 5 ] and
    /// printf %d are refused where the shell computes them: ksh, mksh, posh, zsh, and an sh that is none of
    /// bash, dash, ash, busybox and yash. What the text does with a variable is its own: `n={}; echo $((n))`
    /// computes the value. What hands a value on to another program that reads it as code (ssh, su -c, awk)
    /// has to quote it itself. Without COMMAND each line goes whole to `sh -c`. A shell that isn't POSIX's
    /// reads lines only.
    #[arg(long, value_parser = OsStringValueParser::new().try_map(program), value_name = "PROGRAM", require_equals = true, num_args = 0..=1, default_missing_value = "sh")]
    #[arg(conflicts_with = "file")]
    pub(crate) shell: Option<OsString>,

    #[command(flatten)]
    pub(crate) pipe: PipeArgs,

    /// Print the commands, for a shell to read, and run none
    ///
    /// `{%}` is shown as 1. With the variables, directory and input that a job
    /// is given, but without PROCPOOL_*, --nice, timeouts, and the blocks of
    /// --pipe. A job without input reads nothing here; a shell's may. On a terminal
    /// what would control it is written as bash(1), ksh and zsh read it.
    #[arg(long, alias = "dryrun")]
    pub(crate) dry_run: bool,

    /// The command, then `:::` and values; without `:::` the values come from standard input; without a
    /// command each line of standard input is one
    #[arg(trailing_var_arg = true, value_name = "COMMAND", hide = true)]
    pub(crate) words: Vec<OsString>,
}

fn program(text: OsString) -> Result<OsString, &'static str> {
    if text.is_empty() { Err("name a program, or leave `=` out for sh") } else { Ok(text) }
}
