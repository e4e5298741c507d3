//! Which placeholders a tag may have, as a journal stores it.

use serde::{Deserialize, Serialize};

use crate::format::text::Text;

/// What of a job a tag may name.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NamesLine {
    Lists(usize),
    UpTo(usize),
    AnyNumber,
    Columns(Vec<Text<'static>>),
    NoValues,
    Only(Text<'static>),
}
