//! Opens or creates the folder of a recorded run and locks it, or refuses a folder that something else uses.
//! `preparation.rs` prepares what is in it.

use std::path::Path;

use anyhow::{Context, bail};
use procpool_journal::files::created_files::CreatedFiles;
use procpool_journal::files::folder::{Contents, Folder, Made, Purpose};
use procpool_journal::files::run_lock::{Holder, LockResult, RunLock};
use procpool_journal::read::history;

use crate::args::{JournalArgs, RunSource};
use crate::input::Input;
use crate::journal::notices;
use crate::plan::preparation::{JournalSetup, Journaling, Preparation};
use crate::plan::recorded_by::RecordedBy;

/// Prepares the journal that was asked for; nothing has begun yet.
///
/// # Errors
/// If the folder can't be used, or the list doesn't match the journal.
pub(super) fn journal(
    directory: &Path,
    args: &JournalArgs,
    input: impl FnOnce() -> anyhow::Result<Input>,
    given: JournalSetup<'_>,
) -> anyhow::Result<Journaling> {
    let shown = || format!("--journal {directory:?}");
    let there = Folder::open(directory, Purpose::Run).with_context(shown)?;
    let contents = there.as_ref().map_or(Ok(Contents::Nothing), Folder::contents).with_context(shown)?;
    match (contents, args.resume) {
        (Contents::Nothing | Contents::Journal, Some(_)) | (Contents::Nothing, None) => {}
        (Contents::Journal, None) => bail!(
            "{}: a run is recorded there; add --resume to go on with it, or name another folder",
            shown()
        ),
        (Contents::JournalGone, _) => bail!(
            "{}: its journal.jsonl is gone or empty, though outputs are there; put it back, or name another folder",
            shown()
        ),
        (Contents::Other, _) => {
            bail!("{}: something else is in it; name a new or an empty folder", shown())
        }
    }
    let mut claim = CreatedFiles::default();
    let (folder, made) = match there {
        Some(folder) => (folder, Made::Before),
        None => Folder::make(directory).with_context(shown)?,
    };
    if made == Made::Now {
        claim.add_folder(&folder);
    }
    if let RecordedBy::Elsewhere { .. } = given.recording {
        folder.wait_for_ends_of_outages(notices::say);
    }
    let running = match RunLock::lock(&folder).with_context(shown)? {
        LockResult::Taken(running) => running,
        LockResult::Held(holder) => bail!(
            "{}: in use by another procpool{}; wait until that has ended, or end it",
            shown(),
            name(holder, &folder)
        ),
    };
    // Another run may have begun and ended before the lock was taken.
    let contents = folder.contents().with_context(shown)?;
    if contents != Contents::Journal {
        // Only now, with the lock held: deleting a lock file that another process has locked would let a
        // third process in.
        claim.add(folder.running());
    }
    // An error in the input is not the journal's, so it doesn't get the journal's context.
    let input = match given.source {
        RunSource::CommandLine => Some(input()?),
        RunSource::Journal { .. } => None,
    };
    let preparation = Preparation { args, folder, claim, running, given };
    match contents {
        Contents::Journal => preparation.resume(input).with_context(shown),
        _ => preparation.begin(input).with_context(shown),
    }
}

/// Names the holder of a folder, for the message. If the lock file that names it is gone, this is the run
/// that began last.
fn name(holder: Option<Holder>, folder: &Folder) -> String {
    let known = holder.map(|holder| (holder.pid, holder.whereabouts)).or_else(|| {
        let run = history::last_run(folder).ok().flatten()?;
        Some((run.pid, run.whereabouts))
    });
    known.map_or_else(String::new, |(pid, whereabouts)| format!(", {}", whereabouts.describe(pid)))
}
