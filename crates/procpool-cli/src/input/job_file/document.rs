//! A whole job file, in any format: its jobs by key, in the order of the file, and their defaults.

use anyhow::Context;
use procpool_core::Job;
use serde::Deserialize;

use crate::input::job_file::dictionary::Dictionary;
use crate::input::job_file::spec::{Defaults, Spec};
use crate::job::terms::Terms;
use crate::job::work::Work;

/// The long form of a job file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Document {
    jobs: Dictionary<Spec>,
    #[serde(default)]
    defaults: Defaults,
}

impl Document {
    /// The plain form, which has only jobs.
    pub(crate) fn plain(jobs: Dictionary<Spec>) -> Document {
        Document { jobs, defaults: Defaults::default() }
    }

    /// The jobs, in the order of the file. `terms` are for jobs that don't set a value themselves. They
    /// override the file's defaults, because they were typed for this run.
    pub(crate) fn into_jobs(self, terms: Terms) -> anyhow::Result<Vec<Job<Work>>> {
        let Document { jobs: Dictionary(jobs), defaults } = self;
        let defaults = defaults.on(terms);
        let into_job = |(key, spec): (String, Spec)| {
            spec.into_job(&key, &defaults).with_context(|| format!("job {key:?}"))
        };
        jobs.into_iter().map(into_job).collect()
    }
}
