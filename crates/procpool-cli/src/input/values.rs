//! The words after the options: the command, and the lists of values that follow it. No file is opened here.

use std::ffi::OsString;
use std::path::Path;

use anyhow::bail;

use crate::input::source::InputSource;

/// The words after the options, split.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Split {
    pub(crate) command: Vec<OsString>,
    pub(crate) lists: Vec<List>,
}

/// Values, and how they are combined with the lists before them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct List {
    pub(crate) values: ListValues,
    pub(crate) link: Link,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ListValues {
    Given(Vec<OsString>),
    Source(InputSource),
}

/// How a list is combined with those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// Each value with each row of the lists before it.
    Crossed,
    /// The first value with the first of the list before it, the second with the second, and so on.
    Paired,
}

#[derive(Clone, Copy)]
enum Opening {
    Values(Link),
    Files(Link),
}

impl Opening {
    fn of(word: &OsString) -> Option<Opening> {
        match word.to_str()? {
            ":::" => Some(Opening::Values(Link::Crossed)),
            ":::+" => Some(Opening::Values(Link::Paired)),
            "::::" => Some(Opening::Files(Link::Crossed)),
            "::::+" => Some(Opening::Files(Link::Paired)),
            _ => None,
        }
    }

    /// The lists that these words make: one list of values, or one list for each file.
    fn lists(self, words: Vec<OsString>) -> anyhow::Result<Vec<List>> {
        match self {
            Opening::Values(link) => Ok(vec![List { values: ListValues::Given(words), link }]),
            Opening::Files(_) if words.is_empty() => {
                bail!("no file after `::::`; name one or more, `-` for standard input")
            }
            Opening::Files(link) => {
                let list = |file| List { values: ListValues::Source(InputSource::named(file)), link };
                Ok(words.iter().map(list).collect())
            }
        }
    }
}

/// Splits the words after the options.
///
/// # Errors
/// If no file follows a `::::`.
pub(crate) fn split(mut command: Vec<OsString>) -> anyhow::Result<Split> {
    let mut lists = Vec::new();
    // From the end, so that `command` always holds the words that remain to be split.
    while let Some(position) = command.iter().rposition(|word| Opening::of(word).is_some()) {
        let words = command.split_off(position + 1);
        if let Some(opening) = command.pop().as_ref().and_then(Opening::of) {
            lists.splice(..0, opening.lists(words)?);
        }
    }
    Ok(Split { command, lists })
}

/// The files among the words after the options.
pub(crate) fn files(words: &[OsString]) -> Vec<&Path> {
    let mut files = Vec::new();
    let mut opening = None;
    for word in words {
        match (Opening::of(word), opening) {
            (Some(next), _) => opening = Some(next),
            (None, Some(Opening::Files(_))) => files.push(Path::new(word)),
            (None, _) => {}
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<OsString> {
        text.split_whitespace().map(OsString::from).collect()
    }

    fn values(text: &str, link: Link) -> List {
        List { values: ListValues::Given(words(text)), link }
    }

    fn file(name: &str, link: Link) -> List {
        List { values: ListValues::Source(InputSource::named(name)), link }
    }

    #[test]
    fn the_command_ends_where_the_values_begin() {
        for (typed, command, lists) in [
            ("echo {} ::: a b", "echo {}", vec![values("a b", Link::Crossed)]),
            ("echo :::", "echo", vec![values("", Link::Crossed)]),
            ("::: a", "", vec![values("a", Link::Crossed)]),
            ("echo {}", "echo {}", vec![]),
            ("x ::: a ::: b", "x", vec![values("a", Link::Crossed), values("b", Link::Crossed)]),
            ("x ::: a :::+ b", "x", vec![values("a", Link::Crossed), values("b", Link::Paired)]),
            (
                "x :::: f - ::::+ g",
                "x",
                vec![file("f", Link::Crossed), file("-", Link::Crossed), file("g", Link::Paired)],
            ),
        ] {
            assert_eq!(split(words(typed)).unwrap(), Split { command: words(command), lists }, "{typed}");
        }
    }

    #[test]
    fn files_are_what_follows_four_colons() {
        for (typed, expected) in [
            ("cat a ::: b", vec![]),
            ("x :::: f - ::::+ g ::: a :::: h", vec!["f", "-", "g", "h"]),
            (":::: f", vec!["f"]),
        ] {
            let expected: Vec<&Path> = expected.into_iter().map(Path::new).collect();
            assert_eq!(files(&words(typed)), expected, "{typed}");
        }
    }

    #[test]
    fn no_file_is_refused() {
        assert!(split(words("echo ::::")).is_err());
        assert!(split(words("echo ::::+ ::: a")).is_err());
    }
}
