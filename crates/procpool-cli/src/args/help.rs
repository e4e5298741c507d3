//! Help texts that belong to no single option: examples, and the sections after the options.

use std::ffi::{OsStr, OsString};

use clap::Command;

use crate::args::variables;

/// The end of the help of `procpool` without arguments.
pub(super) const FIRST_EXAMPLES: &str = "\
Examples:
  procpool run --tag -- wc -c {} ::: /etc/passwd /etc/group
  seq 4 | procpool run -j2 --timeout 5s -- sleep 0.{}
  find . -maxdepth 1 -type f -print0 | procpool run -0 -k -- sha256sum {}

`procpool run -h` is a page, `procpool run --help` says everything.";

const USAGE: &str = "procpool run [OPTIONS] [--] [COMMAND [ARGUMENT]...] [::: VALUE...]...";

/// Examples come first: most readers know xargs or GNU parallel and look for the syntax.
const TEMPLATE: &str = "{about-with-newline}{usage-heading} {usage}\n\n{before-help}{all-args}{after-help}\n";

const EXAMPLES: &str = "\
Examples:
  procpool run -j8 -- convert {} {.}.png ::: *.gif
  find . -name '*.log' -print0 | procpool run -0 -- gzip -9
  procpool run --shell < commands.txt
  procpool run --file jobs.toml --journal nightly; procpool resume nightly";

const MORE_EXAMPLES: &str = "\
Examples:
  procpool run -j8 -- convert {} {.}.png ::: *.gif
      a command for each value; {.} is the value without its extension
  find . -name '*.log' -print0 | procpool run -0 -- gzip -9
      values from standard input; without a placeholder they go to the end
  procpool run -k --tag -- ./sim --seed {1} --model {2} ::: 1 2 3 ::: a b
      all combinations, outputs in their order, each line with its job's key
  procpool run --csv -a people.csv -- ./invite {name} {mail}
      a job for each row of a table
  procpool run --shell 'sort {} | uniq -c > {.}.out' ::: *.txt
      shell text; values are passed as parameters, never as code
  procpool run --shell < commands.txt
      a command per line; without --shell only commands that need no shell
  procpool run --pipe --block 10M -- wc -l < huge.txt
      standard input in blocks of whole lines
  procpool run --file jobs.toml --results out --joblog log
      a file of commands with keys; outputs and outcomes are kept
  procpool run --file jobs.toml --journal nightly; procpool resume nightly
      a run that can be killed at any moment and resumed
  procpool run --retries 3 --timeout 1m --fail-fast -- ./fetch {} ::: *.url
      until it works, but not for ever";

/// The options that `-h` shows, in the order of their declaration.
const IN_SHORT: [&str; 11] = [
    "arg_file",
    "null",
    "file",
    "dry_run",
    "limit",
    "timeout",
    "retries",
    "fail_fast",
    "keep_order",
    "tag",
    "journal",
];

const AFTER_SHORT: &str = "Placeholders: {} {.} {/} {//} {/.} {#} {%} {key} {1} {2.} {COLUMN}; see --help";

/// Adds the help texts to `procpool run`, given the typed words.
pub(super) fn dress(run: Command, words: &[OsString]) -> Command {
    let run = run
        .override_usage(USAGE)
        .help_template(TEMPLATE)
        .before_help(EXAMPLES)
        .before_long_help(MORE_EXAMPLES)
        .after_help(AFTER_SHORT)
        .after_long_help(format!("{AFTER_LONG}\n\n{}", variables::HELP))
        .mut_args(|argument| {
            let is_short = IN_SHORT.contains(&argument.get_id().as_str());
            argument.hide_short_help(!is_short)
        });
    // The dozen options of `-h` need no headings.
    if wants_short(words) { run.mut_args(|argument| argument.help_heading(None)) } else { run }
}

fn wants_short(words: &[OsString]) -> bool {
    words.iter().take_while(|word| *word != OsStr::new("--")).any(|word| word == OsStr::new("-h"))
}

const AFTER_LONG: &str = "\
Where jobs come from:
  Values after `:::`, in files after `::::` or -a, or else standard input: a
  line a value. Several lists make all combinations, the last changes fastest;
  `:::+` and `::::+` pair a list with the one before. An empty line is an empty
  value, a missing last newline is fine, an empty input is no jobs. A carriage
  return is kept, with one warning.
  Without a COMMAND each line of standard input, or of the file of -a, is a
  command itself, and its own key. It is split into words as a shell does, by
  blanks, quotes and backslashes, and braces are literal. Blank lines and those
  that begin with # are skipped. A line that needs a shell (|, >, $, *, …) is
  refused with its number: --shell gives each line to `sh -c`.
  With --pipe standard input goes to the jobs themselves, a block each.
  A job file contains whole commands, in which braces are literal. Keys must be
  unique. JSON:
    {\"KEY\": [\"PROGRAM\", \"ARGUMENT\", …], …}
  or the long form, in TOML as well:
    {\"jobs\": {\"KEY\": {\"cmd\": […], \"cwd\": …, \"env\": {…}, \"stdin\": …,
     \"timeout\": \"30s\", \"retries\": 2}, …}, \"defaults\": {…}}
  `\"shell\": \"a | b\"` in place of \"cmd\" asks for `sh -c`; \"stdin\" is a text
  or {\"file\": PATH}. JSONL: an object a line, with its \"key\" in it.
  Paths are relative to the working directory. --timeout, --retries, --env and
  --cwd apply to jobs that set none of their own, and override \"defaults\".

Placeholders, anywhere in an argument; the result is always one argument:
  {}     the value
  {.}    the value without its extension
  {/}    its base name: what follows the last slash
  {//}   its directory, `.` where it has none
  {/.}   its base name without extension
  {#}    the job's number in the input, from 1
  {%}    the slot that it runs in, from 1 to the limit
  {key}  the job's key: its values joined by a space, the first field of a
         table's row, the line of a command, what --key says, or the name in
         a job file
  {2}    the value of the second list; with -n the second value
  {name} the column of a table. These two have all the same forms: {2.} {name/}
  With several lists or columns {} is all values, as separate arguments if it
  stands alone. Other text in braces is literal, as in `awk '{print $1}'`; only
  with a table a {word} that is no column is refused.
  Without any placeholder the values are appended as the last arguments.

What a job has and how it ends:
  It runs without a shell, in a session and process group of its own, with
  nothing on standard input, no terminal, every signal at its default, and with
  PROCPOOL_KEY, PROCPOOL_SEQ, PROCPOOL_SLOT, PROCPOOL_ATTEMPT and PROCPOOL_RUN
  in its environment (and PROCPOOL_WITHIN, for procpool itself). It ends when
  its process ends. A process that still holds its output then gets 200 ms and
  is killed (--on-leak), and the job counts as leaked, which alone is no failure.
  A job that exceeds its timeout is sent TERM, with its process group, and KILL
  after --grace.
  Its status: its exit code; 128+N where signal N killed it; 124 timed out; 127
  program not found; 126 found but can't be executed.

Exit status:
  0  every job ran and succeeded, all output was delivered and all records were
     written; or there were no jobs; or --halt ended the run after the number of
     successful or finished jobs that it asked for, and no job had failed
  1  at least one job failed
  2  bad usage or bad input; jobs that were started before it was found were
     finished and reported
  3  procpool could not do its own work, or jobs were left unrun for another
     reason than --halt
  After INT, TERM, HUP or QUIT it ends the jobs (by the same signal, but TERM
  for HUP; after --grace KILL; INT again: KILL at once) and dies by that signal.

Other signals:
  USR1 prints the running jobs on standard error. USR2 starts nothing new and
  lets running jobs finish; status 3 if jobs are left. Ctrl-Z also stops the jobs
  and their timeouts. A signal that was ignored at the start stays ignored.

Resuming a run:
  With --journal DIR each result is recorded before it is shown, and the list of
  jobs too. After a kill, a crash, Ctrl-C or failures `procpool resume DIR` runs
  the jobs that have not succeeded, in the directory and with the options of the
  first run; the same command with --resume does so with a list that may have
  changed. At most as many jobs as the limit run a second time, output that was
  printed is not printed again, and the exit status is that of the whole list.

On a cluster:
  With --on slurm an array job of slices is submitted, each on one node with as
  many jobs at once as -j says. They divide the list among themselves; all else
  stays the same. All nodes must see the folder of --journal. INT and TERM end
  the array. HUP, --detach and a kill of procpool leave it at work (so does TERM
  with --on-term leave): `procpool resume DIR` continues the run. A job whose
  outcome is unknown after three slices is lost: status 3.

However procpool ends, `kill -9` of it or of its process group included, no
process that it started outlives it by more than a second: two guardian
processes ensure that. They need a /proc of their own PID namespace. Without one
there is a warning, and only the jobs' own processes end with procpool. No
process that procpool did not start is ever signalled.

Names from other tools are accepted: -P, --jobs and --max-procs for --limit, -N
for -n, --bar and --eta for --progress bar, --tagstring for --tag-with, --shuf,
--memfree, --max-load, --dryrun, and -r, which changes nothing here.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_for_the_short_help_is_seen_before_the_command() {
        let wants = |words: &[&str]| wants_short(&words.iter().map(OsString::from).collect::<Vec<_>>());
        assert!(wants(&["procpool", "run", "-k", "-h"]));
        assert!(!wants(&["procpool", "run", "--help"]));
        assert!(!wants(&["procpool", "run", "--", "ls", "-h"]));
    }
}
