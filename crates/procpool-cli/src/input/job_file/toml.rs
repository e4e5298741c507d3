//! A job file in TOML: the long form.
//! Knows nothing of what a job may say; see `spec.rs`.

use std::time::Duration;

use procpool_core::Job;

use crate::input::job_file::document::Document;
use crate::work::Work;

/// Reads a whole file.
pub(crate) fn parse(text: &str, timeout: Option<Duration>) -> anyhow::Result<Vec<Job<Work>>> {
    toml::from_str::<Document>(text).map_err(|error| explain(text, error))?.into_jobs(timeout)
}

/// Of a key that stands twice toml names only the second place.
fn explain(text: &str, error: toml::de::Error) -> anyhow::Error {
    let is_double = error.message().contains("duplicate key");
    let first = error.span().filter(|_| is_double).and_then(|span| first_place(text, span.start));
    let error = anyhow::Error::from(error);
    match first {
        Some(line) => error.context(format!("a key stands on line {line} and again: give each job its own")),
        None => error,
    }
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
            let error = format!("{:#}", parse(text, None).unwrap_err());
            assert!(error.contains("on line 1 and again"), "{error}");
            assert!(error.contains("line 5, column"), "{error}");
        }
    }

    #[test]
    fn the_same_word_in_another_table_is_no_double() {
        let text = "[jobs.a]\ncmd = ['x']\n[jobs.b]\ncmd = ['x']\ncmd = ['x']\n";
        let error = format!("{:#}", parse(text, None).unwrap_err());
        assert!(error.contains("on line 4 and again"), "{error}");
    }

    #[test]
    fn the_order_of_the_file_is_kept() {
        let jobs = parse("jobs.z = ['x']\n[jobs.a]\nshell = 'x'\n[jobs.m]\ncmd = ['x']\n", None).unwrap();
        let keys: Vec<_> = jobs.iter().map(|job| job.key.to_string()).collect();
        assert_eq!(keys, ["z", "a", "m"]);
    }
}
