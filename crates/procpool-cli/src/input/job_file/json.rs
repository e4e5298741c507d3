//! A job file in JSON: either the plain dictionary from keys to lists of words, or the long form. `spec.rs`
//! defines the fields of a job.

use std::collections::HashMap;

use anyhow::bail;
use procpool_core::Job;
use serde_json::value::RawValue;

use crate::input::job_file::dictionary::Dictionary;
use crate::input::job_file::document::Document;
use crate::job::terms::Terms;
use crate::job::work::Work;

/// Parses a whole file.
pub(crate) fn parse(text: &str, terms: Terms) -> anyhow::Result<Vec<Job<Work>>> {
    // The text is parsed twice: first for the positions of entries, then for their content, with errors that
    // name the line.
    let Dictionary(top) = serde_json::from_str::<Dictionary<&RawValue>>(text)?;
    let jobs = top.iter().find(|(key, value)| key == "jobs" && value.get().starts_with('{'));
    let document = match jobs {
        Some((_, jobs)) => {
            refuse_doubles(text, &top)?;
            refuse_doubles(text, &serde_json::from_str::<Dictionary<&RawValue>>(jobs.get())?.0)?;
            serde_json::from_str(text)?
        }
        None => {
            refuse_doubles(text, &top)?;
            Document::plain(serde_json::from_str(text)?)
        }
    };
    document.into_jobs(terms)
}

/// serde keeps only the last of two entries with the same key, so the other job would be lost.
fn refuse_doubles(text: &str, entries: &[(String, &RawValue)]) -> anyhow::Result<()> {
    let mut values = HashMap::new();
    for (key, value) in entries {
        if let Some(first) = values.insert(key, value) {
            // Computed only for a duplicate: counting lines for every key would take quadratic time.
            let (first, line) = (line_of(text, first.get()), line_of(text, value.get()));
            bail!("the key {key:?} stands on line {first} and again on line {line}: give each job its own");
        }
    }
    Ok(())
}

/// The line of `text` on which this part of it begins, counted from 1.
fn line_of(text: &str, part: &str) -> usize {
    let offset = part.as_ptr().addr().saturating_sub(text.as_ptr().addr());
    text.get(..offset).unwrap_or_default().matches('\n').count() + 1
}
