//! Jobs from a file that names each of them and says how to run it. The file's extension determines the
//! format, and each format has a parser below.

mod dictionary;
mod document;
mod json;
mod lines;
mod spec;
mod toml;

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, bail};
use procpool_core::Job;

use crate::input::Input;
use crate::input::job_file::lines::JobLines;
use crate::job::terms::Terms;
use crate::job::work::Work;
use crate::os::closed::StandardStream;
use crate::terminal::shown;

/// The format of a job file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JobFileFormat {
    Json,
    /// One object per line.
    JsonLines,
    Toml,
}

impl JobFileFormat {
    fn of(path: &Path) -> Option<JobFileFormat> {
        match path.extension()?.to_str()? {
            "json" => Some(JobFileFormat::Json),
            "toml" => Some(JobFileFormat::Toml),
            "jsonl" | "ndjson" => Some(JobFileFormat::JsonLines),
            _ => None,
        }
    }

    /// Parses a whole file into jobs, in the order of the file.
    ///
    /// # Errors
    /// If its content is invalid.
    pub(crate) fn read(self, text: &str, terms: Terms) -> anyhow::Result<Vec<Job<Work>>> {
        match self {
            JobFileFormat::Json => json::parse(text, terms),
            JobFileFormat::Toml => toml::parse(text, terms),
            JobFileFormat::JsonLines => JobLines::new(text.as_bytes(), "the file", terms).collect(),
        }
    }
}

/// Jobs in JSONL, as they arrive on standard input.
pub(crate) fn stream<R: BufRead>(reader: R, terms: Terms) -> JobLines<R> {
    JobLines::new(reader, "standard input", terms)
}

/// Opens a job file; `-` is JSONL on standard input. `terms` are for jobs that don't set a value themselves.
///
/// A file is read and checked whole before the first job starts; standard input is checked as it arrives.
///
/// # Errors
/// If the file can't be read, its format is unknown, or its content is invalid.
pub(crate) fn open(path: &Path, terms: Terms) -> anyhow::Result<Input> {
    if path.as_os_str() == "-" {
        StandardStream::Input.check().context("standard input")?;
        return Ok(Input::streamed(stream(BufReader::new(io::stdin()), terms)));
    }
    let shown = shown::name(path);
    let text = fs::read_to_string(path).with_context(|| format!("can't read the job file {shown}"))?;
    let Some(format) = JobFileFormat::of(path) else {
        bail!(
            "job file {shown}: its name has to end in .json, .jsonl or .toml, so that it is clear how to read it"
        );
    };
    let jobs = format.read(&text, terms).with_context(|| format!("job file {shown}"))?;
    Ok(Input::checked(jobs))
}
