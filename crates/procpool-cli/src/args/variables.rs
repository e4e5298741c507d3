//! Options from the environment: `PROCPOOL_KEEP_ORDER` sets `--keep-order`. Works on clap's definitions, so
//! it names only the options that have no variable.

use std::ffi::{OsStr, OsString};

use anyhow::bail;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::args::option_words::exclude;

/// Jobs get variables with these names, so they can't set options.
const OF_JOBS: [&str; 6] = ["key", "seq", "slot", "attempt", "run", "within"];

/// Options that belong to a single run. A run inside of a job inherits the variables: it would read the outer
/// run's input and overwrite its records.
const OF_ONE_RUN: [&str; 20] = [
    "file",
    "arg-file",
    "dry-run",
    "results",
    "joblog",
    "junit",
    "events",
    "journal",
    "resume",
    "changed",
    "durable",
    "on",
    "slices",
    "nodes",
    "sbatch-arg",
    "time",
    "bad-node",
    "detach",
    "on-term",
    "at-most-once",
];

/// The section of `--help`.
pub(super) const HELP: &str = "\
Variables:
  An option that is not given is taken from the variable PROCPOOL_ and its long
  name in capitals, with _ for -: PROCPOOL_LIMIT=8, PROCPOOL_KEEP_ORDER=yes.
  Switches take true or false, yes or no, 1 or 0. An empty variable counts as
  unset, and so does one that conflicts with a given option. There is none for
  --key (jobs have PROCPOOL_KEY), nor for options of one run (--file, --arg-file,
  and --dry-run, --results, --joblog, --junit, --events, --journal, --resume,
  and --changed, --durable; --on, --slices, --nodes, --sbatch-arg, --time,
  --bad-node, --detach, --on-term, --at-most-once). Jobs inherit them.";

/// A variable that is set, as the word of an option.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) word: OsString,
}

/// The variables of options that were not typed and don't conflict with typed ones.
///
/// # Errors
/// If the value of a switch is neither true nor false.
pub(super) fn set(
    command: &Command,
    typed: &ArgMatches,
    value_of: impl Fn(&str) -> Option<OsString>,
) -> anyhow::Result<Vec<Variable>> {
    let is_typed = |arg: &Arg| typed.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine);
    let all_typed: Vec<&Arg> = command.get_arguments().filter(|arg| is_typed(arg)).collect();
    let counts = |arg: &Arg| !is_typed(arg) && !all_typed.iter().any(|typed| exclude(command, typed, arg));
    let mut variables = Vec::new();
    for (long, arg) in options(command) {
        let name = name(long);
        match value_of(&name) {
            Some(value) if !value.is_empty() && counts(arg) => {
                variables.extend(word(arg, long, &name, &value)?.map(|word| Variable { name, word }));
            }
            _ => (),
        }
    }
    Ok(variables)
}

/// Options that have a variable, with their long names.
fn options(command: &Command) -> impl Iterator<Item = (&str, &Arg)> {
    command.get_arguments().filter(|arg| !arg.is_hide_set()).filter_map(|arg| {
        let long = arg.get_long()?;
        let has_one =
            !matches!(long, "help" | "version") && ![&OF_JOBS[..], &OF_ONE_RUN].concat().contains(&long);
        has_one.then_some((long, arg))
    })
}

fn name(long: &str) -> String {
    format!("PROCPOOL_{}", long.to_uppercase().replace('-', "_"))
}

/// The word of an option; `None` for a switch that is off.
fn word(arg: &Arg, long: &str, name: &str, value: &OsStr) -> anyhow::Result<Option<OsString>> {
    let mut word = OsString::from(format!("--{long}"));
    if !matches!(arg.get_action(), ArgAction::SetTrue) {
        word.push("=");
        word.push(value);
        return Ok(Some(word));
    }
    match value.to_string_lossy().to_lowercase().as_str() {
        "true" | "yes" | "y" | "on" | "1" => Ok(Some(word)),
        "false" | "no" | "n" | "off" | "0" => Ok(None),
        _ => bail!("the variable {name} is {value:?}; --{long} is a switch: give true or false"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command() -> Command {
        let mut command = Command::new("run")
            .args_override_self(true)
            .arg(Arg::new("limit").long("limit"))
            .arg(Arg::new("order").long("keep-order").action(ArgAction::SetTrue))
            .arg(Arg::new("csv").long("csv").action(ArgAction::SetTrue).conflicts_with("null"))
            .arg(Arg::new("null").long("null").action(ArgAction::SetTrue))
            .arg(Arg::new("file").long("file"))
            .arg(Arg::new("key").long("key"));
        command.build();
        command
    }

    /// The words that come of these variables where these words were typed.
    fn words(typed: &[&str], variables: &[(&str, &str)]) -> anyhow::Result<Vec<String>> {
        let typed = command().get_matches_from([&["run"], typed].concat());
        let value_of = |name: &str| {
            variables.iter().find(|(set, _)| *set == name).map(|(_, value)| OsString::from(value))
        };
        let set = set(&command(), &typed, value_of)?;
        Ok(set.into_iter().map(|variable| variable.word.into_string().unwrap_or_default()).collect())
    }

    #[test]
    fn a_variable_stands_for_its_option() {
        let variables = [("PROCPOOL_LIMIT", "8"), ("PROCPOOL_KEEP_ORDER", "Yes")];
        assert_eq!(words(&[], &variables).ok(), Some(vec!["--limit=8".into(), "--keep-order".into()]));
    }

    #[test]
    fn what_was_typed_wins_and_so_does_what_it_excludes() {
        assert_eq!(words(&["--limit", "2"], &[("PROCPOOL_LIMIT", "8")]).ok(), Some(vec![]));
        assert_eq!(words(&["--null"], &[("PROCPOOL_CSV", "1")]).ok(), Some(vec![]));
        assert_eq!(words(&["--csv"], &[("PROCPOOL_NULL", "1")]).ok(), Some(vec![]));
    }

    #[test]
    fn an_empty_variable_and_a_switch_that_is_off_are_nothing() {
        let variables = [("PROCPOOL_LIMIT", ""), ("PROCPOOL_KEEP_ORDER", "0"), ("PROCPOOL_CSV", "")];
        assert_eq!(words(&[], &variables).ok(), Some(vec![]));
    }

    #[test]
    fn a_switch_that_is_neither_is_refused_by_the_variables_name() {
        let error = words(&[], &[("PROCPOOL_CSV", "maybe")]).map_err(|error| error.to_string());
        let says = "the variable PROCPOOL_CSV is \"maybe\"; --csv is a switch: give true or false";
        assert_eq!(error, Err(says.to_owned()));
    }

    #[test]
    fn the_help_names_what_has_no_variable() {
        for long in OF_ONE_RUN {
            assert!(HELP.contains(&format!("--{long}")), "{long}");
        }
    }

    #[test]
    fn what_is_one_runs_own_or_a_jobs_has_no_variable() {
        let variables = [("PROCPOOL_FILE", "a"), ("PROCPOOL_KEY", "b"), ("PROCPOOL_HELP", "1")];
        assert_eq!(words(&[], &variables).ok(), Some(vec![]));
    }
}
