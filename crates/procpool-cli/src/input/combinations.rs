//! Lists of values in memory, and the rows that they make: each value with each value of other lists, or in
//! pairs. Rows are made one at a time, because a product may not fit into memory.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use anyhow::{Context, ensure};

use crate::job::work::Values;

/// Values stored one after another in a single buffer.
#[derive(Debug, Default)]
pub(crate) struct Packed {
    bytes: Vec<u8>,
    /// The end of each value in `bytes`.
    ends: Vec<usize>,
}

impl Packed {
    fn push(&mut self, value: &OsStr) {
        self.bytes.extend_from_slice(value.as_bytes());
        self.ends.push(self.bytes.len());
    }

    fn len(&self) -> usize {
        self.ends.len()
    }

    fn get(&self, index: usize) -> OsString {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        OsStr::from_bytes(&self.bytes[start..self.ends[index]]).to_owned()
    }
}

impl<V: AsRef<OsStr>> FromIterator<V> for Packed {
    fn from_iter<I: IntoIterator<Item = V>>(values: I) -> Packed {
        let mut packed = Packed::default();
        for value in values {
            packed.push(value.as_ref());
        }
        packed
    }
}

/// Lists of the same length: their first values make a row, their second values the next, and so on.
#[derive(Debug)]
struct Group {
    lists: Vec<Packed>,
    length: usize,
}

/// All combinations of one row of each group. The last group varies fastest.
#[derive(Debug)]
pub(crate) struct Combinations {
    groups: Vec<Group>,
    rows: usize,
}

impl Default for Combinations {
    /// Without lists there is one row, which has no values.
    fn default() -> Combinations {
        Combinations { groups: Vec::new(), rows: 1 }
    }
}

impl Combinations {
    pub(crate) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Adds a list, to be combined with all before it.
    ///
    /// # Errors
    /// If the number of rows overflows.
    pub(crate) fn cross(&mut self, list: Packed) -> anyhow::Result<()> {
        let length = list.len();
        self.rows =
            self.rows.checked_mul(length).context("more combinations of values than can be counted")?;
        self.groups.push(Group { lists: vec![list], length });
        Ok(())
    }

    /// Pairs a list with the one before it.
    ///
    /// # Errors
    /// If there is no list before it, or the two have different lengths. GNU parallel drops values that have
    /// no partner.
    pub(crate) fn pair(&mut self, list: Packed) -> anyhow::Result<()> {
        let group =
            self.groups.last_mut().context("it pairs values with the list before it, and there is none")?;
        let (before, now) = (group.length, list.len());
        ensure!(
            before == now,
            "values in pairs have to be equally many: {now} here, and {before} in the list before it"
        );
        group.lists.push(list);
        Ok(())
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// The row with this number, from 0 up to [`rows`](Combinations::rows). Its first value is `before`, if
    /// there is one.
    pub(crate) fn row(&self, before: Option<&OsString>, number: usize) -> Values {
        match (before, &*self.groups) {
            (None, [Group { lists, .. }]) if lists.len() == 1 => Values::One(lists[0].get(number)),
            _ => Values::Several(before.cloned().into_iter().chain(self.values(number)).collect()),
        }
    }

    fn values(&self, number: usize) -> impl Iterator<Item = OsString> {
        let (mut left, mut number) = (self.rows, number);
        self.groups.iter().flat_map(move |group| {
            left /= group.length;
            let row = number / left;
            number %= left;
            group.lists.iter().map(move |list| list.get(row))
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packed(text: &str) -> Packed {
        text.split_whitespace().collect()
    }

    fn rows(combinations: &Combinations) -> Vec<String> {
        let row =
            |number| combinations.row(None, number).as_slice().join(OsStr::new(" ")).into_string().unwrap();
        (0..combinations.rows()).map(row).collect()
    }

    #[test]
    fn rows_come_in_the_order_of_gnu_parallel() {
        // parallel echo ::: 1 2 ::: a b :::+ c d ::: X :::+ Y
        let mut combinations = Combinations::default();
        combinations.cross(packed("1 2")).unwrap();
        combinations.cross(packed("a b")).unwrap();
        combinations.pair(packed("c d")).unwrap();
        combinations.cross(packed("X")).unwrap();
        combinations.pair(packed("Y")).unwrap();
        assert_eq!(rows(&combinations), ["1 a c X Y", "1 b d X Y", "2 a c X Y", "2 b d X Y"]);
    }

    #[test]
    fn an_empty_list_combines_with_nothing() {
        let mut combinations = Combinations::default();
        combinations.cross(packed("a b")).unwrap();
        combinations.cross(packed("")).unwrap();
        assert_eq!(combinations.rows(), 0);
    }

    #[test]
    fn no_value_is_left_without_a_partner() {
        let mut combinations = Combinations::default();
        assert!(combinations.pair(packed("a")).is_err());
        combinations.cross(packed("a b c")).unwrap();
        let error = combinations.pair(packed("d e")).unwrap_err().to_string();
        assert!(error.contains("2 here, and 3 in the list before it"), "{error}");
    }

    #[test]
    fn more_rows_than_fit_in_memory_are_no_trouble_but_more_than_can_be_counted_are() {
        let list = || packed(&"x ".repeat(1 << 16));
        let mut combinations = Combinations::default();
        for _ in 0..3 {
            combinations.cross(list()).unwrap();
        }
        assert_eq!(combinations.rows(), 1 << 48);
        assert!(combinations.cross(list()).is_err());
    }

    proptest! {
        #[test]
        fn every_combination_comes_once_and_the_last_list_varies_fastest(
            lists in proptest::collection::vec(proptest::collection::vec("[a-z]{0,3}", 0..4), 1..4),
        ) {
            let mut combinations = Combinations::default();
            let mut expected = vec![Vec::new()];
            for list in &lists {
                combinations.cross(list.iter().collect()).unwrap();
                let longer = |row: &Vec<OsString>| -> Vec<Vec<OsString>> {
                    list.iter().map(|value| [row.clone(), vec![value.into()]].concat()).collect()
                };
                expected = expected.iter().flat_map(longer).collect();
            }
            let row = |number| combinations.row(None, number).as_slice().to_vec();
            prop_assert_eq!((0..combinations.rows()).map(row).collect::<Vec<_>>(), expected);
        }
    }
}
