//! The folder of a scenario: its lists, its journal, and where its output goes: files, pipes or a terminal.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result};
use rustix::fs::OFlags;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::journal::folder::StartedBy;
use crate::journal::kill::GrowingFiles;
use crate::journal::scenario::lines::Segment;
use crate::journal::scenario::plan::{Changed, Failed, LIMIT, Outlet, Run, ScenarioJob};
use crate::pipe_reader::PipeReader;
use crate::running::RunningProcpool;

/// The folder, with where the two streams go.
pub(crate) struct ScenarioFolder {
    folder: TempDir,
    /// One for standard output and one for standard error, or a single one for both.
    sinks: Vec<Sink>,
    /// `NAME=value`, in the environment of each process of the scenario.
    pub(crate) marker: String,
}

/// Where one or both streams go.
enum Sink {
    File {
        path: PathBuf,
        /// Its length at the end of each run.
        ends: Vec<u64>,
    },
    /// A pipe or a terminal, whose length can't be read: a mark is written to it at the end of each run.
    Pipe { end: File, reader: PipeReader },
}

/// The mark: a byte that no job writes and no terminal changes.
const MARK: u8 = 1;

const JOURNAL: &str = "journal";
const LOG: &str = "log";
const TEMPORARY: &str = "temporary";

impl ScenarioFolder {
    pub(crate) fn new(outlet: Outlet) -> Result<ScenarioFolder> {
        let folder = tempfile::tempdir().context("no folder")?;
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path(TEMPORARY)).context("no folder for temporary files")?;
        File::create(path(LOG)).context("no log")?;
        let names = if outlet.is_one() { &["out"][..] } else { &["out", "err"] };
        let sinks: Result<Vec<Sink>> = names.iter().map(|name| Sink::new(outlet, path(name))).collect();
        let marker = format!("TORTURE_SCENARIO={}", std::process::id());
        Ok(ScenarioFolder { sinks: sinks?, marker, folder })
    }

    /// Starts procpool for run `number`, from 0.
    pub(crate) fn start(
        &self,
        procpool: &Path,
        run: &Run,
        number: usize,
        way: StartedBy,
    ) -> Result<RunningProcpool> {
        let mut command = Command::new(procpool);
        match way {
            StartedBy::Journal => {
                command
                    .args(["resume", JOURNAL])
                    .args((run.failed == Failed::StayAsTheyAre).then_some("--unrun"));
            }
            StartedBy::Command => {
                let list = format!("list-{number}.json");
                fs::write(self.file(&list), self.list(&run.jobs)?).context("no list")?;
                let resume = if run.failed == Failed::StayAsTheyAre { "--resume=unrun" } else { "--resume" };
                command.args(["run", "--journal", JOURNAL, resume, &format!("-j{LIMIT}"), "--file", &list]);
            }
        }
        let changed = if run.changed == Changed::Rerun { "rerun" } else { "skip" };
        command.args(["--changed", changed, "--summary", "never", "--progress", "none", "--color", "never"]);
        command.args(["--retry-delay", "0.01"]).args(run.shape.words());
        let (name, value) = self.marker.split_once('=').context("BUG: no variable")?;
        command.env(name, value).env("TMPDIR", self.file(TEMPORARY)).env("TERM", "xterm");
        command.current_dir(self.path()).stdin(Stdio::null());
        let stdout = self.sinks[0].open()?;
        let stderr = self.sinks.get(1).map_or_else(|| Ok(stdout.try_clone()?), Sink::open)?;
        command.stdout(stdout).stderr(stderr);
        // As a shell with job control does.
        command.process_group(0);
        let started = Instant::now();
        let child = command.spawn().context("can't start procpool")?;
        RunningProcpool::new(&child, started)
    }

    fn list(&self, jobs: &[ScenarioJob]) -> Result<String> {
        let log = self.log();
        let log = log.to_str().context("a folder whose name is no text")?;
        let job = |job: &ScenarioJob| {
            let words = job.words(log);
            let sleeper = sleeper::binary();
            let command = match &job.tampering {
                None => json!([sleeper, "--words", words]),
                Some(tampering) => {
                    let script = format!(
                        "mkdir touched 2> /dev/null && {{ {}; }}; exec \"$1\" --words \"$2\"",
                        tampering.script()
                    );
                    json!(["sh", "-c", script, "sh", sleeper, words])
                }
            };
            (job.key.clone(), json!({"cmd": command, "retries": job.retries}))
        };
        // Written by hand, because a map would not keep the order.
        let entries: Vec<String> =
            jobs.iter().map(job).map(|(key, value)| format!("{}: {value}", Value::from(key))).collect();
        debug_assert!(
            serde_json::from_str::<Map<String, Value>>(&format!("{{{}}}", entries.join(","))).is_ok()
        );
        Ok(format!("{{\"jobs\": {{\n{}\n}}}}\n", entries.join(",\n")))
    }

    /// Takes note of the end of a run.
    pub(crate) fn end_run(&mut self) -> Result<()> {
        self.sinks.iter_mut().try_for_each(Sink::end_run)
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.file(JOURNAL)
    }

    /// The log in which jobs stamp their starts and ends.
    pub(crate) fn log(&self) -> PathBuf {
        self.file(LOG)
    }

    /// How many temporary files are left.
    pub(crate) fn temporary_files(&self) -> Result<usize> {
        Ok(fs::read_dir(self.file(TEMPORARY))?.count())
    }

    /// All output, by stream and by run.
    pub(crate) fn came(&mut self) -> Result<Vec<Vec<Segment>>> {
        self.sinks.drain(..).map(Sink::segments).collect()
    }

    /// Keeps the folder, for somebody to look at.
    pub(crate) fn keep(self) -> PathBuf {
        self.folder.keep()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl GrowingFiles for ScenarioFolder {
    fn recorded(&self) -> u64 {
        size(&self.journal().join("journal.jsonl"))
    }

    fn printed(&self) -> u64 {
        self.sinks.iter().map(Sink::length).sum()
    }
}

impl Sink {
    fn new(outlet: Outlet, path: PathBuf) -> Result<Sink> {
        Ok(match outlet {
            Outlet::Files | Outlet::OneFile => {
                File::create(&path).context("no file")?;
                Sink::File { path, ends: Vec::new() }
            }
            Outlet::Pipes | Outlet::OnePipe => {
                let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).context("no pipe")?;
                Sink::Pipe {
                    end: writer.into(),
                    reader: PipeReader::of(File::from(reader)),
                }
            }
            Outlet::Terminal => {
                let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
                grantpt(&person)?;
                unlockpt(&person)?;
                let name = ptsname(&person, Vec::new())?;
                let mut options = OpenOptions::new();
                options.read(true).write(true).custom_flags(i32::try_from(OFlags::NOCTTY.bits())?);
                let end = options.open(std::ffi::OsStr::from_bytes(name.as_bytes()))?;
                Sink::Pipe { end, reader: PipeReader::of(File::from(person)) }
            }
        })
    }

    fn open(&self) -> Result<File> {
        match self {
            Sink::File { path, .. } => OpenOptions::new().append(true).open(path).context("no file"),
            Sink::Pipe { end, .. } => end.try_clone().context("no descriptor"),
        }
    }

    fn end_run(&mut self) -> Result<()> {
        match self {
            Sink::File { path, ends } => ends.push(size(path)),
            Sink::Pipe { end, .. } => end.write_all(&[MARK]).context("can't mark the end of a run")?,
        }
        Ok(())
    }

    fn length(&self) -> u64 {
        match self {
            Sink::File { path, .. } => size(path),
            Sink::Pipe { reader, .. } => reader.count() as u64,
        }
    }

    fn segments(self) -> Result<Vec<Segment>> {
        let segment = |bytes: &[u8]| Segment { bytes: bytes.to_vec(), is_killed: false };
        Ok(match self {
            Sink::File { path, ends } => {
                let bytes = fs::read(path)?;
                let starts = std::iter::once(0).chain(ends.iter().copied());
                let parts = starts.zip(&ends).map(|(start, end)| {
                    let at = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
                    segment(&bytes[at(start)..at(*end)])
                });
                parts.collect()
            }
            Sink::Pipe { end, reader } => {
                drop(end);
                let all = reader.all();
                let mut parts: Vec<Segment> = all.split(|byte| *byte == MARK).map(segment).collect();
                parts.pop();
                parts
            }
        })
    }
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}
