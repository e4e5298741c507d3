//! Where outputs are spooled that are too large for memory: in the temporary directory, or in memory after
//! all if that can't be written.

use std::sync::Once;

use anyhow::Context;
use procpool_core::{Capture, Error, LocalProcess};

use crate::terminal::{screen, shown};

/// A file system in memory, which nearly every Linux has.
const IN_MEMORY: &str = "/dev/shm";

/// Makes sure that a runner that captures output has a place for large outputs. If that is not the usual
/// place, the user is told once.
///
/// # Errors
/// If there is no such place.
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
    // If the message can't be written, nothing is lost.
    let text = format!(
        "procpool: large outputs go to {place} and take up memory: {}; set TMPDIR to a directory for them\n",
        shown::name(reason)
    );
    SAID.call_once(|| screen::say(&text));
}
