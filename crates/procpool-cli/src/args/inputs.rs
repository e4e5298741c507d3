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

    /// Run the command by sh, or by another shell: --shell=bash
    ///
    /// The words of COMMAND, joined by a space, are shell text. Each placeholder becomes a quoted parameter
    /// ("${1}"), whatever quotes surround it, so the shell never reads a value as code. Where quoting does
    /// not help, the command is refused with advice: where the shell would evaluate the value ($((…)), [[ {}
    /// -eq 1 ]], subscripts, declare -i), use it as a name (read, unset, printf -v, [ -v {} ]) or execute it
    /// (eval, trap, sh -c 'a {}'), and where that is not certain, as in a here-document. [ {} -gt 5 ] and
    /// printf %d are refused for shells that evaluate their operands: ksh, mksh, posh, zsh, and an sh that is
    /// none of bash, dash, ash, busybox and yash. What the text does with a variable is up to the text:
    /// `n={}; echo $((n))` evaluates the value. A text that passes a value to another program that reads it
    /// as code (ssh, su -c, awk) has to quote it for that program. Without COMMAND each line is passed whole
    /// to `sh -c`. A shell that is not POSIX-compatible runs lines only.
    #[arg(long, value_parser = OsStringValueParser::new().try_map(program), value_name = "PROGRAM", require_equals = true, num_args = 0..=1, default_missing_value = "sh")]
    #[arg(conflicts_with = "file")]
    pub(crate) shell: Option<OsString>,

    #[command(flatten)]
    pub(crate) pipe: PipeArgs,

    /// Print the commands, quoted for a shell, and run none
    ///
    /// `{%}` is shown as 1. The commands include a job's variables, directory and input, but not PROCPOOL_*,
    /// --nice, timeouts, or the blocks of --pipe. A job without input reads nothing; if you run its command
    /// by a shell, it reads the shell's input. On a terminal control characters are written in a form that
    /// bash(1), ksh and zsh read.
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
