//! End-to-end tests of the command: the real `procpool`, run as a user or a shell runs it. They look only at
//! exit statuses, outputs, files and signals.
//!
//! No case waits for time to pass. Each waits for a fact, and [`DEADLINE`] only turns a hang into a failure.

#![expect(clippy::disallowed_methods, reason = "a path in a test is its own")]
#![expect(clippy::unwrap_used, reason = "clippy does not take the helpers of tests for tests")]

mod claims;
mod cluster;
mod cluster_trouble;
mod coming_from;
mod command_lines;
mod control;
mod descriptors;
mod dry_run;
mod environment;
mod events;
mod faults;
mod flags;
mod help;
mod hostile;
mod job_file;
mod joblog;
mod journal;
mod journal_export;
mod journal_page;
mod journal_tells;
mod junit;
mod limits;
mod listener;
mod lists;
mod memory;
mod mounts;
mod outcomes;
mod output;
mod output_modes;
mod pages;
mod pipe;
mod placeholders;
mod processes;
mod progress;
mod readme;
mod records;
mod results;
mod scheduling;
mod several;
mod shell;
mod signals;
mod slice;
mod table;
mod telling;
mod temporary;
mod terminal;
mod tour;
mod ulimits;
mod usage;
mod values;
mod variables;
mod waiting;
mod without_proc;

use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::process::CommandExt;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::listener::Listener;
use crate::processes::{lives, only_child};
use crate::waiting::{comes_true, wait_for};

const PROCPOOL: &str = env!("CARGO_BIN_EXE_procpool");

/// Far more than any case needs on the slowest machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// The interval of polling.
const PAUSE: Duration = Duration::from_millis(1);

/// The folder of one case, in which procpool runs.
#[derive(Clone)]
struct Folder(Rc<tempfile::TempDir>);

impl Folder {
    fn new() -> Folder {
        Folder(Rc::new(tempfile::tempdir().unwrap()))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn has(&self, name: &str) -> bool {
        self.file(name).exists()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap()
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> &Folder {
        fs::write(self.file(name), bytes).unwrap();
        self
    }

    /// An executable file. It is written by another process: while this one has it open for writing, a child
    /// that starts at that moment in another case would inherit the descriptor and keep the file busy for a
    /// little longer.
    fn write_program(&self, name: &str, text: &str) {
        let write = "printf %s \"$2\" > \"$1\" && chmod 755 \"$1\"";
        self.command("sh").args(["-c", write, "sh", name, text]).end().exited(0);
    }

    /// The files whose names begin with `prefix`.
    fn files(&self, prefix: &str) -> Vec<PathBuf> {
        let all = fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap().path());
        let named = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with(prefix);
        all.filter(named).collect()
    }

    /// `procpool run` with these words, which are separated by spaces and not read by a shell.
    fn run(&self, words: &str) -> Trial {
        self.command(PROCPOOL).arg("run").args(words.split_whitespace())
    }

    /// A shell that finds `procpool` and `sleeper`.
    fn sh(&self, script: &str) -> Trial {
        self.command("sh").args(["-c", script])
    }

    fn command(&self, program: impl AsRef<OsStr>) -> Trial {
        sleeper::heed_all_signals();
        let mut command = Command::new(program);
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PROCPOOL_")) {
            command.env_remove(name);
        }
        // The two may be in different folders: cargo decides where it builds the binary of another package.
        let programs = [PathBuf::from(PROCPOOL), sleeper::binary()];
        let mut path: Vec<PathBuf> =
            programs.iter().map(|program| program.parent().unwrap().into()).collect();
        path.extend(env::split_paths(&env::var_os("PATH").unwrap()));
        // Few cases want the progress display, which `dumb` disables.
        command.env("PATH", env::join_paths(path).unwrap()).env("LC_ALL", "C").env("TERM", "dumb");
        command.current_dir(self.0.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Trial {
            folder: self.clone(),
            command,
            input: Input::Text(Vec::new()),
        }
    }
}

/// A process that is not yet started.
struct Trial {
    /// Exists as long as something runs in it.
    folder: Folder,
    command: Command,
    input: Input,
}

/// The standard input of the process.
enum Input {
    Text(Vec<u8>),
    /// A pipe that the case writes to.
    Open,
    /// Set by the case.
    Given,
}

impl Trial {
    fn arg(mut self, word: impl AsRef<OsStr>) -> Trial {
        self.command.arg(word);
        self
    }

    fn args(mut self, words: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Trial {
        self.command.args(words);
        self
    }

    fn env(mut self, name: &str, value: &str) -> Trial {
        self.command.env(name, value);
        self
    }

    fn input(mut self, text: impl Into<Vec<u8>>) -> Trial {
        self.input = Input::Text(text.into());
        self
    }

    fn open_input(mut self) -> Trial {
        self.input = Input::Open;
        self
    }

    fn stdin(mut self, stdin: impl Into<Stdio>) -> Trial {
        self.command.stdin(stdin);
        self.input = Input::Given;
        self
    }

    /// An endless number of empty values: for `-0`.
    fn endless_input(self) -> Trial {
        self.stdin(File::open("/dev/zero").unwrap())
    }

    fn stdout(mut self, stdout: impl Into<Stdio>) -> Trial {
        self.command.stdout(stdout);
        self
    }

    fn stderr(mut self, stderr: impl Into<Stdio>) -> Trial {
        self.command.stderr(stderr);
        self
    }

    /// In a process group of its own, as a shell starts it.
    fn own_group(mut self) -> Trial {
        self.command.process_group(0);
        self
    }

    fn start(mut self) -> Running {
        if !matches!(self.input, Input::Given) {
            self.command.stdin(Stdio::piped());
        }
        let mut child = self.command.spawn().unwrap();
        let mut stdin = child.stdin.take();
        if let Input::Text(text) = self.input {
            let mut stdin = stdin.take().unwrap();
            // procpool may end without reading all of it.
            thread::spawn(move || drop(stdin.write_all(&text)));
        }
        let stdout = Listener::new(child.stdout.take());
        let stderr = Listener::new(child.stderr.take());
        Running { _folder: self.folder, child, stdin, stdout, stderr }
    }

    /// Starts the process and waits for its end.
    #[track_caller]
    fn end(self) -> Ended {
        self.start().end()
    }
}

/// A running process. On drop it is ended, with the chance to end its jobs first.
struct Running {
    _folder: Folder,
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Listener,
    stderr: Listener,
}

impl Running {
    /// The middle one of procpool's three processes, between the front and the pool.
    fn keeper(&self) -> String {
        only_child(&self.pid().to_string())
    }

    /// The process that runs the jobs.
    fn pool(&self) -> String {
        only_child(&self.keeper())
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    fn signal(&self, signal: Signal) {
        // The process has not been reaped, so its pid can't belong to another one.
        kill_process(self.pid(), signal).unwrap();
    }

    fn write(&mut self, text: &str) {
        self.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// Waits until standard output is exactly this.
    #[track_caller]
    fn has_printed(&self, text: &str) {
        wait_for(&format!("{text:?} on standard output"), || self.stdout.heard() == text.as_bytes());
    }

    #[track_caller]
    fn end(mut self) -> Ended {
        drop(self.stdin.take());
        let mut status = None;
        let ended = comes_true(DEADLINE, || {
            status = self.child.try_wait().unwrap();
            status.is_some() && self.stdout.is_over() && self.stderr.is_over()
        });
        let (stdout, stderr) = (self.stdout.heard(), self.stderr.heard());
        let so_far = Ended { status: status.unwrap_or_default(), stdout, stderr };
        assert!(ended, "it hangs; so far (ended: {}): {}", status.is_some(), so_far.describe());
        so_far
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut has_ended = || !matches!(self.child.try_wait(), Ok(None));
        if !has_ended() {
            let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
            let mut has_ended = || !matches!(self.child.try_wait(), Ok(None));
            if !comes_true(Duration::from_secs(5), &mut has_ended) {
                let _ = self.child.kill();
                let _ = self.child.wait();
            }
        }
    }
}

/// A process that has ended.
struct Ended {
    status: ExitStatus,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Ended {
    #[track_caller]
    fn exited(self, code: i32) -> Ended {
        assert_eq!(self.status.code(), Some(code), "{}", self.describe());
        self
    }

    #[track_caller]
    fn died_of(self, signal: Signal) -> Ended {
        assert_eq!(self.status.signal(), Some(signal.as_raw()), "{}", self.describe());
        self
    }

    /// Standard output is exactly this.
    #[track_caller]
    fn printed(self, bytes: impl AsRef<[u8]>) -> Ended {
        let expected = bytes.as_ref();
        assert!(self.stdout == expected, "expected {:?}\n{}", excerpt(expected), self.describe());
        self
    }

    /// Standard error contains this.
    #[track_caller]
    fn said(self, text: &str) -> Ended {
        assert!(
            self.error_text().contains(text),
            "expected on standard error: {text:?}\n{}",
            self.describe()
        );
        self
    }

    /// Standard error is empty.
    #[track_caller]
    fn silent(self) -> Ended {
        assert!(self.stderr.is_empty(), "expected silence\n{}", self.describe());
        self
    }

    fn error_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }

    fn describe(&self) -> String {
        let mut text = self.status.to_string();
        for (name, stream) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            write!(text, "\n{name}, {} bytes: {:?}", stream.len(), excerpt(stream)).unwrap();
        }
        text
    }
}

/// The beginning of the bytes, enough to see what is wrong.
fn excerpt(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(2000)]).into_owned()
}

fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}

/// The numbers from 1 on, one on each line.
fn lines(count: u32) -> String {
    (1..=count).map(|number| number.to_string() + "\n").collect()
}
