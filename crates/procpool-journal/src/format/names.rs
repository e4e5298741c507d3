//! Which placeholders a tag may contain, as a journal stores it.

use serde::{Deserialize, Serialize};

use crate::format::text::Text;

/// Which placeholders a tag may contain.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NamesLine {
    /// Those in braces; a job has one value from each of this many lists.
    Lists(usize),
    /// Those in braces; a job has up to this many values from one list.
    UpTo(usize),
    /// Those in braces; the number of a job's values isn't known.
    AnyNumber,
    /// Those in braces, and these columns of a table.
    Columns(Vec<Text<'static>>),
    /// Those in braces except for values, of which jobs have none.
    NoValues,
    /// Only this text, for the values: `-I`.
    Only(Text<'static>),
}
