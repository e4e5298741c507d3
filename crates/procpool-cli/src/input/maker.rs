//! Makes jobs from values: all have the same command and settings, and each has its own key.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

use procpool_core::{Job, Key};

use crate::job::terms::Terms;
use crate::job::work::{Values, Work};
use crate::template::{KeyTemplate, Template, shorten};

/// What a job's key is made of.
#[derive(Debug)]
pub(crate) enum KeyRule {
    /// All its values, joined by a space.
    Values,
    First,
    Template(KeyTemplate),
}

/// Whether long keys are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keys {
    Whole,
    Short,
}

/// Makes the jobs of a run, in order.
#[derive(Debug)]
pub(crate) struct Maker {
    template: Arc<Template>,
    key: KeyRule,
    terms: Arc<Terms>,
    keys: Keys,
    /// The number of jobs made so far.
    made: u64,
}

impl Maker {
    pub(crate) fn new(template: Template, key: KeyRule, terms: Terms) -> Maker {
        Maker {
            template: Arc::new(template),
            key,
            terms: Arc::new(terms),
            keys: Keys::Whole,
            made: 0,
        }
    }

    /// Cuts keys that are too long, for jobs with many values.
    #[must_use]
    pub(crate) fn with_short_keys(self) -> Maker {
        Maker { keys: Keys::Short, ..self }
    }

    /// Makes the next job.
    pub(crate) fn make(&mut self, values: Values) -> Job<Work> {
        self.made += 1;
        let key = match (&self.key, self.keys, values.as_slice()) {
            (KeyRule::Values, _, [one]) | (KeyRule::First, _, [one, ..]) => Key::from(one.as_os_str()),
            (rule, Keys::Whole, values) => Key::from(rule.apply(values, self.made)),
            (rule, Keys::Short, values) => Key::from(shorten(rule.apply(values, self.made))),
        };
        let template = Arc::clone(&self.template);
        let terms = Arc::clone(&self.terms);
        self.terms.with_timeout(Job::new(key, Work::Values { template, terms, values }))
    }
}

impl KeyRule {
    fn apply(&self, values: &[OsString], seq: u64) -> Vec<u8> {
        match self {
            KeyRule::Values => joined(values),
            KeyRule::First => joined(values.get(..1).unwrap_or_default()),
            KeyRule::Template(template) => template.render(values, seq),
        }
    }
}

fn joined(values: &[OsString]) -> Vec<u8> {
    let values: Vec<&[u8]> = values.iter().map(|value| value.as_bytes()).collect();
    values.join(&b' ')
}
