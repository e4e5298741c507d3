//! Parses the command line and the variables. `plan` gives the options their meaning.

mod cluster;
mod command_line;
mod delimiter;
mod environment;
mod foreign;
mod help;
mod inputs;
mod jobs;
mod journal;
mod negated;
mod option_words;
mod outputs;
mod pipe;
mod reading;
mod records;
mod refusal;
mod scheduling;
mod telling;
mod typed;
mod values;
mod variables;

use std::env;
use std::ffi::{OsStr, OsString};

use anyhow::bail;
use clap::{ArgMatches, ColorChoice, Command, CommandFactory, FromArgMatches, ValueEnum};

pub(crate) use crate::args::cluster::{BadNodeChoice, ClusterArgs, EngineChoice, SliceArgs, TermChoice};
use crate::args::command_line::Args;
pub(crate) use crate::args::command_line::{RunArgs, Subcommand};
pub(crate) use crate::args::environment::EnvironmentArgs;
pub(crate) use crate::args::inputs::InputArgs;
pub(crate) use crate::args::jobs::{JobArgs, LeakPolicy};
pub(crate) use crate::args::journal::{ChangedChoice, JournalArgs, ResumeArgs, ResumeChoice};
pub(crate) use crate::args::negated::NegatedOptions;
pub(crate) use crate::args::outputs::{OutputArgs, OutputMode};
pub(crate) use crate::args::pipe::RecordEnd;
pub(crate) use crate::args::reading::{ExportArgs, ExportFormat, LsArgs, ShowArgs};
pub(crate) use crate::args::records::{EventTarget, RecordArgs};
pub(crate) use crate::args::scheduling::{HaltChoice, ScheduleArgs, TimeLimit};
pub(crate) use crate::args::telling::{ProgressChoice, SummaryChoice, TellingArgs};
pub(crate) use crate::args::typed::{ChangedFrom, RunRequest, RunSource, Typed};
pub(crate) use crate::args::values::ValueArgs;
use crate::terminal::colour;

/// Parses the command line and the variables. Prints help and exits if that was asked for.
///
/// # Errors
/// If a word or a variable is invalid.
pub(crate) fn parse() -> anyhow::Result<Typed> {
    understand(env::args_os().collect(), &NegatedOptions::default())
}

/// Parses the recorded options of a run together with those that are typed for its resume, which take
/// precedence.
///
/// # Errors
/// If one is invalid.
pub(crate) fn parse_run(
    recorded: Vec<OsString>,
    typed: Vec<OsString>,
    negated: &NegatedOptions,
) -> anyhow::Result<RunArgs> {
    let all = command();
    let run = all.find_subcommand("run").expect("BUG: no subcommand that runs");
    let mut recorded = option_words::without_excluded(run, recorded, &typed);
    recorded.retain(|word| !negated.has(word));
    let words = ["procpool".into(), "run".into()].into_iter().chain(recorded).chain(typed).collect();
    match understand(words, negated)?.subcommand {
        Some(Subcommand::Run(args)) => Ok(*args),
        _ => bail!("these are no options of a run"),
    }
}

/// `before`: options whose variables are ignored.
fn understand(words: Vec<OsString>, before: &NegatedOptions) -> anyhow::Result<Typed> {
    let mut words = option_words::join_resume(words);
    let mut command = command();
    let negated = match command.find_subcommand("resume") {
        Some(resume) if words.get(1).is_some_and(|word| word == "resume") => {
            NegatedOptions::take(&mut words, resume)?
        }
        _ => NegatedOptions::default(),
    };
    let typed = matches(&mut command, &words)?;
    let all = with_variables(&mut command, &words, typed, before)?;
    let args = Args::from_arg_matches(&all)?;
    let options = match &args.subcommand {
        Some(Subcommand::Run(run)) if run.journal.journal.is_some() || run.cluster.cluster().is_some() => {
            option_words::lasting(option_words::options(&Args::command(), &all))
        }
        Some(Subcommand::Resume(_)) => option_words::options(&Args::command(), &all),
        _ => Vec::new(),
    };
    Ok(Typed::new(args, options, negated))
}

fn matches(command: &mut Command, words: &[OsString]) -> anyhow::Result<ArgMatches> {
    command
        .try_get_matches_from_mut(words)
        .map_err(|error| if error.use_stderr() { refusal::of(&error, words, command) } else { error.exit() })
}

/// Parses variables like options that come first, so that typed ones take precedence.
fn with_variables(
    command: &mut Command,
    words: &[OsString],
    typed: ArgMatches,
    negated: &NegatedOptions,
) -> anyhow::Result<ArgMatches> {
    let (Some(run), Some(typed_for_run)) = (command.find_subcommand("run"), typed.subcommand_matches("run"))
    else {
        return Ok(typed);
    };
    let mut variables = variables::set(run, typed_for_run, |name| env::var_os(name))?;
    variables.retain(|variable| !negated.has(&variable.word));
    if variables.is_empty() {
        return Ok(typed);
    }
    // `procpool run` has no option before `run`.
    let (program, rest) = words.split_at(words.len().min(2));
    let added: Vec<OsString> = variables.iter().map(|variable| variable.word.clone()).collect();
    matches(command, &[program, &added, rest].concat()).map_err(|error| {
        let mut alone = |word: &OsStr| matches(command, &["procpool".into(), "run".into(), word.to_owned()]);
        let of_one = variables.iter().find_map(|variable| {
            Some(alone(&variable.word).err()?.context(format!("the variable {}", variable.name)))
        });
        let names = variables.iter().map(|variable| variable.name.as_str()).collect::<Vec<_>>().join(", ");
        of_one.unwrap_or_else(|| error.context(format!("the variables {names}")))
    })
}

/// The complete command line.
pub(crate) fn command() -> Command {
    let words: Vec<OsString> = env::args_os().collect();
    let mut command = Args::command().mut_subcommand("run", |run| help::dress(run, &words));
    command = command.color(match colour::decide(colour_choice(), |name| env::var_os(name)) {
        Some(true) => ColorChoice::Always,
        Some(false) => ColorChoice::Never,
        None => ColorChoice::Auto,
    });
    // Last, because this passes global settings on to subcommands.
    command.build();
    command
}

/// Prints the help of `procpool` without arguments.
pub(crate) fn print_first_help() {
    // Errors such as a closed standard output don't matter here.
    let _ = command().print_help();
}

/// The value of --color, or of its variable, for help and errors, which clap may print before parsing is
/// complete.
fn colour_choice() -> colour::ColourChoice {
    let variable = || {
        env::var("PROCPOOL_COLOR").ok().and_then(|value| colour::ColourChoice::from_str(&value, false).ok())
    };
    typed_colour(env::args_os().skip(1)).or_else(variable).unwrap_or(colour::ColourChoice::Auto)
}

/// Finds --color among unparsed words.
fn typed_colour(words: impl Iterator<Item = OsString>) -> Option<colour::ColourChoice> {
    let options: Vec<String> =
        words.map(|word| word.to_string_lossy().into_owned()).take_while(|word| word != "--").collect();
    let at = options.iter().rposition(|word| word == "--color" || word.starts_with("--color="))?;
    let value = options[at].strip_prefix("--color=").or_else(|| options.get(at + 1).map(String::as_str))?;
    colour::ColourChoice::from_str(value, false).ok()
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[test]
    fn the_definition_of_the_arguments_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_wish_for_colour_is_heard_before_help_is_shown() {
        let typed = |words: &[&str]| typed_colour(words.iter().map(OsString::from));
        assert_eq!(typed(&["run", "--color", "never", "--help"]), Some(colour::ColourChoice::Never));
        assert_eq!(typed(&["run", "--color=never", "--color=always"]), Some(colour::ColourChoice::Always));
        for words in [&["run", "--", "ls", "--color=always"][..], &["--color"], &["--color", "blue"], &[]] {
            assert_eq!(typed(words), None);
        }
    }

    #[test]
    fn no_option_is_told_to_be_foreign() {
        let command = command();
        let run = command.find_subcommand("run").unwrap_or(&command);
        let own: Vec<&str> = foreign::names().filter(|name| refusal::has(run, name)).collect();
        assert_eq!(own, Vec::<&str>::new());
    }

    #[test]
    fn what_is_to_be_written_instead_exists() {
        let command = command();
        let run = command.find_subcommand("run").unwrap_or(&command);
        // What stands in backquotes: an option with what goes with it, or another program's command line.
        let quoted = foreign::advice().flat_map(|advice| advice.split('`').skip(1).step_by(2));
        let options =
            quoted.filter(|text| text.starts_with('-')).filter_map(|text| text.split([' ', '=']).next());
        let missing: Vec<&str> = options.filter(|option| !refusal::has(run, option)).collect();
        assert_eq!(missing, Vec::<&str>::new());
    }

    #[test]
    fn what_follows_the_first_word_that_is_no_option_is_the_command() {
        let words = |typed: &[&str]| match Args::parse_from([&["procpool", "run"], typed].concat()).subcommand
        {
            Some(Subcommand::Run(args)) => args.inputs.words,
            _ => panic!("no run"),
        };
        assert_eq!(words(&["-j2", "ls", "-k", "--tag", ":::", "a"]), ["ls", "-k", "--tag", ":::", "a"]);
        assert_eq!(words(&["--", "ls", "-k", ":::", "-x"]), ["ls", "-k", ":::", "-x"]);
        assert_eq!(words(&["git", "log", "--", "{}"]), ["git", "log", "--", "{}"]);
        assert_eq!(words(&["--", "git", "log", "--", "{}"]), ["git", "log", "--", "{}"]);
    }
}
