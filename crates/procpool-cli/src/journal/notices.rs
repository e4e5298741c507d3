//! Messages about the journal's folder while a run uses it. The journal crate itself prints nothing.

use crate::terminal::{screen, shown};
use procpool_journal::files::outage::OutageNotice;

/// Reports that the folder has become unusable, or that it can be used again.
pub(crate) fn say(notice: OutageNotice<'_>) {
    match notice {
        OutageNotice::Began { folder, error } => {
            let folder = shown::name(folder);
            screen::say(&format!("procpool: {folder} can't be used now ({error}): waiting for it\n"));
        }
        OutageNotice::Over => screen::say("procpool: the folder can be used again\n"),
    }
}
