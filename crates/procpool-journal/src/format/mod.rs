//! The formats of the files: lines with their own length and checksum, records, lists of jobs. Pure, except
//! that long inputs and outputs are read from files.

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
