//! What was typed.
//! Knows nothing of what it means: `plan.rs` does.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{CommandFactory, Parser, Subcommand};
use procpool_core::{Limit, OnLeak};

use crate::duration;
use crate::guard::Leftovers;

/// Runs a list of commands in parallel, captures everything and loses nothing.
#[derive(Debug, Parser)]
#[command(name = "procpool", version, after_help = FIRST_EXAMPLES, disable_help_subcommand = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) chore: Option<Chore>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Chore {
    Run(RunArgs),
}

const FIRST_EXAMPLES: &str = "\
Examples:
  procpool run --tag -- wc -c {} ::: /etc/passwd /etc/group
  seq 4 | procpool run -j2 --timeout 5s -- sleep 0.{}
  find . -maxdepth 1 -type f -print0 | procpool run -0 -k -- sha256sum {}

`procpool run --help` says everything.";

const PLACEHOLDERS: &str = "\
Placeholders, anywhere in an argument:
  {}    the value         {.}    the value without its extension
  {/}   its base name     {/.}   its base name without extension
  {//}  its directory     {key}  the job's key
  {#}   the job's number  {%}    the slot it runs in
Other braces mean themselves. Without any placeholder the value is the last argument.";

const AFTER_LONG_HELP: &str = "\
Placeholders, anywhere in an argument; the result is always one argument:
  {}     the value
  {.}    the value without its extension
  {/}    its base name: what follows the last slash
  {//}   its directory, `.` where it has none
  {/.}   its base name without extension
  {#}    the job's number in the input, from 1
  {%}    the slot that it runs in, from 1 to the limit
  {key}  the job's key: the value, or its name in a job file
Whatever else stands in braces means itself, as in `awk '{print $1}'`. Without
any placeholder the value becomes the last argument.

Where jobs come from:
  Values after `:::`, or else standard input: a line a value. An empty line is
  an empty value, a missing last newline is fine, an empty input is no jobs.
  A job file holds whole commands, in which braces mean themselves. JSON:
    {\"KEY\": [\"PROGRAM\", \"ARGUMENT\", …], …}
  or the long form, in TOML as well:
    {\"jobs\": {\"KEY\": {\"cmd\": […], \"cwd\": …, \"env\": {…}, \"stdin\": …,
     \"timeout\": \"30s\"}, …}, \"defaults\": {…}}
  `\"shell\": \"a | b\"` in place of \"cmd\" asks for `sh -c`; \"stdin\" is a text
  or {\"file\": PATH}. JSONL: an object a line, with its \"key\" in it.
  Paths are relative to where procpool runs. --timeout is for jobs that name
  no timeout of their own.

What a job has and how it ends:
  It runs without a shell, in a session and process group of its own, with
  nothing on standard input, no terminal, every signal at its default, and with
  PROCPOOL_KEY, PROCPOOL_SEQ, PROCPOOL_SLOT, PROCPOOL_ATTEMPT and PROCPOOL_RUN
  in its environment. It ends when its process ends; what then still holds its
  output gets 200 ms and is killed (--on-leak), and the job counts as leaked. One that takes too long is sent TERM, with its group, then KILL.

Exit status:
  0  every job ran and succeeded and all output was delivered, or there were
     no jobs
  1  at least one job failed
  2  bad usage or bad input; what was started before that was seen was
     finished and reported
  3  procpool could not do its own work, or jobs were left unrun
  After INT, TERM, HUP or QUIT it ends the jobs (by the same signal, but TERM
  for HUP; 2 s later KILL; INT again: KILL at once) and dies by that signal.

Signals that end nothing:
  USR1 prints what runs now, on standard error. USR2 starts nothing new and lets
  what runs finish; 3 if jobs are left. Ctrl-Z stops the jobs as well, and their
  timeouts stand still. One that was ignored from the start stays ignored.

However procpool ends, `kill -9` of it included, no process that it started
outlives it by more than a second: a second process, the guardian, sees to it.";

/// Run a command for each value, or each command of a job file.
#[derive(Debug, clap::Args)]
#[command(
    args_override_self = true,
    override_usage = "procpool run [OPTIONS] [--] COMMAND [ARGUMENT]... [::: VALUE...]\n       procpool run [OPTIONS] --file FILE",
    after_help = PLACEHOLDERS,
    after_long_help = AFTER_LONG_HELP,
)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch; `plan.rs` turns them into choices")]
pub(crate) struct RunArgs {
    /// Run at most N jobs at a time; `auto`: one a processor
    #[arg(short = 'j', long = "limit", alias = "jobs", short_alias = 'P', value_name = "N", default_value = "4", value_parser = parse_limit)]
    #[arg(allow_hyphen_values = true)]
    pub(crate) limit: Limit,

    /// Print outputs in the order of the input, not as jobs end
    #[arg(short, long)]
    pub(crate) keep_order: bool,

    /// Begin each line of output with its job's key and a tab
    ///
    /// A last line without a newline is given one.
    #[arg(long)]
    pub(crate) tag: bool,

    /// Let the output control a terminal, not only colour it
    ///
    /// Otherwise what goes to a terminal is text in UTF-8 and colours: all other
    /// control sequences are taken out, and colour stops at the end of a line,
    /// to be taken up again in the next. To a pipe or a file bytes are exact
    /// anyway.
    #[arg(long)]
    pub(crate) raw_control: bool,

    /// End a job that takes longer (0.5, 30s, 5m, 1h30m)
    ///
    /// TERM to its process group, 2 s later KILL.
    #[arg(long, value_name = "TIME", value_parser = duration::parse, allow_hyphen_values = true)]
    pub(crate) timeout: Option<Duration>,

    /// Values end with a NUL byte, as `find -print0` does
    #[arg(short = '0', long = "null")]
    pub(crate) null: bool,

    /// Take commands from a .json, .jsonl or .toml file
    ///
    /// `-` is JSONL on standard input.
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["null", "words"])]
    pub(crate) file: Option<PathBuf>,

    /// What becomes of a process that holds a job's output open after the job itself has ended
    ///
    /// It gets 200 ms, and the job counts as leaked. Then it is killed with its process group (kill), the
    /// job goes on until it lets go (wait), or it may live on, also when procpool has ended (keep).
    #[arg(
        long,
        value_name = "WHAT",
        default_value = "kill",
        hide_possible_values = true,
        hide_short_help = true
    )]
    pub(crate) on_leak: LeakPolicy,

    /// Run as one process, without a second one that ends everything should the first be killed
    #[arg(long, hide_short_help = true)]
    pub(crate) no_guard: bool,

    /// The command, then `:::` and values; without `:::` the values come from standard input
    #[arg(trailing_var_arg = true, value_name = "COMMAND", hide = true)]
    pub(crate) words: Vec<OsString>,
}

/// As core's, in the words of the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LeakPolicy {
    Kill,
    Wait,
    Keep,
}

impl RunArgs {
    /// Whether there is to be a guardian, and what it does about processes that are left at the end.
    pub(crate) fn guarding(&self) -> Option<Leftovers> {
        let leftovers = match self.on_leak {
            LeakPolicy::Kill | LeakPolicy::Wait => Leftovers::Kill,
            LeakPolicy::Keep => Leftovers::Keep,
        };
        (!self.no_guard).then_some(leftovers)
    }

    /// The same choice as core names it.
    pub(crate) fn on_leak(&self) -> OnLeak {
        match self.on_leak {
            LeakPolicy::Kill => OnLeak::Kill,
            LeakPolicy::Wait => OnLeak::Wait,
            LeakPolicy::Keep => OnLeak::Keep,
        }
    }
}

fn parse_limit(text: &str) -> Result<Limit, String> {
    if text == "auto" {
        return Ok(Limit::available());
    }
    // Digits only: GNU parallel's `+2` means two more than there are processors.
    let number = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<usize>().ok()).flatten();
    let number = number.ok_or("give a number from 1 up, or `auto`")?;
    Limit::new(number).map_err(|error| error.to_string())
}

/// What `procpool` alone says.
pub(crate) fn print_first_help() {
    // A closed standard output hurts nobody here.
    let _ = Args::command().print_help();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_of_the_arguments_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn what_follows_the_first_word_that_is_no_option_is_the_command() {
        let words = |typed: &[&str]| match Args::parse_from([&["procpool", "run"], typed].concat()).chore {
            Some(Chore::Run(args)) => args.words,
            None => panic!("no run"),
        };
        assert_eq!(words(&["-j2", "ls", "-k", "--tag", ":::", "a"]), ["ls", "-k", "--tag", ":::", "a"]);
        assert_eq!(words(&["--", "ls", "-k", ":::", "-x"]), ["ls", "-k", ":::", "-x"]);
        assert_eq!(words(&["git", "log", "--", "{}"]), ["git", "log", "--", "{}"]);
        assert_eq!(words(&["--", "git", "log", "--", "{}"]), ["git", "log", "--", "{}"]);
    }
}
