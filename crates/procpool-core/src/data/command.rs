//! What a local process is started with: program, arguments, directory, environment, standard input, capture.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A program, its arguments and its surroundings. No shell reads it; any bytes except NUL pass through unchanged.
///
/// ```
/// use procpool_core::Command;
///
/// let command = Command::new("sort").arg("-n").env("LC_ALL", "C").stdin_bytes("3\n1\n2\n");
/// assert_eq!(command.program(), "sort");
/// ```
#[derive(Clone, Debug)]
pub struct Command {
    program: OsString,
    arguments: Vec<OsString>,
    directory: Option<PathBuf>,
    environment: Environment,
    stdin: Stdin,
    capture: Capture,
}

/// Where a job's standard input comes from.
///
/// Never procpool's own standard input: jobs that run side by side would each read a part of it.
#[derive(Clone, Debug, Default)]
pub enum Stdin {
    /// `/dev/null`: end of file at once.
    #[default]
    Nothing,
    /// These bytes. The job sees a regular file that holds them.
    Bytes(Arc<[u8]>),
    /// This file, opened when the job starts. Named pipes are refused. A relative path is relative to the caller's
    /// directory.
    File(PathBuf),
}

/// What becomes of a job's standard output and standard error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Capture {
    /// Both are read while the job runs and kept apart, see [`Spool`](crate::Spool).
    #[default]
    Spool,
    /// Both go where the caller's own go, unread.
    Inherit,
    /// Both go to `/dev/null`.
    Discard,
}

/// A job's environment: the caller's or an empty one, with changes in the order in which they were made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment {
    pub(crate) base: EnvironmentBase,
    /// `None` removes the variable.
    pub(crate) changes: Vec<(OsString, Option<OsString>)>,
}

/// What a job's environment starts from, before its own changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EnvironmentBase {
    /// The caller's.
    #[default]
    Inherited,
    /// Nothing.
    Empty,
}

impl Environment {
    /// The value that this environment itself gives a variable; `None` if it doesn't set it.
    pub(crate) fn own_value(&self, name: &OsStr) -> Option<&OsStr> {
        let change = self.changes.iter().rev().find(|(changed, _)| changed == name);
        change.and_then(|(_, value)| value.as_deref())
    }
}

impl Command {
    /// A command that runs `program`. A path that contains a slash is used as it is (a relative one is relative to the
    /// job's [`directory`](Command::directory)); another name is looked up in `PATH`. No shell is involved: a
    /// script has to begin with `#!`.
    pub fn new(program: impl Into<OsString>) -> Command {
        Command {
            program: program.into(),
            arguments: Vec::new(),
            directory: None,
            environment: Environment::default(),
            stdin: Stdin::default(),
            capture: Capture::default(),
        }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<OsString>) -> Command {
        self.arguments.push(argument.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Command {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets its working directory; the default is the caller's.
    #[must_use]
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Command {
        self.directory = Some(directory.into());
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Command {
        self.environment.changes.push((name.into(), Some(value.into())));
        self
    }

    /// Removes an environment variable.
    #[must_use]
    pub fn env_remove(mut self, name: impl Into<OsString>) -> Command {
        self.environment.changes.push((name.into(), None));
        self
    }

    /// Starts from an empty environment instead of the caller's; discards earlier changes.
    #[must_use]
    pub fn env_clear(mut self) -> Command {
        self.environment = Environment { base: EnvironmentBase::Empty, changes: Vec::new() };
        self
    }

    /// Sets its standard input.
    #[must_use]
    pub fn stdin(mut self, stdin: Stdin) -> Command {
        self.stdin = stdin;
        self
    }

    /// Sets its standard input to these bytes; short for [`Stdin::Bytes`].
    #[must_use]
    pub fn stdin_bytes(self, bytes: impl AsRef<[u8]>) -> Command {
        self.stdin(Stdin::Bytes(bytes.as_ref().into()))
    }

    /// Sets what becomes of its output.
    #[must_use]
    pub fn capture(mut self, capture: Capture) -> Command {
        self.capture = capture;
        self
    }

    /// The program as given.
    #[must_use]
    pub fn program(&self) -> &OsStr {
        &self.program
    }

    /// The arguments, without the program.
    #[must_use]
    pub fn arguments(&self) -> &[OsString] {
        &self.arguments
    }

    /// The working directory, if it is not the caller's.
    #[must_use]
    pub fn working_directory(&self) -> Option<&Path> {
        self.directory.as_deref()
    }

    /// What its environment starts from.
    #[must_use]
    pub fn environment_base(&self) -> EnvironmentBase {
        self.environment.base
    }

    /// The changes to its environment in the order in which they were made. The last change of a variable wins; a
    /// change without a value removes the variable.
    pub fn environment_changes(&self) -> impl Iterator<Item = (&OsStr, Option<&OsStr>)> {
        self.environment.changes.iter().map(|(name, value)| (name.as_os_str(), value.as_deref()))
    }

    pub(crate) fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Its standard input.
    #[must_use]
    pub fn standard_input(&self) -> &Stdin {
        &self.stdin
    }

    pub(crate) fn output(&self) -> Capture {
        self.capture
    }
}
