//! The folder of a run that is recorded: opened or made, locked, and refused where it is something else's.
//! What is made ready in it is `preparation.rs`'s.

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

/// The journal that was asked for, made ready; nothing has begun yet.
///
/// # Errors
/// Where the folder can't be used, or the list doesn't go with what stands in it.
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
    // By now somebody else may have begun and ended.
    let contents = folder.contents().with_context(shown)?;
    if contents != Contents::Journal {
        // Now it is ours: a file that somebody else has locked would let a third one in where it is removed.
        claim.add(folder.running());
    }
    // What is wrong with it is no fault of the journal's.
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

/// Who holds a folder: where the file is gone that says it, the one that began last.
fn name(holder: Option<Holder>, folder: &Folder) -> String {
    let known = holder.map(|holder| (holder.pid, holder.whereabouts)).or_else(|| {
        let run = history::last_run(folder).ok().flatten()?;
        Some((run.pid, run.whereabouts))
    });
    known.map_or_else(String::new, |(pid, whereabouts)| format!(", {}", whereabouts.describe(pid)))
}
