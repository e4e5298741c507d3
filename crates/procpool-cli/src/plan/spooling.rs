//! Where outputs go that are too large for memory: to the temporary directory, or to memory if that can't
//! be written.

use std::sync::Once;

use anyhow::Context;
use procpool_core::{Capture, Error, LocalProcess};

use crate::terminal::{screen, shown};

/// A file system in memory, on nearly every Linux.
const IN_MEMORY: &str = "/dev/shm";

/// A runner whose large outputs have a place, where it captures any, which is said once where it isn't the usual one.
///
/// # Errors
/// Where there is none.
pub(super) fn spooling(local: LocalProcess, capture: Capture) -> anyhow::Result<LocalProcess> {
    if capture != Capture::Spool {
        return Ok(local);
    }
    let Err(error) = local.check_spool() else { return Ok(local) };
    let local = local.spool_directory(IN_MEMORY);
    if local.check_spool().is_ok() {
        say(IN_MEMORY, &error);
        return Ok(local);
    }
    let local = local.spool_in_memory();
    if local.check_spool().is_ok() {
        say("memory", &error);
        return Ok(local);
    }
    Err(error).context("large outputs have no place, set TMPDIR to a directory for them")
}

fn say(place: &str, error: &Error) {
    static SAID: Once = Once::new();
    let reason = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    // Nothing is lost by it.
    let text = format!(
        "procpool: large outputs go to {place} and take up memory: {}; set TMPDIR to a directory for them\n",
        shown::name(reason)
    );
    SAID.call_once(|| screen::say(&text));
}
