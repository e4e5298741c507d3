//! The folder of a round, and the procpool that is started in it.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::namespace_init::Notes;
use crate::pipe_reader::PipeReader;
use crate::place::{NamespaceInit, Place};
use crate::plan::{Order, Plan, Source};
use crate::running::RunningProcpool;

/// Names in the folder: for temporary files, procpool's standard error, and a job file.
const TEMPORARY: &str = "temporary";
const COMPLAINTS: &str = "stderr";
const JOBS: &str = "jobs.json";

/// The folder, and the variable that marks the round's processes.
pub(crate) struct RoundFolder {
    folder: TempDir,
    /// `NAME=value`, in the environment of each process of the round.
    pub(crate) marker: String,
}

/// A procpool that runs a round.
pub(crate) struct Procpool {
    pub(crate) process: RunningProcpool,
    output: PipeReader,
    /// Kept where standard input must stay open.
    _input: Option<ChildStdin>,
}

impl RoundFolder {
    pub(crate) fn new(seed: u64) -> Result<RoundFolder> {
        let folder = tempfile::tempdir().context("no folder for the round")?;
        fs::create_dir(folder.path().join(TEMPORARY)).context("no folder for temporary files")?;
        // With this process's ID, so that it differs from an earlier round of the same seed.
        let marker = format!("TORTURE_ROUND={seed}.{}", std::process::id());
        Ok(RoundFolder { folder, marker })
    }

    pub(crate) fn start(&self, plan: &Plan, procpool: &Path) -> Result<Procpool> {
        let mut command = self.command(plan, procpool)?;
        let program = procpool.canonicalize().context("no procpool")?;
        // As a shell with job control does.
        command.process_group(0);
        let started = Instant::now();
        let mut child = command.spawn().context("can't start procpool")?;
        let mut process = RunningProcpool::new(&child, started)?;
        if plan.place != Place::Here {
            let notes = plan.place.is(NamespaceInit::Harness).then(|| self.notes());
            if let Some(front) = process.first_of(&program)? {
                process = process.found(front, notes);
            }
        }
        let input = child.stdin.take().and_then(|mut pipe| {
            let lines: Vec<&str> = plan.jobs.iter().flat_map(|job| [&job.key, "\n"]).collect();
            // procpool may be dead already. The pipe has room for all lines, so this never blocks.
            let _ = pipe.write_all(lines.concat().as_bytes());
            (plan.source == Source::OpenLines).then_some(pipe)
        });
        Ok(Procpool {
            process,
            output: PipeReader::of(child.stdout.take().context("BUG: no pipe")?),
            _input: input,
        })
    }

    fn command(&self, plan: &Plan, procpool: &Path) -> Result<Command> {
        let folder = self.folder.path();
        let mut command = plan.place.command(procpool, folder)?;
        command.arg("run").arg(format!("-j{}", plan.limit));
        command.args((plan.order == Order::OfInput).then_some("--keep-order"));
        match plan.source {
            Source::File => {
                let file = folder.join(JOBS);
                fs::write(&file, job_file(plan)).context("no job file")?;
                command.arg("--file").arg(file)
            }
            _ => command.arg("--").arg(sleeper::binary()).args(["--words", "{}"]),
        };
        if plan.source == Source::Values {
            command.arg(":::").args(plan.jobs.iter().map(|job| &job.key));
        }
        let (name, value) = self.marker.split_once('=').context("BUG: no variable")?;
        command.env(name, value).env("TMPDIR", folder.join(TEMPORARY));
        let reads = matches!(plan.source, Source::Lines | Source::OpenLines);
        command.stdin(if reads { Stdio::piped() } else { Stdio::null() });
        command.stdout(Stdio::piped());
        command.stderr(File::create(folder.join(COMPLAINTS)).context("no file for standard error")?);
        Ok(command)
    }

    /// The reports of the namespace's first process.
    pub(crate) fn notes(&self) -> Notes {
        Notes::in_folder(self.folder.path())
    }

    /// The temporary files that exist.
    pub(crate) fn temporary_files(&self) -> Result<Vec<String>> {
        let files = fs::read_dir(self.folder.path().join(TEMPORARY)).context("can't list temporary files")?;
        Ok(files.flatten().map(|file| file.path().display().to_string()).collect())
    }

    /// What was written to standard error.
    pub(crate) fn complaints(&self) -> Result<String> {
        let said = fs::read(self.folder.path().join(COMPLAINTS)).context("can't read standard error")?;
        Ok(String::from_utf8_lossy(&said).into_owned())
    }
}

fn job_file(plan: &Plan) -> String {
    let jobs = plan.jobs.iter().map(|job| {
        let mut fields = Map::new();
        fields.insert("cmd".into(), json!([sleeper::binary(), "--words", job.words]));
        fields.extend(job.timeout.map(|timeout| ("timeout".to_owned(), timeout.into())));
        (job.key.clone(), Value::from(fields))
    });
    json!({ "jobs": jobs.collect::<Map<String, Value>>() }).to_string()
}

impl Procpool {
    /// How many bytes of its output have come so far.
    pub(crate) fn heard(&self) -> usize {
        self.output.count()
    }

    /// All of its output, once no process has the pipe open for writing.
    pub(crate) fn output(self) -> Vec<u8> {
        self.output.all()
    }
}
