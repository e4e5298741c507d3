//! A job file in TOML, which has the long form only. `spec.rs` defines the fields of a job.

use anyhow::anyhow;
use procpool_core::Job;

use crate::input::job_file::document::Document;
use crate::job::terms::Terms;
use crate::job::work::Work;
use crate::terminal::shown::{self, ErrorLines};

/// Longer lines, in bytes, are not shown.
const MOST_OF_A_LINE: usize = 200;

/// Parses a whole file.
pub(crate) fn parse(text: &str, terms: Terms) -> anyhow::Result<Vec<Job<Work>>> {
    toml::from_str::<Document>(text).map_err(|error| explain(text, &error))?.into_jobs(terms)
}

/// Adds the line of a duplicate key's first occurrence: toml reports only the second.
fn explain(text: &str, error: &toml::de::Error) -> anyhow::Error {
    let is_double = error.message().contains("duplicate key");
    let first = error.span().filter(|_| is_double).and_then(|span| first_place(text, span.start));
    let error = briefly(text, error);
    match first {
        Some(line) => error.context(format!("a key stands on line {line} and again: give each job its own")),
        None => error,
    }
}

/// toml's message, with the line in question in toml's own layout, unless that line is long. The layout is
/// made here because the line and the names in the message come from the file: a name with a newline must not
/// look like a line of procpool's own.
fn briefly(text: &str, error: &toml::de::Error) -> anyhow::Error {
    let message: String = error.message().chars().take(MOST_OF_A_LINE).collect();
    let Some(span) = error.span() else { return anyhow!(message) };
    // An error at the end of the file is about the last line, not about an empty line after it.
    let text = text.strip_suffix('\n').unwrap_or(text);
    let before = text.get(..span.start).unwrap_or(text);
    let begin = before.rfind('\n').map_or(0, |newline| newline + 1);
    let content = text[begin..].lines().next().unwrap_or_default().trim_end_matches('\r');
    let (line, column) = (before.matches('\n').count() + 1, before[begin..].chars().count() + 1);
    if content.len() > MOST_OF_A_LINE || message.len() < error.message().len() {
        return anyhow!("line {line}, column {column}: {message}");
    }
    let length = |text: &str| shown::name(text).chars().count();
    let marked = content.get(before.len() - begin..span.end.saturating_sub(begin).min(content.len()));
    let (indent, blank) = (length(&before[begin..]), " ".repeat(line.to_string().len()));
    let marks = "^".repeat(marked.map_or(0, length).max(1));
    anyhow::Error::new(ErrorLines::new([
        format!("TOML parse error at line {line}, column {column}"),
        format!("{blank} |"),
        format!("{line} | {content}"),
        format!("{blank} | {:indent$}{marks}", ""),
        message,
    ]))
}

/// The line, counted from 1, that has the same name as the line at `offset`, comes before it and is in the
/// same table.
fn first_place(text: &str, offset: usize) -> Option<usize> {
    let start = text.get(..offset)?.rfind('\n').map_or(0, |newline| newline + 1);
    let double = name(text[start..].lines().next()?);
    let before: Vec<&str> = text[..start].lines().map(name).collect();
    let is_header = |name: &str| name.starts_with('[');
    let header = before.iter().rposition(|name| is_header(name) && !is_header(double));
    let table = header.unwrap_or(0);
    let first = before[table..].iter().position(|name| *name == double)?;
    Some(table + first + 1)
}

/// The name that a line defines: a whole `[header]`, or the text before its `=`.
fn name(line: &str) -> &str {
    let line = line.trim();
    if line.starts_with('[') { line } else { line.split('=').next().unwrap_or_default().trim_end() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_places_of_a_key_that_stands_twice_are_named() {
        for text in [
            "[jobs.a]\ncmd = ['x']\n[jobs.b]\ncmd = ['x']\n [jobs.a]\ncmd = ['x']\n",
            "jobs.a = ['x']\n\n\njobs.b = ['x']\njobs.a = ['x']\n",
        ] {
            let error = format!("{:#}", parse(text, Terms::default()).unwrap_err());
            assert!(error.contains("on line 1 and again"), "{error}");
            assert!(error.contains("line 5, column"), "{error}");
        }
    }

    #[test]
    fn the_same_word_in_another_table_is_no_double() {
        let text = "[jobs.a]\ncmd = ['x']\n[jobs.b]\ncmd = ['x']\ncmd = ['x']\n";
        let error = format!("{:#}", parse(text, Terms::default()).unwrap_err());
        assert!(error.contains("on line 4 and again"), "{error}");
    }

    #[test]
    fn a_long_line_is_named_and_not_shown() {
        let text = format!("[jobs]\na = {{cmd = ['{}'], timeout = 'x'}}\n", "x".repeat(5000));
        let error = format!("{:#}", parse(&text, Terms::default()).unwrap_err());
        assert!(error.starts_with("line 2, column "), "{error}");
        assert!(error.contains("time \"x\": give a time") && error.len() < 500, "{error}");
        let unknown = format!("[jobs.a]\n{} = 1\n", "x".repeat(5000));
        assert!(format!("{:#}", parse(&unknown, Terms::default()).unwrap_err()).len() < 500);
    }

    #[test]
    fn the_order_of_the_file_is_kept() {
        let jobs = parse("jobs.z = ['x']\n[jobs.a]\nshell = 'x'\n[jobs.m]\ncmd = ['x']\n", Terms::default())
            .unwrap();
        let keys: Vec<_> = jobs.iter().map(|job| job.key.to_string()).collect();
        assert_eq!(keys, ["z", "a", "m"]);
    }

    #[test]
    fn the_line_is_shown_as_toml_does_without_what_controls_a_terminal() {
        let told = |text: &str| shown::error(&parse(text, Terms::default()).unwrap_err());
        assert_eq!(
            told("[jobs.a]\ncmd = [x]\r\n"),
            "TOML parse error at line 2, column 8
  |
2 | cmd = [x]
  |        ^
string values must be quoted, expected literal string"
        );
        let hostile = told("[jobs.a]\ncmd = ['x']\n\"a\\nprocpool: 1 job: 1 succeeded\" = 1\n");
        assert!(hostile.lines().all(|line| !line.starts_with("procpool")), "{hostile}");
        let hostile = told("[jobs.a]\n'\u{202e}\u{9b}' = 1 x\n");
        assert!(hostile.contains("\n2 | '\\u{202e}\\u{9b}' = 1 x\n  | "), "{hostile}");
        assert!(told("x").contains("line 1, column 2"), "{}", told("x"));
    }
}
