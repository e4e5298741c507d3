//! A job file as a whole, whatever its format: its jobs by key, in the order in which they are written, and
//! their defaults.

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
    /// The plain form: only jobs.
    pub(crate) fn plain(jobs: Dictionary<Spec>) -> Document {
        Document { jobs, defaults: Defaults::default() }
    }

    /// The jobs, in the order in which they are written. The terms are for those that name none of
    /// their own, and go before the file's defaults: who types them means them.
    pub(crate) fn into_jobs(self, terms: Terms) -> anyhow::Result<Vec<Job<Work>>> {
        let Document { jobs: Dictionary(jobs), defaults } = self;
        let defaults = defaults.on(terms);
        let into_job = |(key, spec): (String, Spec)| {
            spec.into_job(&key, &defaults).with_context(|| format!("job {key:?}"))
        };
        jobs.into_iter().map(into_job).collect()
    }
}
