//! Which names in braces are placeholders, and what each stands for.
//! All other text in braces is literal, so that awk, JSON and `${HOME}` need no escapes.

use std::fmt::Write as _;
use std::str;

use anyhow::bail;
use procpool_core::Shown;

use crate::template::path::Form;

/// What a placeholder stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placeholder {
    /// Each of the job's values.
    Values(Form),
    /// One of the values, from 0.
    Position(usize, Form),
    Seq,
    Slot,
    Key,
}

impl Placeholder {
    pub(super) fn is_of_values(self) -> bool {
        matches!(self, Placeholder::Values(_) | Placeholder::Position(..))
    }
}

/// The text in braces, as far as it is known without the jobs' values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Braced<'a> {
    Placeholder(Placeholder),
    /// A column, and which part of its value, if there is one of this name. Otherwise literal text.
    Name(&'a [u8], Form),
}

/// Which placeholders there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    /// Those in braces; a job has one value from each of so many lists.
    Lists(usize),
    /// Those in braces; a job has up to so many values from one list.
    UpTo(usize),
    /// Those in braces; the number of a job's values isn't known.
    AnyNumber,
    /// Those in braces, and the columns of a table.
    Columns(Vec<Vec<u8>>),
    /// Those in braces except for values, of which jobs have none.
    NoValues,
    /// Only this text, for the values: `-I`.
    Only(Vec<u8>),
}

/// More columns than these are not listed in an error.
const MOST_COLUMNS: usize = 10;

impl Names {
    /// What `{inner}` stands for. `None` if it is literal text.
    ///
    /// # Errors
    /// If the jobs don't have that value, or the table doesn't have that column.
    pub(super) fn find(&self, inner: &[u8]) -> anyhow::Result<Option<Placeholder>> {
        let (name, form) = match Braced::parse(inner) {
            Braced::Placeholder(placeholder) => {
                self.check(placeholder, inner)?;
                return Ok(Some(placeholder));
            }
            Braced::Name(name, form) => (name, form),
        };
        let Names::Columns(columns) = self else { return Ok(None) };
        let column = |name, form| {
            let position = columns.iter().position(|column| column == name)?;
            Some(Placeholder::Position(position, form))
        };
        match column(inner, Form::Whole).or_else(|| column(name, form)) {
            None if is_identifier(name) => bail!(no_column(name, columns)),
            found => Ok(found),
        }
    }

    /// Whether values are appended to a command without placeholders.
    pub(super) fn are_appended(&self) -> bool {
        !matches!(self, Names::Only(_) | Names::NoValues)
    }

    fn check(&self, placeholder: Placeholder, inner: &[u8]) -> anyhow::Result<()> {
        let number = match placeholder {
            Placeholder::Position(position, _) => position + 1,
            _ => 0,
        };
        let inner = Shown(inner);
        let literal = "for braces that mean themselves, choose another placeholder with -I";
        match self {
            Names::NoValues if placeholder.is_of_values() => {
                bail!("`{{{inner}}}` has nothing to stand for: a block is standard input, and no value")
            }
            Names::Lists(1) if number > 1 => bail!(
                "`{{{inner}}}` stands for a value of list {number}, and there is one list of values; {literal}"
            ),
            Names::Lists(lists) if number > *lists => bail!(
                "`{{{inner}}}` stands for a value of list {number}, and there are {lists} lists; {literal}"
            ),
            Names::UpTo(most) if number > *most => bail!(
                "`{{{inner}}}` stands for value {number} of a command, and -n gives each no more than {most}; {literal}"
            ),
            Names::AnyNumber if number > 0 => bail!(
                "`{{{inner}}}` stands for one value of a command, and with -X it isn't known how many there \
                 are: write `{{}}` for each of them, or give their number with -n instead; {literal}"
            ),
            Names::Columns(columns) if number > columns.len() => {
                bail!("`{{{inner}}}` stands for column {number}, and the table has {}", columns.len())
            }
            _ => Ok(()),
        }
    }
}

impl Braced<'_> {
    pub(crate) fn parse(inner: &[u8]) -> Braced<'_> {
        let (name, form) = Form::split(inner);
        Braced::Placeholder(match (inner, name) {
            (b"#", _) => Placeholder::Seq,
            (b"%", _) => Placeholder::Slot,
            (b"key", _) => Placeholder::Key,
            (_, b"") => Placeholder::Values(form),
            _ => match number(name) {
                Some(number) => Placeholder::Position(number - 1, form),
                None => return Braced::Name(name, form),
            },
        })
    }
}

/// A number from 1 without leading zeros.
fn number(name: &[u8]) -> Option<usize> {
    if !name.iter().all(u8::is_ascii_digit) || name.starts_with(b"0") {
        return None;
    }
    // One with too many digits is larger than any number of values.
    str::from_utf8(name).ok().map(|name| name.parse().unwrap_or(usize::MAX))
}

/// Whether it looks like a column's name rather than code of another language.
fn is_identifier(name: &[u8]) -> bool {
    let Ok(name) = str::from_utf8(name) else { return false };
    name.starts_with(|first: char| first.is_alphabetic() || first == '_')
        && name.chars().all(|character| character.is_alphanumeric() || matches!(character, '_' | '-'))
}

fn no_column(name: &[u8], columns: &[Vec<u8>]) -> String {
    let name = Shown(name).to_string();
    let columns: Vec<String> = columns.iter().map(|column| Shown(column).to_string()).collect();
    let distance = |column: &&String| strsim::damerau_levenshtein(column, &name);
    let nearest = columns.iter().min_by_key(distance);
    let nearest = nearest.filter(|column| distance(column) <= name.chars().count() / 2);
    let mut text = format!("`{{{name}}}`: the table has no column {name:?}");
    let written = match nearest {
        Some(nearest) => write!(text, "; did you mean `{{{nearest}}}`?"),
        None if columns.len() > MOST_COLUMNS => {
            write!(text, "; it begins with the columns {}", columns[..MOST_COLUMNS].join(", "))
        }
        None => write!(text, "; it has {}", columns.join(", ")),
    };
    written.expect("BUG: a string takes all");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Names {
        Names::Columns(["name", "size in bytes", "a.b", "größe"].map(|name| name.as_bytes().to_vec()).into())
    }

    fn error(names: &Names, inner: &str) -> String {
        names.find(inner.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_column_is_a_position_by_name() {
        for (inner, expected) in [
            ("name", Placeholder::Position(0, Form::Whole)),
            ("name/.", Placeholder::Position(0, Form::BaseNameWithoutExtension)),
            ("size in bytes", Placeholder::Position(1, Form::Whole)),
            ("a.b", Placeholder::Position(2, Form::Whole)),
            ("a.b.", Placeholder::Position(2, Form::WithoutExtension)),
            ("4//", Placeholder::Position(3, Form::Directory)),
            ("/", Placeholder::Values(Form::BaseName)),
            ("key", Placeholder::Key),
        ] {
            assert_eq!(columns().find(inner.as_bytes()).unwrap(), Some(expected), "{inner}");
        }
    }

    #[test]
    fn an_unknown_column_is_refused_by_the_nearest_or_by_all() {
        assert!(error(&columns(), "nmae").ends_with("did you mean `{name}`?"));
        assert!(error(&columns(), "nmae.").ends_with("did you mean `{name}`?"));
        assert!(error(&columns(), "grösse").ends_with("did you mean `{größe}`?"));
        assert!(error(&columns(), "b").ends_with("it has name, size in bytes, a.b, größe"));
        assert!(error(&columns(), "whatever").ends_with("it has name, size in bytes, a.b, größe"));
        assert!(error(&columns(), "5").ends_with("column 5, and the table has 4"));
    }

    #[test]
    fn what_looks_like_no_name_means_itself() {
        for inner in ["print $1", "1..3", "a,b", "0", "01", "\"a\": 1", " ", "1 ", "-1", "{"] {
            assert_eq!(columns().find(inner.as_bytes()).unwrap(), None, "{inner}");
            assert_eq!(Names::Lists(1).find(inner.as_bytes()).unwrap(), None, "{inner}");
        }
        assert_eq!(Names::Lists(1).find(b"name").unwrap(), None);
    }

    #[test]
    fn a_value_that_no_job_has_is_refused_by_name() {
        assert!(
            error(&Names::Lists(1), "2").starts_with("`{2}` stands for a value of list 2, and there is one")
        );
        assert!(error(&Names::Lists(2), "3.").starts_with("`{3.}` stands for a value of list 3"));
        assert!(error(&Names::UpTo(2), "3").contains("-n gives each no more than 2"));
        assert!(error(&Names::AnyNumber, "1").contains("with -X"));
        assert!(error(&Names::Lists(9), "99999999999999999999999").contains("there are 9 lists"));
        assert!(Names::UpTo(2).find(b"2/").unwrap().is_some());
    }

    #[test]
    fn names_of_placeholders_are_taken() {
        let is_taken = |name| !matches!(Braced::parse(name), Braced::Name(..));
        for name in ["", ".", "/", "//", "/.", "#", "%", "key", "1", "12."] {
            assert!(is_taken(name.as_bytes()), "{name}");
        }
        for name in ["name", "keys", "0", "1a", "a.b"] {
            assert!(!is_taken(name.as_bytes()), "{name}");
        }
    }
}
