//! A job file in TOML: the long form.
//! Knows nothing of what a job may say; see `spec.rs`.

use procpool_core::Job;

use crate::input::job_file::document::Document;
use crate::launch::Work;

/// Reads a whole file.
pub(crate) fn parse(text: &str) -> anyhow::Result<Vec<Job<Work>>> {
    toml::from_str::<Document>(text)?.into_jobs()
}
