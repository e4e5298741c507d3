//! The journal: what a run is recorded in, and gone on with. Its files are described in docs/journal.md.
//! Knows nothing of how a run is shown; each of its parts has a file of its own below.

mod ahead;
pub(crate) mod brief;
pub(crate) mod claim;
mod commit;
pub(crate) mod decision;
pub(crate) mod entry;
pub(crate) mod folder;
mod hexadecimal;
mod holding;
pub(crate) mod identity;
pub(crate) mod last_list;
pub(crate) mod leftovers;
pub(crate) mod line;
pub(crate) mod list;
mod list_lines;
pub(crate) mod list_reader;
pub(crate) mod listing;
pub(crate) mod names;
mod outcome;
pub(crate) mod outcomes;
pub(crate) mod past;
pub(crate) mod places;
pub(crate) mod positions;
pub(crate) mod printed;
pub(crate) mod reading;
pub(crate) mod record;
pub(crate) mod recorder;
pub(crate) mod resumption;
pub(crate) mod running;
pub(crate) mod scan;
pub(crate) mod session;
pub(crate) mod shaped;
pub(crate) mod text;
pub(crate) mod whereabouts;
mod window;
pub(crate) mod writer;
