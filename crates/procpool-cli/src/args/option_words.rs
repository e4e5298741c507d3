//! Parsed options as words again, for the journal, from which a resume parses them once more. Works on clap's
//! definitions, so it needs no list of options.

use std::ffi::{OsStr, OsString};

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

/// Options that name the journal or select its jobs. The journal implies them.
const NOT_OPTIONS: [&str; 4] = ["journal", "resume", "unrun", "failed"];

/// Records that a resume would overwrite with the rest of the list, and --detach.
const OF_ONE_RUN: [&str; 4] = ["--joblog=", "--junit=", "--events=", "--detach"];

/// The heading of options that define the list of jobs, which the journal contains.
const OF_THE_LIST: &str = "Input";

/// The typed options of the subcommand, each with its value as one word.
pub(super) fn options(command: &Command, matches: &ArgMatches) -> Vec<OsString> {
    let Some((name, matches)) = matches.subcommand() else { return Vec::new() };
    let arguments = command.find_subcommand(name).into_iter().flat_map(Command::get_arguments);
    let given = arguments.filter(|arg| {
        let is_typed = matches.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine);
        is_typed && arg.get_help_heading() != Some(OF_THE_LIST)
    });
    given.flat_map(|arg| words(arg, matches)).collect()
}

/// Those that a resume repeats.
pub(super) fn lasting(options: Vec<OsString>) -> Vec<OsString> {
    let is_lasting = |option: &OsString| {
        !OF_ONE_RUN.iter().any(|name| option.as_encoded_bytes().starts_with(name.as_bytes()))
    };
    options.into_iter().filter(is_lasting).collect()
}

fn words(arg: &Arg, matches: &ArgMatches) -> Vec<OsString> {
    let Some(long) = arg.get_long().filter(|long| !NOT_OPTIONS.contains(long)) else { return Vec::new() };
    let option = format!("--{long}");
    if matches!(arg.get_action(), ArgAction::SetTrue) {
        return vec![option.into()];
    }
    let values = matches.get_raw(arg.get_id().as_str()).into_iter().flatten();
    let word = |value: &OsStr| {
        let mut word = OsString::from(&option);
        word.push("=");
        word.push(value);
        word
    };
    values.map(word).collect()
}

/// Drops the recorded options that conflict with those that are typed now. `run` defines all of them.
pub(super) fn without_excluded(run: &Command, recorded: Vec<OsString>, typed: &[OsString]) -> Vec<OsString> {
    let arg_of = |word: &OsString| {
        let long = word.to_str()?.strip_prefix("--")?.split('=').next()?;
        run.get_arguments().find(|arg| arg.get_long() == Some(long))
    };
    let typed: Vec<&Arg> = typed.iter().filter_map(arg_of).collect();
    let is_excluded = |word: &OsString| {
        arg_of(word).is_some_and(|recorded| typed.iter().any(|typed| exclude(run, typed, recorded)))
    };
    recorded.into_iter().filter(|word| !is_excluded(word)).collect()
}

/// Whether two options conflict.
pub(super) fn exclude(command: &Command, one: &Arg, other: &Arg) -> bool {
    let excludes = |one: &Arg, other: &Arg| {
        command.get_arg_conflicts_with(one).iter().any(|arg| arg.get_id() == other.get_id())
    };
    excludes(one, other) || excludes(other, one)
}

/// Rewrites `--resume unrun` to `--resume=unrun`. Any other word after `--resume` is the command.
pub(super) fn join_resume(words: Vec<OsString>) -> Vec<OsString> {
    let is_pair = |pair: &[OsString]| pair[0] == "--resume" && pair[1] == "unrun";
    match words.windows(2).position(is_pair) {
        Some(at) if !words[..at].iter().any(|word| word == "--") => {
            let mut joined = words;
            joined.splice(at..at + 2, [OsString::from("--resume=unrun")]);
            joined
        }
        _ => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_can_be_typed_again() {
        let mut command = Command::new("procpool").subcommand(
            Command::new("run")
                .arg(Arg::new("limit").long("limit").short('j').default_value("4"))
                .arg(Arg::new("order").long("keep-order").short('k').action(ArgAction::SetTrue))
                .arg(Arg::new("env").long("env").action(ArgAction::Append))
                .arg(Arg::new("grace").long("grace").default_value("2s"))
                .arg(Arg::new("joblog").long("joblog"))
                .arg(Arg::new("journal").long("journal"))
                .arg(Arg::new("csv").long("csv").action(ArgAction::SetTrue).help_heading("Input"))
                .arg(Arg::new("words").trailing_var_arg(true).num_args(0..)),
        );
        let typed = [
            "procpool",
            "run",
            "-j",
            "8",
            "-k",
            "--env",
            "A=1",
            "--env=B=",
            "--joblog",
            "log",
            "--journal",
            "x",
            "--csv",
            "ls",
            "-l",
        ];
        let matches = command.try_get_matches_from_mut(typed).unwrap();
        let given = lasting(options(&command, &matches));
        assert_eq!(given, ["--limit=8", "--keep-order", "--env=A=1", "--env=B="]);
    }

    #[test]
    fn what_is_typed_now_takes_the_place_of_what_it_excludes() {
        let run = Command::new("run")
            .arg(Arg::new("tag").long("tag").action(ArgAction::SetTrue))
            .arg(Arg::new("with").long("tag-with").conflicts_with("tag"))
            .arg(Arg::new("limit").long("limit"));
        let left = |recorded: &[&str], typed: &[&str]| {
            let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
            without_excluded(&run, words(recorded), &words(typed))
        };
        assert_eq!(left(&["--tag", "--limit=1"], &["--tag-with=x"]), ["--limit=1"]);
        assert_eq!(left(&["--limit=1", "--tag-with=y"], &["--tag", "--limit=2"]), ["--limit=1"]);
        assert_eq!(left(&["--tag-with=y"], &["--tag-with=x"]), ["--tag-with=y"]);
    }

    #[test]
    fn the_word_after_resume_is_the_command_unless_it_is_unrun() {
        let joined = |words: &[&str]| join_resume(words.iter().map(OsString::from).collect());
        assert_eq!(joined(&["p", "run", "--resume", "unrun", "ls"]), ["p", "run", "--resume=unrun", "ls"]);
        for words in [
            &["p", "run", "--resume", "ls"][..],
            &["p", "run", "--", "--resume", "unrun"],
            &["p", "--resume"],
        ] {
            assert_eq!(joined(words), words);
        }
    }
}
