//! The tables of layers, as ARCHITECTURE.md has them:
//!
//! ```text
//! | `procpool-core`    | what it is | may import |
//! |---|---|---|
//! | `limit` `key`      | plain data | –          |
//! | `schedule`         | …          | `limit`    |
//! | `pool`             | …          | all above  |
//! ```
//!
//! Layers stand in order: a row may allow only what stands above it. What is in one row has no imports of one another.
//! The table with `crate` and `may depend on` in its first line says the same of the packages.

use std::collections::BTreeSet;

/// A table of layers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Layers {
    /// The package whose modules these are, or `crate` where they are the packages.
    pub(crate) subject: String,
    pub(crate) line: usize,
    pub(crate) rows: Vec<LayerRow>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LayerRow {
    pub(crate) line: usize,
    pub(crate) names: Vec<String>,
    pub(crate) allowed: Allowed,
}

/// What a row says that its members may import.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Allowed {
    AllAbove,
    Only(BTreeSet<String>),
    /// Neither names nor `all above` nor a dash.
    Unreadable,
}

/// Finds the tables of layers among all tables of a page.
pub(crate) fn read(page: &str) -> Vec<Layers> {
    let lines: Vec<_> = (1..).zip(page.lines()).collect();
    let tables = lines.chunk_by(|(_, one), (_, next)| one.starts_with('|') == next.starts_with('|'));
    tables.filter_map(read_table).collect()
}

fn read_table(lines: &[(usize, &str)]) -> Option<Layers> {
    let (&(line, head), rows) = lines.split_first()?;
    let head = cells(head);
    let (first, last) = (head.first()?, head.last()?);
    let subject = match *last {
        "may import" => code_words(first).next()?,
        "may depend on" => *first,
        _ => return None,
    };
    // The first of these is the line of dashes.
    let rows = rows.iter().skip(1).map(|&(line, text)| read_row(line, text));
    Some(Layers { subject: subject.to_owned(), line, rows: rows.collect() })
}

fn read_row(line: usize, text: &str) -> LayerRow {
    let cells = cells(text);
    let names = cells.first().into_iter().flat_map(|cell| code_words(cell)).map(name).collect();
    let allowed = cells.last().copied().unwrap_or_default();
    let only: BTreeSet<_> = code_words(allowed).map(name).collect();
    let allowed = match allowed {
        "all above" => Allowed::AllAbove,
        "–" | "-" => Allowed::Only(BTreeSet::new()),
        _ if only.is_empty() => Allowed::Unreadable,
        _ => Allowed::Only(only),
    };
    LayerRow { line, names, allowed }
}

fn cells(line: &str) -> Vec<&str> {
    line.trim().trim_matches('|').split('|').map(str::trim).collect()
}

/// What stands between backticks.
fn code_words(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// A package may be named by its folder, as `crates/procpool-core`, and a folder as `journal/`.
fn name(word: &str) -> String {
    let word = word.trim_end_matches('/');
    word.rsplit_once('/').map_or(word, |(_, name)| name).to_owned()
}

impl Layers {
    pub(crate) fn row_of(&self, name: &str) -> Option<&LayerRow> {
        self.rows.iter().find(|row| row.names.iter().any(|it| it == name))
    }

    /// All names in the order of the layers.
    pub(crate) fn names(&self) -> impl Iterator<Item = &String> {
        self.rows.iter().flat_map(|row| &row.names)
    }

    /// Whether the row of `other` stands above that of `name`.
    pub(crate) fn is_above(&self, other: &str, name: &str) -> bool {
        let line_of = |name| self.row_of(name).map(|row| row.line);
        line_of(other).zip(line_of(name)).is_some_and(|(other, own)| other < own)
    }

    pub(crate) fn allows(&self, from: &str, to: &str) -> bool {
        self.row_of(from).is_some_and(|row| match &row.allowed {
            Allowed::AllAbove => self.is_above(to, from),
            Allowed::Only(names) => names.contains(to),
            Allowed::Unreadable => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "\
# Page

| file | what it is |
|---|---|
| `a` | other |

| `x` | what it is | may import |
|---|---|---|
| `a` `b/` | data | – |
| `c` | code | `a` |
| `d` | all | all above |
| `e` | ? | something |

| crate | what it is | may depend on |
|---|---|---|
| `crates/x` | the one | - |
| `y` | the other | `x` |
";

    #[test]
    fn tables_of_layers_are_told_from_others_by_their_last_column() {
        let subjects: Vec<_> = read(PAGE).into_iter().map(|layers| (layers.subject, layers.line)).collect();
        assert_eq!(subjects, [("x".to_owned(), 7), ("crate".to_owned(), 14)]);
    }

    #[test]
    fn rows_are_read_with_their_lines() {
        let tables = read(PAGE);
        let rows: Vec<_> =
            tables[0].rows.iter().map(|row| (row.line, row.names.join(" "), &row.allowed)).collect();
        let only = |names: &[&str]| Allowed::Only(names.iter().map(|&name| name.to_owned()).collect());
        assert_eq!(rows[0], (9, "a b".to_owned(), &only(&[])));
        assert_eq!(rows[1], (10, "c".to_owned(), &only(&["a"])));
        assert_eq!(rows[2], (11, "d".to_owned(), &Allowed::AllAbove));
        assert_eq!(rows[3], (12, "e".to_owned(), &Allowed::Unreadable));
        assert_eq!(tables[1].rows[0].names, ["x"]);
    }

    #[test]
    fn a_row_allows_what_it_names_or_all_above_it() {
        let layers = &read(PAGE)[0];
        let allowed = |from, to| layers.allows(from, to);
        assert!(allowed("c", "a") && allowed("d", "a") && allowed("d", "b") && allowed("d", "c"));
        assert!(!allowed("a", "b") && !allowed("b", "a") && !allowed("c", "b"));
        assert!(!allowed("a", "c") && !allowed("d", "e") && !allowed("e", "a") && !allowed("unknown", "a"));
    }
}
