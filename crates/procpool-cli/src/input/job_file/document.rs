//! A job file as a whole: its jobs by key, in the order in which they are written, and their defaults.
//! Knows nothing of the format it is written in, or of what a job may say; see `spec.rs`.

use std::fmt;
use std::marker::PhantomData;

use anyhow::Context;
use procpool_core::Job;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use crate::input::job_file::spec::{Defaults, Spec};
use crate::launch::Work;

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

    /// The jobs, in the order in which they are written.
    pub(crate) fn into_jobs(self) -> anyhow::Result<Vec<Job<Work>>> {
        let Document { jobs: Dictionary(jobs), defaults } = self;
        let into_job = |(key, spec): (String, Spec)| {
            spec.into_job(&key, &defaults).with_context(|| format!("job {key:?}"))
        };
        jobs.into_iter().map(into_job).collect()
    }
}

/// Names and what they stand for. No map of a library keeps both the order and a name that stands twice.
#[derive(Debug)]
pub(crate) struct Dictionary<V>(pub(crate) Vec<(String, V)>);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Dictionary<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Dictionary<V>, D::Error> {
        struct Entries<V>(PhantomData<V>);

        impl<'de, V: Deserialize<'de>> Visitor<'de> for Entries<V> {
            type Value = Dictionary<V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table from keys to jobs")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Dictionary<V>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Dictionary(entries))
            }
        }

        deserializer.deserialize_map(Entries(PhantomData))
    }
}
