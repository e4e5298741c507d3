//! Jobs from a file that names each of them and says how to run it.
//! Knows the kinds of files; what stands in them is read below.

mod dictionary;
mod document;
mod json;
mod lines;
mod spec;
mod toml;

use std::fs;
use std::io::{self, BufReader};
use std::path::Path;

use anyhow::{Context, bail};
use procpool_core::Job;

use crate::closed::Standard;
use crate::input::Input;
use crate::terms::Terms;
use crate::work::Work;

/// Opens a job file; `-` is JSONL on standard input. The terms are for jobs that name none of
/// their own.
///
/// A file is read and checked whole before the first job starts; standard input as it comes.
///
/// # Errors
/// Where it can't be read, is of no known kind, or something is wrong with what stands in it.
pub(crate) fn open(path: &Path, terms: Terms) -> anyhow::Result<Input> {
    if path.as_os_str() == "-" {
        Standard::Input.check().context("standard input")?;
        let jobs = lines::JobLines::new(BufReader::new(io::stdin()), "standard input", terms);
        return Ok(Input::streamed(jobs));
    }
    let shown = path.display();
    let text = fs::read_to_string(path).with_context(|| format!("can't read the job file {shown}"))?;
    let jobs = match path.extension().and_then(|extension| extension.to_str()) {
        Some("json") => json::parse(&text, terms),
        Some("toml") => toml::parse(&text, terms),
        Some("jsonl" | "ndjson") => lines::JobLines::new(text.as_bytes(), "the file", terms).collect(),
        _ => bail!(
            "job file {shown}: its name has to end in .json, .jsonl or .toml, so that it is clear how to read it"
        ),
    };
    let jobs: Vec<Job<Work>> = jobs.with_context(|| format!("job file {shown}"))?;
    Ok(Input::checked(jobs))
}
