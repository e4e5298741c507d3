//! A round's procpool: started with its jobs in a folder of its own, heard, and waited for.
//! It does not know who ends it, nor what is right.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::io::retry_on_intr;
use rustix::process::{Pid, PidfdFlags, WaitOptions, pidfd_open, waitpid};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::torture::ending::End;
use crate::torture::plan::{Order, Plan, Source};

/// Procpool's folder for temporary files, its own standard error, and its jobs where they come from a file.
const TEMPORARY: &str = "temporary";
const COMPLAINTS: &str = "stderr";
const JOBS: &str = "jobs.json";

/// A folder for a round, and what marks its processes.
pub(crate) struct Stage {
    folder: TempDir,
    /// A variable with its value, as it stands in the environment of each.
    pub(crate) marker: String,
}

/// A procpool that was started.
pub(crate) struct Procpool {
    pub(crate) guardian: Pid,
    pub(crate) started: Instant,
    end: OwnedFd,
    output: Output,
    /// Where its input is to stay open.
    _input: Option<ChildStdin>,
}

impl Stage {
    pub(crate) fn new(seed: u64) -> Result<Stage> {
        let folder = tempfile::tempdir().context("no folder for the round")?;
        fs::create_dir(folder.path().join(TEMPORARY)).context("no folder for temporary files")?;
        // The number of this process makes it different from that of an earlier round of the same seed.
        let marker = format!("TORTURE_ROUND={seed}.{}", std::process::id());
        Ok(Stage { folder, marker })
    }

    pub(crate) fn start(&self, plan: &Plan, procpool: &Path) -> Result<Procpool> {
        let mut command = self.command(plan, procpool)?;
        let started = Instant::now();
        let mut child = command.spawn().context("can't start procpool")?;
        let guardian = Pid::from_child(&child);
        let input = child.stdin.take().and_then(|mut pipe| {
            let lines: Vec<&str> = plan.jobs.iter().flat_map(|job| [&job.key, "\n"]).collect();
            // It may be dead already. The pipe has room for all of it, so this never waits.
            let _ = pipe.write_all(lines.concat().as_bytes());
            (plan.source == Source::OpenLines).then_some(pipe)
        });
        Ok(Procpool {
            guardian,
            started,
            end: pidfd_open(guardian, PidfdFlags::empty()).context("can't watch procpool")?,
            output: Output::of(child.stdout.take().context("BUG: no pipe")?),
            _input: input,
        })
    }

    fn command(&self, plan: &Plan, procpool: &Path) -> Result<Command> {
        let folder = self.folder.path();
        let mut command = Command::new(procpool);
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

    /// The temporary files that are there.
    pub(crate) fn temporary_files(&self) -> Result<Vec<String>> {
        let files = fs::read_dir(self.folder.path().join(TEMPORARY)).context("can't list temporary files")?;
        Ok(files.flatten().map(|file| file.path().display().to_string()).collect())
    }

    /// What was said on standard error.
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
    pub(crate) fn has_ended(&self) -> Result<bool> {
        self.ends_by(Instant::now())
    }

    /// Waits until then for its end, and reaps it.
    pub(crate) fn wait(&self, deadline: Instant) -> Result<End> {
        if !self.ends_by(deadline)? {
            return Ok(End::Hung);
        }
        let (_, status) = retry_on_intr(|| waitpid(Some(self.guardian), WaitOptions::empty()))?
            .context("BUG: a wait that does not wait")?;
        let exited = status.exit_status().map(End::Exited);
        exited.or(status.terminating_signal().map(End::Died)).context("BUG: an end that is none")
    }

    fn ends_by(&self, deadline: Instant) -> Result<bool> {
        let rest = deadline.saturating_duration_since(Instant::now());
        // A fraction of a millisecond is not worth another round.
        let rest = Timespec::try_from(rest + Duration::from_micros(1)).context("BUG: a deadline far away")?;
        let ended = retry_on_intr(|| poll(&mut [PollFd::new(&self.end, PollFlags::IN)], Some(&rest)))?;
        Ok(ended > 0)
    }

    /// How much of its output has come so far.
    pub(crate) fn heard(&self) -> usize {
        self.output.lock().len()
    }

    /// All of its output, once everybody is gone who could write to it.
    pub(crate) fn output(self) -> Vec<u8> {
        self.output.all()
    }
}

/// What comes from a pipe.
struct Output {
    bytes: Arc<Mutex<Vec<u8>>>,
    listener: JoinHandle<()>,
}

impl Output {
    fn of(mut pipe: impl Read + Send + 'static) -> Output {
        let bytes = Arc::<Mutex<Vec<u8>>>::default();
        let heard = Arc::clone(&bytes);
        let listener = thread::spawn(move || {
            let mut part = vec![0; 1 << 16];
            while let Ok(count @ 1..) = pipe.read(&mut part) {
                heard.lock().unwrap_or_else(PoisonError::into_inner).extend(&part[..count]);
            }
        });
        Output { bytes, listener }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn all(self) -> Vec<u8> {
        // It can't have panicked while it held the lock for more than a piece.
        let _ = self.listener.join();
        std::mem::take(&mut *self.bytes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
