//! The results of a whole run, by key and in input order.

use std::collections::HashMap;
use std::ops::Index;

use crate::data::command::Command;
use crate::data::job::Key;
use crate::outcome::event::Completion;

/// All completions of a run, by key and in input order, see [`Pool::run_all`](crate::Pool::run_all).
#[derive(Debug)]
pub struct Results<W = Command> {
    completions: Vec<Completion<W>>,
    by_key: HashMap<Key, usize>,
}

impl<W> Results<W> {
    pub(crate) fn in_input_order(completions: impl Iterator<Item = Completion<W>>) -> Results<W> {
        let mut completions: Vec<_> = completions.collect();
        completions.sort_by_key(|completion| completion.seq);
        let by_key = completions.iter().map(|completion| completion.job.key.clone()).zip(0..).collect();
        Results { completions, by_key }
    }

    /// The result of the job with this key.
    pub fn get(&self, key: impl AsRef<[u8]>) -> Option<&Completion<W>> {
        self.by_key.get(key.as_ref()).map(|index| &self.completions[*index])
    }

    /// All results, in input order.
    pub fn iter(&self) -> std::slice::Iter<'_, Completion<W>> {
        self.completions.iter()
    }

    /// The number of results.
    #[must_use]
    pub fn len(&self) -> usize {
        self.completions.len()
    }

    /// Whether there are no results.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.completions.is_empty()
    }

    /// Whether every job succeeded.
    #[must_use]
    pub fn all_succeeded(&self) -> bool {
        self.iter().all(|completion| completion.outcome.is_success())
    }
}

/// The result of the job with this key.
///
/// # Panics
/// If there is no such job; [`Results::get`] doesn't panic.
impl<W, Q: AsRef<[u8]> + ?Sized> Index<&Q> for Results<W> {
    type Output = Completion<W>;

    fn index(&self, key: &Q) -> &Completion<W> {
        let key = key.as_ref();
        self.get(key).unwrap_or_else(|| panic!("no job has the key \"{}\"", Key::from(key)))
    }
}

impl<W> IntoIterator for Results<W> {
    type Item = Completion<W>;
    type IntoIter = std::vec::IntoIter<Completion<W>>;

    fn into_iter(self) -> Self::IntoIter {
        self.completions.into_iter()
    }
}

impl<'a, W> IntoIterator for &'a Results<W> {
    type Item = &'a Completion<W>;
    type IntoIter = std::slice::Iter<'a, Completion<W>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
