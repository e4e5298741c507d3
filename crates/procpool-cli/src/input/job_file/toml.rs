//! A job file in TOML: the long form.
//! Knows nothing of what a job may say; see `spec.rs`.

use anyhow::anyhow;
use procpool_core::Job;

use crate::input::job_file::document::Document;
use crate::terms::Terms;
use crate::work::Work;

/// A longer line, in bytes, is not shown.
const MOST_OF_A_LINE: usize = 200;

/// Reads a whole file.
pub(crate) fn parse(text: &str, terms: Terms) -> anyhow::Result<Vec<Job<Work>>> {
    toml::from_str::<Document>(text).map_err(|error| explain(text, error))?.into_jobs(terms)
}

/// Of a key that stands twice toml names only the second place.
fn explain(text: &str, error: toml::de::Error) -> anyhow::Error {
    let is_double = error.message().contains("duplicate key");
    let first = error.span().filter(|_| is_double).and_then(|span| first_place(text, span.start));
    let error = briefly(text, error);
    match first {
        Some(line) => error.context(format!("a key stands on line {line} and again: give each job its own")),
        None => error,
    }
}

/// What toml says, with the line that it is about, unless that line is long: it would show the whole of it.
fn briefly(text: &str, error: toml::de::Error) -> anyhow::Error {
    let shown = error.to_string();
    if shown.lines().all(|line| line.len() <= MOST_OF_A_LINE) {
        return anyhow::Error::from(error);
    }
    let start = error.span().map_or(0, |span| span.start);
    let before = text.get(..start).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|character| *character != '\n').count() + 1;
    let message: String = error.message().chars().take(MOST_OF_A_LINE).collect();
    anyhow!("line {line}, column {column}: {message}")
}

/// The line, from 1, that names the same as the one at `offset`, before it and in the same table.
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

/// What a line names: a whole `[header]`, or what stands before its `=`.
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
}
