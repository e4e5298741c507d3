//! What people are told of a journal's folder while a run uses it.
//! The journal itself says nothing to anybody.

use crate::terminal::{screen, shown};
use procpool_journal::files::outage::OutageNotice;

/// Tells of an outage of the folder, and of its end.
pub(crate) fn say(notice: OutageNotice<'_>) {
    match notice {
        OutageNotice::Began { folder, error } => {
            let folder = shown::name(folder);
            screen::say(&format!("procpool: {folder} can't be used now ({error}): waiting for it\n"));
        }
        OutageNotice::Over => screen::say("procpool: the folder can be used again\n"),
    }
}
