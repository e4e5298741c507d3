//! The folder of one long run: its list, its journal, and the files or the pipe that its output goes to.

use std::fs::{self, File, OpenOptions};
use std::mem;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result};
use rustix::fd::OwnedFd;
use rustix::pipe::{PipeFlags, pipe_with};
use serde_json::Value;
use tempfile::TempDir;

use crate::journal::job::PrintingJob;
use crate::journal::kill::GrowingFiles;
use crate::journal::own_messages::without_own_messages;
use crate::pipe_reader::PipeReader;
use crate::plan::Order;
use crate::running::RunningProcpool;

/// The folder.
pub(crate) struct RunFolder {
    folder: TempDir,
    outlet: Stdout,
    order: Order,
    limit: u64,
    /// `NAME=value`, in the environment of each process of the run.
    pub(crate) marker: String,
}

/// Where standard output goes.
enum Stdout {
    File,
    /// One pipe for all procpools of the run, so that their output comes in one order.
    Pipe(OwnedFd, PipeReader),
}

/// How a run's output is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// As jobs end, to a file.
    File,
    /// In input order, to a file.
    Ordered,
    /// As jobs end, through a pipe.
    Pipe,
}

/// How procpool is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StartedBy {
    /// `procpool run --resume`, with the list.
    Command,
    /// `procpool resume`, from the journal alone.
    Journal,
}

/// What a finished run has left.
pub(crate) struct Leftovers {
    pub(crate) stdout: Vec<u8>,
    /// The jobs' standard error, without procpool's own messages.
    pub(crate) stderr: Vec<u8>,
    pub(crate) journal: Vec<u8>,
    pub(crate) outputs: Vec<u8>,
    pub(crate) log: String,
    /// Files that should have been deleted.
    pub(crate) strays: Vec<String>,
}

const TEMPORARY: &str = "temporary";
const LIST: &str = "list.tsv";
const JOURNAL: &str = "journal";
const OUT: &str = "out";
const COMPLAINTS: &str = "err";
const LOG: &str = "log";

impl RunFolder {
    pub(crate) fn new(jobs: &[PrintingJob], delivery: Delivery, limit: u64) -> Result<RunFolder> {
        let folder = tempfile::tempdir().context("no folder")?;
        let path = |name| folder.path().join(name);
        fs::create_dir(path(TEMPORARY)).context("no folder for temporary files")?;
        let log = path(LOG);
        let lines = jobs.iter().map(|job| format!("{}\t{}\n", job.key, job.words(&log)));
        let table: String = ["name\twords\n".to_owned()].into_iter().chain(lines).collect();
        fs::write(path(LIST), table).context("no list")?;
        for name in [OUT, COMPLAINTS, LOG] {
            File::create(path(name)).context("no file")?;
        }
        let outlet = match delivery {
            Delivery::File | Delivery::Ordered => Stdout::File,
            Delivery::Pipe => {
                let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).context("no pipe")?;
                Stdout::Pipe(writer, PipeReader::of(File::from(reader)))
            }
        };
        let marker = format!("TORTURE_JOURNAL={}.{delivery:?}", std::process::id());
        Ok(RunFolder { outlet, order: delivery.order(), limit, marker, folder })
    }

    pub(crate) fn start(&self, procpool: &Path, way: StartedBy) -> Result<RunningProcpool> {
        let mut command = Command::new(procpool);
        match way {
            StartedBy::Journal => command.arg("resume").arg(self.path(JOURNAL)),
            StartedBy::Command => {
                command.args(["run", "--resume", &format!("-j{}", self.limit), "--journal"]);
                command
                    .arg(self.path(JOURNAL))
                    .args((self.order == Order::OfInput).then_some("--keep-order"));
                command.args(["--tsv", "-a"]).arg(self.path(LIST));
                command.arg("--").arg(sleeper::binary()).args(["--words", "{words}"])
            }
        };
        let (name, value) = self.marker.split_once('=').context("BUG: no variable")?;
        command.env(name, value).env("TMPDIR", self.path(TEMPORARY));
        let append = |name| OpenOptions::new().append(true).open(self.path(name)).context("no file");
        command.stdin(Stdio::null()).stderr(append(COMPLAINTS)?);
        match &self.outlet {
            Stdout::File => command.stdout(append(OUT)?),
            Stdout::Pipe(writer, _) => command.stdout(writer.try_clone()?),
        };
        // As a shell with job control does.
        command.process_group(0);
        let started = Instant::now();
        let child = command.spawn().context("can't start procpool")?;
        RunningProcpool::new(&child, started)
    }

    /// Whether the journal has its whole list, so that `procpool resume` can use it.
    pub(crate) fn has_whole_list(&self) -> bool {
        whole_list(&self.path(JOURNAL)).is_some()
    }

    /// The log in which jobs stamp their starts and ends.
    pub(crate) fn log(&self) -> PathBuf {
        self.path(LOG)
    }

    /// The end of standard error.
    pub(crate) fn last_words(&self) -> String {
        let said = fs::read(self.path(COMPLAINTS)).unwrap_or_default();
        said[said.len().saturating_sub(300)..].escape_ascii().to_string()
    }

    /// Reads all that is left once no process runs any more.
    pub(crate) fn left(&mut self) -> Result<Leftovers> {
        let read = |path: PathBuf| fs::read(&path).with_context(|| format!("can't read {path:?}"));
        let journal = self.path(JOURNAL);
        let mut strays = strays(names(&journal)?);
        strays.extend(names(&self.path(TEMPORARY))?);
        let log = String::from_utf8(read(self.path(LOG))?).context("a log that is no text")?;
        Ok(Leftovers {
            stdout: match mem::replace(&mut self.outlet, Stdout::File) {
                Stdout::File => read(self.path(OUT))?,
                Stdout::Pipe(writer, reader) => {
                    drop(writer);
                    reader.all()
                }
            },
            stderr: without_own_messages(&read(self.path(COMPLAINTS))?),
            journal: read(journal.join("journal.jsonl"))?,
            outputs: read(journal.join("outputs"))?,
            log,
            strays,
        })
    }

    /// Keeps the folder, for somebody to look at.
    pub(crate) fn keep(self) -> PathBuf {
        self.folder.keep()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl GrowingFiles for RunFolder {
    fn recorded(&self) -> u64 {
        size(&self.path(JOURNAL).join("journal.jsonl"))
    }

    fn printed(&self) -> u64 {
        match &self.outlet {
            Stdout::File => size(&self.path(OUT)),
            Stdout::Pipe(_, reader) => reader.count() as u64,
        }
    }
}

impl Delivery {
    pub(crate) const ALL: [Delivery; 3] = [Delivery::File, Delivery::Ordered, Delivery::Pipe];

    pub(crate) fn order(self) -> Order {
        match self {
            Delivery::Ordered => Order::OfInput,
            Delivery::File | Delivery::Pipe => Order::AsTheyEnd,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Delivery::File => "to a file",
            Delivery::Ordered => "in order to a file",
            Delivery::Pipe => "through a pipe",
        }
    }
}

/// The keys of the last run in this journal, if its list is complete.
pub(crate) fn whole_list(journal: &Path) -> Option<Vec<String>> {
    let records = fs::read_to_string(journal.join("journal.jsonl")).ok()?;
    let run = records.lines().rfind(|line| line.contains(r#""record":"run""#))?;
    let run: Value = serde_json::from_str(run).ok()?;
    let list = fs::read_to_string(journal.join(format!("list-{}.jsonl", run["list"]))).ok()?;
    let lines: Option<Vec<Value>> = list.lines().map(|line| serde_json::from_str(line).ok()).collect();
    let (end, jobs) = lines.as_ref()?.split_last()?;
    let key = |job: &Value| job["key"].as_str().unwrap_or_default().to_owned();
    (list.ends_with('\n') && end["record"] == "end").then(|| jobs.iter().map(key).collect())
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder).with_context(|| format!("can't list {folder:?}"))?;
    Ok(entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
}

/// The files in a journal that should not be there, or of which there are too many.
fn strays(mut names: Vec<String>) -> Vec<String> {
    let needed = [
        ("journal", ".jsonl"),
        ("outputs", ""),
        ("running", ""),
        ("list-", ".jsonl"),
        ("printed-", ".shape"),
        ("printed-", ".rows"),
        // Last, because the two before begin like it.
        ("printed-", ""),
    ];
    for (start, end) in needed {
        let place = names.iter().position(|name| name.starts_with(start) && name.ends_with(end));
        place.map(|place| names.swap_remove(place));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_list_of_jobs_is_one_too_many() {
        let names = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let whole = "journal.jsonl outputs running list-1.jsonl printed-7.shape printed-7";
        assert!(strays(names(whole)).is_empty());
        assert_eq!(strays(names(&format!("{whole} list-2.jsonl x"))).len(), 2);
    }
}
