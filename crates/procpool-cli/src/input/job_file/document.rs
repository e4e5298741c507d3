//! A job file as a whole: its jobs by key, in the order in which they are written, and their defaults.
//! Knows nothing of the format it is written in, or of what a job may say; see `spec.rs`.

use std::time::Duration;

use anyhow::Context;
use procpool_core::Job;
use serde::Deserialize;

use crate::input::job_file::dictionary::Dictionary;
use crate::input::job_file::spec::{Defaults, Spec};
use crate::work::Work;

/// The long form of a job file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Document {
    jobs: Dictionary<Spec>,
    #[serde(default)]
    defaults: Defaults,
}

impl Document {
    /// The plain form: only jobs.
    pub(crate) fn plain(jobs: Dictionary<Spec>) -> Document {
        Document { jobs, defaults: Defaults::default() }
    }

    /// The jobs, in the order in which they are written. `timeout` is for those that name none, and goes
    /// before the file's default: who types it means it.
    pub(crate) fn into_jobs(self, timeout: Option<Duration>) -> anyhow::Result<Vec<Job<Work>>> {
        let Document { jobs: Dictionary(jobs), defaults } = self;
        let defaults = defaults.with_timeout(timeout);
        let into_job = |(key, spec): (String, Spec)| {
            spec.into_job(&key, &defaults).with_context(|| format!("job {key:?}"))
        };
        jobs.into_iter().map(into_job).collect()
    }
}
