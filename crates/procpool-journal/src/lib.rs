//! The journal of a procpool run: what it is recorded in, and gone on with. Its files are described in docs/journal.md.
//! Whoever reads or writes one does it by this crate: nothing else knows the format.

#![expect(
    missing_docs,
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "the files have just moved here out of a crate that had no public items; they get their docs next"
)]

pub mod files;
pub mod format;
pub mod os;
pub mod read;
pub mod resume;
#[doc(hidden)]
pub mod testing;
pub mod write;
