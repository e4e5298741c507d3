//! Recorded options that a resume drops: `--no-tag` drops `--tag`, `--guard` drops `--no-guard`. Works on
//! clap's definitions, so it needs no list of options.

use std::ffi::{OsStr, OsString};

use anyhow::bail;
use clap::{Arg, Command};

use crate::args::refusal;

/// The long names of the options to drop.
#[derive(Clone, Debug, Default)]
pub(crate) struct NegatedOptions(Vec<String>);

impl NegatedOptions {
    /// Removes negations from the words of a resume.
    ///
    /// # Errors
    /// If one names an option that always has a value, or that is given as well.
    pub(super) fn take(words: &mut Vec<OsString>, resume: &Command) -> anyhow::Result<NegatedOptions> {
        let end = words.iter().position(|word| word == "--").unwrap_or(words.len());
        let (mut taken, mut left) = (Vec::new(), Vec::new());
        for (place, word) in std::mem::take(words).into_iter().enumerate() {
            let opposite = word.to_str().filter(|_| place < end).and_then(|word| opposite(resume, word));
            match opposite {
                Some((long, arg)) => {
                    if let Some(value) = fallback(arg) {
                        let value = value.to_string_lossy();
                        bail!("{word:?}: --{long} always has a value; give another one, as --{long}={value}");
                    }
                    taken.push(long);
                }
                None => left.push(word),
            }
        }
        let mut typed = left.iter().take_while(|word| *word != "--").filter_map(|word| word.to_str());
        let both = typed.find_map(|word| taken.iter().find(|long| is_given(word, long)));
        if let Some(long) = both {
            bail!("--{long} is given and taken back; leave one out");
        }
        *words = left;
        Ok(NegatedOptions(taken))
    }

    /// Whether this word sets one of these options.
    pub(super) fn has(&self, word: &OsString) -> bool {
        word.to_str().is_some_and(|word| self.0.iter().any(|long| is_given(word, long)))
    }
}

/// The default value of an option, if it has one.
fn fallback(arg: &Arg) -> Option<&OsStr> {
    let value = arg.get_default_values().first()?;
    // A switch is off and a count is 0 by default.
    (arg.get_action().takes_values() && value != "0").then_some(value)
}

fn is_given(word: &str, long: &str) -> bool {
    word.strip_prefix("--").and_then(|word| word.split('=').next()) == Some(long)
}

/// The option that this word negates.
fn opposite<'a>(resume: &'a Command, word: &str) -> Option<(String, &'a Arg)> {
    let name = word.strip_prefix("--").filter(|_| !refusal::has(resume, word))?;
    let positive = name.strip_prefix("no-").map(str::to_owned);
    [positive, Some(format!("no-{name}"))].into_iter().flatten().find_map(|long| {
        let names = |arg: &&Arg| {
            let aliases = arg.get_all_aliases().unwrap_or_default();
            arg.get_long() == Some(&long) || aliases.contains(&&*long)
        };
        let arg = resume.get_arguments().find(names)?;
        Some((arg.get_long()?.to_owned(), arg))
    })
}

#[cfg(test)]
mod tests {
    use clap::ArgAction;

    use super::*;

    fn resume() -> Command {
        Command::new("resume")
            .arg(Arg::new("tag").long("tag").action(ArgAction::SetTrue))
            .arg(Arg::new("with").long("tag-with").alias("tagstring"))
            .arg(Arg::new("no-guard").long("no-guard").action(ArgAction::SetTrue))
            .arg(Arg::new("limit").long("limit").default_value("4"))
            .arg(Arg::new("retries").long("retries").default_value("0"))
            .mut_args(|arg| {
                if matches!(arg.get_action(), ArgAction::SetTrue) { arg.default_value("false") } else { arg }
            })
    }

    fn take(typed: &[&str]) -> Result<(Vec<String>, Vec<OsString>), String> {
        let mut words = typed.iter().map(OsString::from).collect();
        let taken = NegatedOptions::take(&mut words, &resume()).map_err(|error| error.to_string())?;
        Ok((taken.0, words))
    }

    #[test]
    fn an_option_is_taken_back_by_no_and_its_name_or_by_its_name_without_no() {
        let (taken, left) = take(&["--no-tag", "J", "--guard", "--no-tagstring", "--no-retries"]).unwrap();
        assert_eq!(
            (taken, left),
            (["tag", "no-guard", "tag-with", "retries"].map(str::to_owned).into(), vec!["J".into()])
        );
    }

    #[test]
    fn other_words_stay_for_who_knows_them() {
        for words in
            [&["--no-guard", "J"][..], &["--no-such"], &["--", "--no-tag"], &["no-tag"], &["--limit"]]
        {
            let (taken, left) = take(words).unwrap();
            assert_eq!((taken.len(), left), (0, words.iter().map(OsString::from).collect()));
        }
    }

    #[test]
    fn what_has_always_a_value_or_is_given_as_well_is_refused() {
        assert!(take(&["--no-limit"]).unwrap_err().contains("--limit=4"));
        assert!(take(&["--tag-with=x", "--no-tag-with"]).unwrap_err().contains("leave one out"));
        assert!(take(&["--no-tag", "--tag"]).unwrap_err().contains("--tag is given and taken back"));
    }

    #[test]
    fn recorded_words_are_known_by_their_name() {
        let taken = NegatedOptions(vec!["tag".into()]);
        assert!(taken.has(&"--tag".into()) && taken.has(&"--tag=x".into()));
        assert!(!taken.has(&"--tag-with=x".into()) && !taken.has(&"tag".into()));
    }
}
