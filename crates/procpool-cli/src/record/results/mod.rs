//! A folder per job, with its outputs and its outcome.

mod folder;
mod name;
mod staging;

use std::fs::DirBuilder;
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use procpool_core::{Completion, CopyError, NotStarted, Outcome, Retried, Spool};
use serde::Serialize;

use crate::job::work::{Work, command_text};
pub(crate) use crate::record::results::folder::is_result;
use crate::record::results::folder::{EARLIER, FILES, Folder, Placed};
use crate::record::results::staging::Staging;
use crate::run::sink::{Sink, Totals, Trouble};
use crate::terminal::blocking::BlockingWriter;
use crate::terminal::heartbeat::Heartbeat;
use procpool_journal::format::attempt::{Attempt, AttemptHeader, Report};
use procpool_journal::os::ownership;

/// A job's folder is created in a hidden one and moved to its place when it is complete. So a folder of
/// results always has all of them, and those of an earlier run are all there or all gone.
pub(crate) struct Results {
    path: PathBuf,
    place: Folder,
    staging: Staging,
    run: String,
    heartbeat: Heartbeat,
}

/// The contents of `meta.json`.
#[derive(Serialize)]
struct Meta<'a> {
    version: u32,
    run: &'a str,
    #[serde(flatten)]
    whose: AttemptHeader<'a>,
    #[serde(flatten)]
    report: Report,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<String>,
}

/// The version of `meta.json`. It rises if readers of the previous one would misunderstand it.
const VERSION: u32 = 1;

impl Results {
    /// Creates the folder if it is missing. `run` identifies this run among all on this machine.
    ///
    /// # Errors
    /// If nothing can be created in it.
    pub(crate) fn open(path: &Path, run: &str, heartbeat: &Heartbeat) -> anyhow::Result<Results> {
        let open = || {
            DirBuilder::new().recursive(true).mode(0o700).create(path)?;
            let place = Folder::open(path)?;
            ownership::refuse_open_to_all(&place)?;
            let staging = Staging::make(&place, run)?;
            Ok::<_, io::Error>((place, staging))
        };
        let (place, staging) = open().with_context(|| {
            format!("--results {path:?}: no results can be written there, name a folder where they can")
        })?;
        Ok(Results {
            path: path.to_owned(),
            place,
            staging,
            run: run.to_owned(),
            heartbeat: heartbeat.clone(),
        })
    }

    fn record(&self, completion: &Completion<Work>) -> anyhow::Result<()> {
        let attempt = Attempt::last(completion);
        let folder = self.staged(attempt)?;
        // If the next attempt never started, this attempt was recorded as an earlier one, and is the last.
        folder.remove_if_there(&earlier_name(attempt))?;
        self.fill(&folder, attempt, Some(command_text(completion)))?;
        let name = name::encode(attempt.key);
        let staged = attempt.seq.to_string();
        match self.staging.folder.put(&staged, &self.place, &name)? {
            Placed::Done => Ok(()),
            Placed::InTheWay => {
                let kept = self.path.join(self.staging.keep(&self.place)?).join(staged);
                Err(anyhow!(
                    "{:?} is in the way: it holds more than results of procpool; move it, or name another folder; \
                 the results are left in {:?}",
                    self.path.join(name),
                    kept
                ))
            }
        }
    }

    fn record_earlier(&self, attempt: Attempt<'_>) -> anyhow::Result<()> {
        let folder = self.staged(attempt)?.make(&earlier_name(attempt))?;
        self.fill(&folder, attempt, None)
    }

    /// The folder in which the results of a job wait until they are complete.
    fn staged(&self, attempt: Attempt<'_>) -> io::Result<Folder> {
        self.staging.folder.make_or_enter(&attempt.seq.to_string())
    }

    fn fill(&self, folder: &Folder, attempt: Attempt<'_>, command: Option<String>) -> anyhow::Result<()> {
        let [stdout, stderr, meta] = FILES;
        let ran = attempt.outcome.ran();
        self.copy(folder, stdout, ran.map(|ran| &ran.stdout))?;
        self.copy(folder, stderr, ran.map(|ran| &ran.stderr))?;
        let said = Meta {
            version: VERSION,
            run: &self.run,
            whose: attempt.into(),
            report: Report::of(attempt.outcome),
            command,
        };
        let mut text = serde_json::to_vec_pretty(&said)?;
        text.push(b'\n');
        folder.create(meta)?.write_all(&text)?;
        Ok(())
    }

    fn copy(&self, folder: &Folder, name: &str, spool: Option<&Spool>) -> Result<(), CopyError> {
        let file = folder.create(name).map_err(CopyError::Writing)?;
        spool
            .map_or(Ok(()), |spool| spool.copy_to(&mut BlockingWriter::new(&file, &self.heartbeat)).map(drop))
    }

    fn trouble(&self, error: anyhow::Error) -> Trouble {
        Trouble::Failed(error.context(format!("can't write results to {:?}", self.path)))
    }
}

fn earlier_name(attempt: Attempt<'_>) -> String {
    format!("{EARLIER}{}", attempt.number)
}

impl Sink for Results {
    fn begin(&mut self) -> Result<(), Trouble> {
        self.staging.sweep(&self.place);
        Ok(())
    }

    fn retried(&mut self, retried: &Retried) -> Result<(), Trouble> {
        self.record_earlier(retried.into()).map_err(|error| self.trouble(error))
    }

    fn completed(&mut self, completion: &mut Completion<Work>) -> Result<(), Trouble> {
        match completion.outcome {
            Outcome::NotStarted(NotStarted::NeverReached) => Ok(()),
            _ => self.record(completion).map_err(|error| self.trouble(error)),
        }
    }

    fn recorded(&mut self, completion: &mut Completion<Work>) -> Result<(), Trouble> {
        self.completed(completion)
    }

    fn finish(&mut self, _: &Totals) -> Result<(), Trouble> {
        Ok(())
    }
}

impl Drop for Results {
    fn drop(&mut self) {
        // Incomplete results stay until the next run.
        let _ = self.staging.remove(&self.place);
    }
}
