//! strace(1): injects failures into system calls, and logs which calls were made.

use crate::{Folder, Running, Trial, wait_for};

/// The calls that make a process or a thread.
pub(crate) const BIRTHS: &str = "clone,clone3,fork,vfork";

/// Runs a program and its descendants under strace, for a case that has said `needs!(Strace)`. The calls are
/// logged in `log`.
pub(crate) fn strace(folder: &Folder, options: &[&str]) -> Trial {
    folder.command("strace").args(["-f", "-o", "log"]).args(options)
}

/// Lets calls of a run fail from now on: `what` is an expression for strace's `inject`. The case has said
/// `needs!(Attach)`.
///
/// A number in it (`when=3`) counts the calls of each thread separately. procpool's threads that start no
/// jobs must exist already: making them must not fail, and must not count.
pub(crate) fn meddle(folder: &Folder, running: &Running, calls: &str, what: &str) -> Running {
    let (trace, inject) = (format!("trace={calls}"), format!("inject={calls}:{what}"));
    let meddler = strace(folder, &["-e", &trace, "-e", &inject, "-p", &running.pool()]).start();
    wait_for("strace is attached", || {
        let said = String::from_utf8_lossy(&meddler.stderr.heard()).into_owned();
        assert!(!said.contains("ptrace("), "{said}");
        said.contains("attached")
    });
    meddler
}

/// A line of the log: the pid of the caller, the time in seconds (with `-ttt`), and the rest.
pub(crate) struct Line<'a> {
    pub(crate) who: &'a str,
    pub(crate) at: f64,
    pub(crate) call: &'a str,
}

/// The lines that strace has written with `-ttt`.
pub(crate) fn lines(log: &str) -> impl Iterator<Item = Line<'_>> {
    log.lines().map(|line| {
        let (who, rest) = line.split_once(' ').unwrap();
        let (at, call) = rest.trim_start().split_once(' ').unwrap();
        Line { who, at: at.parse().unwrap(), call }
    })
}

impl Line<'_> {
    /// The number that a call of this name has returned, if it is above 0.
    pub(crate) fn returned(&self, name: &str) -> Option<u32> {
        let of_it = self.call.starts_with(&format!("{name}("))
            || self.call.starts_with(&format!("<... {name} resumed>"));
        let value = self.call.rsplit_once(" = ").filter(|_| of_it)?.1;
        value.parse().ok().filter(|number| *number > 0)
    }
}
