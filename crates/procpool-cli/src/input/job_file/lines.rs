//! Jobs as JSON lines: one object per line, which includes the key. It reads no further than needed for the
//! next job, so that a producer can go on writing.

use std::collections::HashMap;
use std::io::BufRead;

use anyhow::{Context, anyhow, bail};
use procpool_core::Job;

use crate::input::job_file::spec::{Defaults, Spec};
use crate::job::terms::Terms;
use crate::job::work::Work;

/// The jobs of a stream.
pub(crate) struct JobLines<R> {
    reader: R,
    name: &'static str,
    number: u64,
    /// The line of each key. All keys are kept, because no two jobs may have the same.
    keys: HashMap<String, u64>,
    defaults: Defaults,
}

impl<R: BufRead> JobLines<R> {
    /// Reads `reader`, which messages call `name`. `terms` are for jobs that don't set a value themselves.
    pub(crate) fn new(reader: R, name: &'static str, terms: Terms) -> JobLines<R> {
        let defaults = Defaults::default().on(terms);
        JobLines { reader, name, number: 0, keys: HashMap::new(), defaults }
    }

    /// Reads the next line that is not blank.
    fn read(&mut self) -> anyhow::Result<Option<Job<Work>>> {
        loop {
            let mut line = String::new();
            self.number += 1;
            let read = self.reader.read_line(&mut line);
            if read.with_context(|| format!("{}, line {}", self.name, self.number))? == 0 {
                return Ok(None);
            }
            if !line.trim().is_empty() {
                return self
                    .parse(&line)
                    .with_context(|| format!("{}, line {}", self.name, self.number))
                    .map(Some);
            }
        }
    }

    fn parse(&mut self, line: &str) -> anyhow::Result<Job<Work>> {
        let mut spec: Spec = serde_json::from_str(line).map_err(|error| without_line(&error))?;
        let Some(key) = spec.take_key() else { bail!("the job has no `key`") };
        if let Some(first) = self.keys.insert(key.clone(), self.number) {
            bail!("the key {key:?} stands on line {first} already: give each job its own");
        }
        spec.into_job(&key, &self.defaults).with_context(|| format!("job {key:?}"))
    }
}

/// Removes the line number from serde's message: serde gets one line at a time, so it is always 1.
fn without_line(error: &serde_json::Error) -> anyhow::Error {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let what = text.strip_suffix(&place).unwrap_or(&text);
    anyhow!("{what}, column {}", error.column())
}

impl<R: BufRead> Iterator for JobLines<R> {
    type Item = anyhow::Result<Job<Work>>;

    fn next(&mut self) -> Option<anyhow::Result<Job<Work>>> {
        self.read().transpose()
    }
}
