//! Runs a scene in a folder of its own, with a fence or without, and collects its result.

use std::fs::{self, File};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};

use crate::fences::call::{Call, RUNTIMES};
use crate::fences::judge::{RunEnd, Trial};
use crate::fences::recording;
use crate::fences::scene::{Order, Scene};
use crate::fences::tools::Tools;
use torture::census;

/// A run that takes longer counts as hung; a scene takes a second at most.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long processes that procpool leaves may take to end.
const AFTERMATH: Duration = Duration::from_secs(1);
const PULSE: Duration = Duration::from_millis(2);

pub(crate) struct SceneRunner<'a> {
    pub(crate) procpool: &'a Path,
    pub(crate) tools: &'a Tools,
    /// The folder for the runs' own folders.
    pub(crate) folder: &'a Path,
}

/// A call, and the error that it is refused with.
#[derive(Clone, Copy)]
pub(crate) struct Fence<'a> {
    pub(crate) call: &'a Call,
    pub(crate) error: u32,
}

impl SceneRunner<'_> {
    /// The calls that procpool makes in a scene.
    pub(crate) fn record(&self, scene: Scene) -> Result<Vec<String>> {
        let run = Run::begin(self, scene)?;
        let mut strace = Command::new("strace");
        strace.args(["-f", "-o"]).arg(run.folder.join("log")).arg(self.procpool);
        run.end_of(strace.args(self.words(scene.line)))?;
        let log =
            fs::read(run.folder.join("log")).context("fences need strace(1) to see which calls there are")?;
        Ok(recording::calls_in(&String::from_utf8_lossy(&log)).into_iter().collect())
    }

    /// Runs a scene and returns the result.
    pub(crate) fn play(&self, scene: Scene, fence: Option<Fence>) -> Result<Trial> {
        let run = Run::begin(self, scene)?;
        let mut command = match fence {
            Some(Fence { call, .. }) if RUNTIMES.contains(&call.name.as_str()) => {
                let mut command = Command::new(&self.tools.fence);
                command.arg(self.procpool);
                command
            }
            Some(_) => {
                let mut command = Command::new(self.procpool);
                command.env("LD_PRELOAD", &self.tools.preload);
                command
            }
            None => Command::new(self.procpool),
        };
        if let Some(fence) = fence {
            let fence = fence.call.as_fence(&self.tools.numbers, fence.error).context("no such call here")?;
            command.env("FENCE", fence);
        }
        let end = run.end_of(command.args(self.words(scene.line)))?;
        let left = run.left()?;
        let stdout = in_order(run.read("stdout")?, scene.order);
        let mut stderr: Vec<String> = self.told(&run.read("stderr")?);
        stderr.sort();
        let mut kept = run.files()?;
        if let Some(line) = scene.after {
            let told =
                Command::new(self.procpool).args(self.words(line)).current_dir(&run.folder).output()?;
            // A job's memory may be unknown behind a fence; its end must be known.
            let told = String::from_utf8_lossy(&told.stdout).into_owned();
            let ends = told.lines().map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" "));
            kept.extend(ends.collect::<Vec<_>>().join("\n").into_bytes());
        }
        Ok(Trial { end, stdout, stderr, kept, left })
    }

    /// Its lines, without what differs from run to run: numbers and paths.
    fn told(&self, text: &[u8]) -> Vec<String> {
        let text = String::from_utf8_lossy(text).replace(&*self.folder.to_string_lossy(), "DIR");
        text.lines().map(without_numbers).collect()
    }

    fn words(&self, line: &str) -> Vec<String> {
        Scene::words(line, &self.tools.job.to_string_lossy())
    }
}

/// A run in its folder, which is removed afterwards.
struct Run {
    folder: PathBuf,
    mark: String,
}

impl Run {
    fn begin(runner: &SceneRunner, scene: Scene) -> Result<Run> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = runner.folder.join(format!("run-{number}"));
        fs::create_dir(&folder)?;
        if let Some(line) = scene.before {
            Command::new(runner.procpool)
                .args(runner.words(line))
                .current_dir(&folder)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()?;
        }
        Ok(Run { folder, mark: format!("{}-{number}", std::process::id()) })
    }

    fn end_of(&self, command: &mut Command) -> Result<RunEnd> {
        command.current_dir(&self.folder).env("FENCE_RUN", &self.mark).env_remove("RUST_BACKTRACE");
        command.stdin(Stdio::null());
        command.stdout(File::create(self.folder.join("stdout"))?);
        command.stderr(File::create(self.folder.join("stderr"))?);
        let mut child = command.process_group(0).spawn().context("can't start procpool")?;
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(end(status));
            }
            if Instant::now() > until {
                // All at once, because the process that is killed first may be the one that would have
                // ended the others.
                self.kill_all()?;
                let _ = child.kill();
                child.wait()?;
                return Ok(RunEnd::Hung);
            }
            thread::sleep(PULSE);
        }
    }

    /// The processes that outlive procpool.
    fn left(&self) -> Result<Vec<String>> {
        let until = Instant::now() + AFTERMATH;
        loop {
            let left = census::marked(&self.variable())?;
            if left.is_empty() {
                return Ok(Vec::new());
            }
            if Instant::now() > until {
                self.kill_all()?;
                return Ok(left.into_values().map(|line| without_numbers(&line)).collect());
            }
            thread::sleep(PULSE);
        }
    }

    fn kill_all(&self) -> Result<()> {
        let until = Instant::now() + AFTERMATH;
        while Instant::now() < until {
            let left = census::marked(&self.variable())?;
            if left.is_empty() {
                break;
            }
            for process in left.into_keys().filter_map(Pid::from_raw) {
                // It may have ended already.
                let _ = kill_process(process, Signal::KILL);
            }
        }
        Ok(())
    }

    fn variable(&self) -> String {
        format!("FENCE_RUN={}", self.mark)
    }

    fn read(&self, name: &str) -> Result<Vec<u8>> {
        fs::read(self.folder.join(name)).with_context(|| format!("can't read {name}"))
    }

    /// The outputs under `results/`, each after its path.
    fn files(&self) -> Result<Vec<u8>> {
        let mut all = Vec::new();
        let mut folders = vec![self.folder.join("results")];
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten() {
                let path = entry?.path();
                if path.is_dir() { folders.push(path) } else { files.push(path) }
            }
        }
        files.sort();
        for path in files.iter().filter(|path| path.ends_with("stdout") || path.ends_with("stderr")) {
            all.extend(path.strip_prefix(&self.folder)?.to_string_lossy().bytes());
            all.extend(fs::read(path)?);
        }
        Ok(all)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn end(status: ExitStatus) -> RunEnd {
    status.code().map_or_else(|| RunEnd::Signalled(status.signal().unwrap_or_default()), RunEnd::Exited)
}

/// The lines, sorted where their order doesn't matter.
fn in_order(output: Vec<u8>, order: Order) -> Vec<u8> {
    if order == Order::OfInput {
        return output;
    }
    let mut lines: Vec<&[u8]> = output.split_inclusive(|byte| *byte == b'\n').collect();
    lines.sort_unstable();
    lines.concat()
}

/// Replaces each number by `N`, but not in names such as `wait4(2)` or `kill -9`.
fn without_numbers(line: &str) -> String {
    let mut told = String::new();
    let mut last = ' ';
    for character in line.replace("run-", "run ").chars() {
        let begins = character.is_ascii_digit() && (last == ' ' || last == '[');
        let goes_on = told.ends_with('N') && (character.is_ascii_digit() || character == '.');
        if begins {
            told.push('N');
        } else if !goes_on {
            told.push(character);
        }
        last = character;
    }
    // A short time is shown in milliseconds in one run and in seconds in another.
    told.replace("Nms", "Ns").replace(", slots N% busy", "").replace(" (killed by SIGKILL)", "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_all_the_same() {
        assert_eq!(without_numbers("a: 1.25s, pid 77 (os error 1)."), "a: Ns, pid N (os error N).");
        assert_eq!(without_numbers("wait4(2): kill -9 in DIR/run-12/x"), "wait4(2): kill -9 in DIR/run N/x");
    }

    #[test]
    fn the_order_of_lines_counts_only_where_it_says_something() {
        assert_eq!(in_order(b"b\na\n".into(), Order::Any), b"a\nb\n");
        assert_eq!(in_order(b"b\na\n".into(), Order::OfInput), b"b\na\n");
    }
}
