//! What stands in the files: lines with their own length and sum, records, lists of jobs.
//! Pure but for where a record says where an output is.

pub mod attempt;
pub mod brief;
pub mod codec;
pub mod entry;
pub(crate) mod hexadecimal;
pub mod identity;
pub mod line;
pub mod list;
pub mod names;
pub(crate) mod outcome;
pub mod positions;
pub mod record;
pub mod subject;
pub mod text;
