//! Messages about invalid arguments: which one, what is wrong, and what to write instead. clap's own messages
//! span several lines and suggest usage; these are one line and give advice.

use std::error::Error as _;
use std::ffi::OsString;

use anyhow::{Error, anyhow};
use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::args::foreign;
use crate::terminal::shown;

/// The message for an error of clap. `words` were parsed by `command`.
pub(super) fn of(error: &clap::Error, words: &[OsString], command: &Command) -> Error {
    // clap's name for the words of the command.
    let name = |kind| text(error, kind).replace("[COMMAND]...", "a command");
    let word = name(ContextKind::InvalidArg);
    match error.kind() {
        ErrorKind::UnknownArgument if !word.starts_with('-') => {
            anyhow!("unexpected word '{word}'; leave it out")
        }
        ErrorKind::UnknownArgument => unknown_option(error, &word, words, command),
        ErrorKind::InvalidSubcommand => {
            let word = text(error, ContextKind::InvalidSubcommand);
            match text(error, ContextKind::SuggestedSubcommand) {
                none if none.is_empty() => {
                    anyhow!("unknown word '{word}'; a command is run by `procpool run -- {word} …`")
                }
                similar => anyhow!("unknown word '{word}'; there is '{similar}'"),
            }
        }
        ErrorKind::InvalidValue => {
            let choice = choice(&text(error, ContextKind::ValidValue));
            match text(error, ContextKind::InvalidValue) {
                none if none.is_empty() => anyhow!("a value is missing for '{word}'{choice}"),
                value => anyhow!("invalid value '{value}' for '{word}'{choice}"),
            }
        }
        ErrorKind::ArgumentConflict => {
            let other = name(ContextKind::PriorArg);
            anyhow!("{} cannot be used with {}; leave one out", quoted(&word), quoted(&other))
        }
        ErrorKind::TooManyValues => {
            let value = text(error, ContextKind::InvalidValue);
            anyhow!("'{word}' takes no value, but was given '{value}'; write '{word}' alone")
        }
        ErrorKind::InvalidUtf8 => match words.iter().position(|word| word.to_str().is_none()) {
            Some(at) => {
                let (before, word) = (&words[at.saturating_sub(1)], &words[at]);
                anyhow!("{word:?} after {before:?} is no UTF-8, as only commands, values and paths may be")
            }
            None => anyhow!(as_clap_says(error)),
        },
        ErrorKind::MissingRequiredArgument => anyhow!("{} is missing", quoted(&word)),
        ErrorKind::ValueValidation => {
            let value = text(error, ContextKind::InvalidValue);
            let reason = error.source().map(|reason| what_to_give(&reason.to_string())).unwrap_or_default();
            anyhow!("invalid value '{value}' for '{word}': {reason}")
        }
        _ => anyhow!(as_clap_says(error)),
    }
}

fn unknown_option(error: &clap::Error, option: &str, words: &[OsString], command: &Command) -> Error {
    let run = command.find_subcommand("run");
    let behind_run = words.get(1).is_some_and(|word| word == "run");
    if !behind_run && run.is_some_and(|run| has(run, option)) {
        return anyhow!("'{option}' is an option of `procpool run`; write `procpool run {option} …`");
    }
    if let Some(instead) = foreign::instead_of(option) {
        return anyhow!("unknown option '{option}': {instead}");
    }
    match text(error, ContextKind::SuggestedArg) {
        none if none.is_empty() && behind_run => anyhow!(
            "unknown option '{option}'; `procpool run --help` tells those there are. \
             Those of the command stand behind its name"
        ),
        none if none.is_empty() => anyhow!("unknown option '{option}'; `procpool --help` says what there is"),
        similar => anyhow!("unknown option '{option}'; there is '{similar}'"),
    }
}

/// Whether the command has an option of this name or alias.
pub(super) fn has(command: &Command, option: &str) -> bool {
    command.get_arguments().any(|arg| match option.strip_prefix("--") {
        Some(long) => {
            arg.get_long() == Some(long) || arg.get_all_aliases().unwrap_or_default().contains(&long)
        }
        None => {
            let short = option.chars().nth(1);
            arg.get_short() == short
                || arg.get_all_short_aliases().unwrap_or_default().iter().any(|alias| Some(*alias) == short)
        }
    })
}

/// Why a value was refused. Rewrites the messages of clap and the standard library about numbers.
fn what_to_give(reason: &str) -> String {
    match reason.split_once(" is not in ").and_then(|(_, range)| range.split_once("..=")) {
        Some((least, most)) => format!("give a number from {least} to {most}"),
        None => reason.replace("invalid digit found in string", "give a whole number"),
    }
}

/// Quotes typed words, but not descriptions.
fn quoted(name: &str) -> String {
    if name.starts_with(['-', '<']) { format!("'{name}'") } else { name.to_owned() }
}

/// The possible values, if clap lists them.
fn choice(values: &str) -> String {
    if values.is_empty() { String::new() } else { format!("; give one of: {values}") }
}

fn text(error: &clap::Error, kind: ContextKind) -> String {
    let text = match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(", "),
        _ => String::new(),
    };
    brief(&text)
}

/// A word for a message: escaped and shortened.
fn brief(word: &str) -> String {
    const MOST: usize = 100;
    let cut = if word.chars().count() > MOST { "…" } else { "" };
    shown::name(word.chars().take(MOST).collect::<String>()) + cut
}

/// The first paragraph of clap's message in one line. The rest is usage.
fn as_clap_says(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let paragraph = text.split("\n\n").next().unwrap_or_default();
    let lines: Vec<&str> = paragraph.lines().map(str::trim).collect();
    lines.join(" ").trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_is_no_number_is_answered_with_which_one_to_give() {
        assert_eq!(what_to_give("99 is not in -20..=19"), "give a number from -20 to 19");
        assert_eq!(what_to_give("invalid digit found in string"), "give a whole number");
        assert_eq!(what_to_give("give never, or WHEN,WHY=N"), "give never, or WHEN,WHY=N");
    }

    #[test]
    fn a_word_is_shown_in_one_short_line_that_controls_nothing() {
        assert_eq!(brief("--limit <N>"), "--limit <N>");
        assert_eq!(brief("a\n\x1b[31mé"), "a\\n\\u{1b}[31mé");
        assert_eq!(brief(&"é".repeat(101)), format!("{}…", "é".repeat(100)));
    }
}
