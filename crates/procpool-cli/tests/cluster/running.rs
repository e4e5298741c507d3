//! A running procpool, its output so far, and its exit status.

use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::listener::Listener;
use crate::{DEADLINE, comes_true, wait_for};

/// A running process. On drop it is ended, with the chance to end its jobs first.
pub(crate) struct Running {
    child: Child,
    stdout: Listener,
    stderr: Listener,
}

impl Running {
    pub(crate) fn start(command: &mut Command, input: &[u8]) -> Running {
        let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (mut stdin, input) = (child.stdin.take().unwrap(), input.to_vec());
        // procpool may end without reading all of it.
        thread::spawn(move || std::io::Write::write_all(&mut stdin, &input));
        let stdout = Listener::new(child.stdout.take());
        let stderr = Listener::new(child.stderr.take());
        Running { child, stdout, stderr }
    }

    /// The same, with this file as its standard input.
    pub(crate) fn start_on(command: &mut Command, stdin: File) -> Running {
        let mut child = command.stdin(stdin).stderr(Stdio::piped()).spawn().unwrap();
        let (stdout, stderr) = (Listener::new(child.stdout.take()), Listener::new(child.stderr.take()));
        Running { child, stdout, stderr }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        // The process has not been reaped, so its pid can't belong to another one.
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits until standard error contains this.
    #[track_caller]
    pub(crate) fn says(&self, text: &str) {
        wait_for(&format!("{text:?} on standard error"), || self.error_text().contains(text));
    }

    pub(crate) fn error_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr.heard()).into_owned()
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    #[track_caller]
    pub(crate) fn end(mut self) -> Ended {
        let is_over =
            comes_true(DEADLINE, || self.has_ended() && self.stdout.is_over() && self.stderr.is_over());
        let (stdout, stderr) = (self.stdout.heard(), self.stderr.heard());
        let status = self.child.try_wait().unwrap();
        let ended = Ended { status: status.unwrap_or_default(), stdout, stderr };
        assert!(is_over, "it hangs; so far (ended: {}): {}", status.is_some(), ended.describe());
        ended
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.has_ended() {
            let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
            if !comes_true(Duration::from_secs(20), || self.has_ended()) {
                let _ = self.child.kill();
                let _ = self.child.wait();
            }
        }
    }
}

/// A process that has ended.
pub(crate) struct Ended {
    status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Ended {
    #[track_caller]
    pub(crate) fn exited(self, code: i32) -> Ended {
        assert_eq!(self.status.code(), Some(code), "{}", self.describe());
        self
    }

    #[track_caller]
    pub(crate) fn died_of(self, signal: Signal) -> Ended {
        assert_eq!(self.status.signal(), Some(signal.as_raw()), "{}", self.describe());
        self
    }

    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Standard error contains this.
    #[track_caller]
    pub(crate) fn said(self, text: &str) -> Ended {
        assert!(
            self.error_text().contains(text),
            "expected on standard error: {text:?}\n{}",
            self.describe()
        );
        self
    }

    /// Standard error doesn't contain this.
    #[track_caller]
    pub(crate) fn said_nothing_of(self, text: &str) -> Ended {
        assert!(
            !self.error_text().contains(text),
            "not expected on standard error: {text:?}\n{}",
            self.describe()
        );
        self
    }

    pub(crate) fn error_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }

    pub(crate) fn describe(&self) -> String {
        let excerpt = |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(4000)]).into_owned();
        let (stdout, stderr) = (excerpt(&self.stdout), excerpt(&self.stderr));
        format!("{}\n--- stdout\n{stdout}\n--- stderr\n{stderr}", self.status)
    }
}
