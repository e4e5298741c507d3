//! Values given as arguments, after `:::`.
//! Knows nothing of the command that they are for.

use std::ffi::{OsStr, OsString};

/// The words behind the options: the command and, where there is a `:::`, its values.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Split {
    pub(crate) command: Vec<OsString>,
    pub(crate) values: Option<Vec<OsString>>,
}

/// Splits the words behind the options.
///
/// # Errors
/// Where a second `:::` follows, or another separator of GNU parallel's: taken for a value it would do harm.
pub(crate) fn split(mut command: Vec<OsString>) -> anyhow::Result<Split> {
    let is_separator = |word: &OsString| word == OsStr::new(":::");
    if let Some(word) =
        command.iter().find(|word| [":::+", "::::", "::::+"].map(OsStr::new).contains(&word.as_os_str()))
    {
        anyhow::bail!(
            "`{}` is not supported so far: give one list of values after `:::`",
            word.to_string_lossy()
        );
    }
    let Some(position) = command.iter().position(is_separator) else {
        return Ok(Split { command, values: None });
    };
    let values = command.split_off(position).split_off(1);
    anyhow::ensure!(
        !values.iter().any(is_separator),
        "a second `:::`: only one list of values is supported so far"
    );
    Ok(Split { command, values: Some(values) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<OsString> {
        text.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn the_command_ends_where_the_values_begin() {
        for (typed, command, values) in [
            ("echo {} ::: a b", "echo {}", Some("a b")),
            ("echo :::", "echo", Some("")),
            ("::: a", "", Some("a")),
            ("echo {}", "echo {}", None),
        ] {
            let expected = Split { command: words(command), values: values.map(words) };
            assert_eq!(split(words(typed)).unwrap(), expected, "{typed}");
        }
    }

    #[test]
    fn another_list_is_refused() {
        for typed in ["echo ::: a ::: b", "echo ::: a :::+ b", "echo :::: file", "echo ::: a ::::+ file"] {
            assert!(split(words(typed)).is_err(), "{typed}");
        }
    }
}
