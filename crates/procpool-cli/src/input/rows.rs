//! The values of each job, made from the given lists. A file that is the first or only list is read only as
//! its values are needed.

use std::ffi::OsString;

use anyhow::{Context, bail};

use crate::input::combinations::{Combinations, Packed};
use crate::input::lines::{InputLines, Separator};
use crate::input::source::{InputSource, Reader};
use crate::input::values::{Link, List, ListValues};
use crate::job::work::Values;
use crate::terminal::shown;

/// The values of one job after another.
pub(crate) type Rows = Box<dyn Iterator<Item = anyhow::Result<Values>> + Send>;

/// The rows that these lists make. Values in files end with `separator`.
///
/// # Errors
/// If a file can't be read, or the lists can't be combined.
pub(crate) fn rows(lists: &[List], separator: Separator) -> anyhow::Result<Rows> {
    let is_standard_input = |list: &&List| list.values == ListValues::Source(InputSource::StandardInput);
    if lists.iter().filter(is_standard_input).count() > 1 {
        bail!("`-` twice: standard input can be read only once");
    }
    match lists {
        [List { link: Link::Paired, .. }, ..] => {
            bail!("`:::+` and `::::+` pair values with the list before them, and there is none")
        }
        [_, List { link: Link::Paired, .. }, ..] => in_memory(lists, separator),
        [List { values: ListValues::Source(source), .. }, rest @ ..] => {
            let lines = open(source, separator)?;
            Ok(streamed(lines, combine(rest, separator)?))
        }
        _ => in_memory(lists, separator),
    }
}

fn in_memory(lists: &[List], separator: Separator) -> anyhow::Result<Rows> {
    let combinations = combine(lists, separator)?;
    let numbers = 0..combinations.rows();
    Ok(Box::new(numbers.map(move |number| Ok(combinations.row(None, number)))))
}

/// Each value of the stream, combined with each row of the other lists.
fn streamed(lines: InputLines<Reader>, rest: Combinations) -> Rows {
    if rest.is_empty() {
        return Box::new(lines.map(|value| value.map(Values::One)));
    }
    Box::new(Product { lines, rest, current: None })
}

struct Product {
    lines: InputLines<Reader>,
    rest: Combinations,
    /// The value of the stream, and the number of the next row of the other lists.
    current: Option<(OsString, usize)>,
}

impl Iterator for Product {
    type Item = anyhow::Result<Values>;

    fn next(&mut self) -> Option<anyhow::Result<Values>> {
        loop {
            if let Some((value, number)) =
                self.current.as_mut().filter(|(_, number)| *number < self.rest.rows())
            {
                *number += 1;
                return Some(Ok(self.rest.row(Some(value), *number - 1)));
            }
            match self.lines.next()? {
                Ok(value) => self.current = Some((value, 0)),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

fn open(source: &InputSource, separator: Separator) -> anyhow::Result<InputLines<Reader>> {
    Ok(InputLines::new(source.open("values")?, source.name(), separator))
}

fn combine(lists: &[List], separator: Separator) -> anyhow::Result<Combinations> {
    let mut combinations = Combinations::default();
    for list in lists {
        let values: Packed = match &list.values {
            ListValues::Given(values) => values.iter().collect(),
            ListValues::Source(source) => open(source, separator)?.collect::<anyhow::Result<_>>()?,
        };
        match list.link {
            Link::Crossed => combinations.cross(values)?,
            Link::Paired => combinations.pair(values).with_context(|| list.describe())?,
        }
    }
    Ok(combinations)
}

impl List {
    /// The list's name in messages: as it was typed, shortened if it has several values.
    fn describe(&self) -> String {
        match &self.values {
            ListValues::Source(source) => format!("::::+ {}", source.name()),
            ListValues::Given(values) => match &**values {
                [] => ":::+".to_owned(),
                [one] => format!(":::+ {}", shown::name(one)),
                [first, ..] => format!(":::+ {} …", shown::name(first)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::values::split;

    /// The rows that these words make, the values of each joined by a space.
    fn made(typed: &str) -> anyhow::Result<Vec<String>> {
        let words = typed.split_whitespace().map(OsString::from).collect();
        let rows = rows(&split(words)?.lists, Separator::Newline)?;
        rows.map(|row| Ok(row?.as_slice().join(" ".as_ref()).into_string().unwrap())).collect()
    }

    fn file(folder: &tempfile::TempDir, name: &str, text: &str) -> String {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.into_os_string().into_string().unwrap()
    }

    #[test]
    fn lists_go_together_as_gnu_parallel_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let (f, g) = (file(&folder, "f", "1\n2\n"), file(&folder, "g", "x\ny\n"));
        for (typed, expected) in [
            ("::: a b ::: c d", "a c,a d,b c,b d"),
            ("::: a b ::: c d :::+ e f ::: g", "a c e g,a d f g,b c e g,b d f g"),
            (":::: F G", "1 x,1 y,2 x,2 y"),
            ("::: a b :::: F", "a 1,a 2,b 1,b 2"),
            ("::: a b ::::+ F G", "a 1 x,b 2 y"),
            (":::: F ::: a b ::::+ G", "1 a x,1 b y,2 a x,2 b y"),
            (":::: F :::+ a b", "1 a,2 b"),
            (":::: F ::: a", "1 a,2 a"),
            (":::: F", "1,2"),
            ("::: a b :::", ""),
            (":::: F :::", ""),
        ] {
            // Word by word, because the folder's name may contain these letters.
            let named = typed.split(' ').map(|word| match word {
                "F" => f.as_str(),
                "G" => g.as_str(),
                _ => word,
            });
            let typed = named.collect::<Vec<_>>().join(" ");
            assert_eq!(made(&typed).unwrap().join(","), expected, "{typed}");
        }
    }

    #[test]
    fn lists_that_do_not_go_together_are_refused_before_the_first_row() {
        for (typed, said) in [
            ("::: a b :::+ c d e", ":::+ c …: values in pairs have to be equally many: 3 here, and 2 in"),
            (":::+ a", "there is none"),
            (":::: - -", "twice"),
            ("::: a :::: /nonexistent/file", "can't read \"/nonexistent/file\": No such file"),
            (":::: /", "a directory holds no lines"),
        ] {
            let error = format!("{:#}", made(typed).unwrap_err());
            assert!(error.contains(said), "{typed}: {error}");
        }
    }

    #[test]
    fn how_many_rows_there_are_is_known_where_all_lists_are() {
        let words = ["x", ":::", "a", "b", ":::", "c", "d"].map(OsString::from).into();
        let rows = rows(&split(words).unwrap().lists, Separator::Newline).unwrap();
        assert_eq!(rows.size_hint(), (4, Some(4)));
    }
}
