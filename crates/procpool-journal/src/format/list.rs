//! The file with the list of a run's jobs: one line per job, with everything that is needed to run it again,
//! and a last line that says that there are no more.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::time::Duration;

use procpool_core::{Command, EnvironmentBase, Key};
use serde::{Deserialize, Serialize};

use crate::format::identity::{Hash, Identity};
use crate::format::line;
use crate::format::text::Text;

/// A line of a list.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Line {
    Job(Box<JobLine>),
    /// The list is complete: it has this many jobs.
    End {
        jobs: u64,
    },
}

/// A job. Its position is the number of its line.
#[derive(Debug, Serialize, Deserialize)]
pub struct JobLine {
    pub(super) job: String,
    pub(super) fingerprint: String,
    pub(super) key: Text<'static>,
    /// Program and arguments; a NUL stands for the slot.
    pub(super) command: Vec<Text<'static>>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) directory: Option<Text<'static>>,
    /// Whether its environment starts out empty.
    #[serde(skip_serializing_if = "is_false", default)]
    pub(super) environment_empty: bool,
    /// Variables that are set, or removed if they have no value.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(super) environment: Vec<(Text<'static>, Option<Text<'static>>)>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) input: Option<InputLine>,
    /// In nanoseconds; only if it differs from the default.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) timeout: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) retries: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(super) values: Vec<Text<'static>>,
}

/// The standard input of a job.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum InputLine {
    File(Text<'static>),
    Bytes(Text<'static>),
    /// In the file of inputs, at this offset and of this length in bytes.
    At {
        offset: u64,
        length: u64,
    },
    /// The same, for a part of procpool's own standard input.
    BlockAt {
        offset: u64,
        length: u64,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks like this")]
fn is_false(value: &bool) -> bool {
    !value
}

impl JobLine {
    pub(crate) fn identity(&self) -> Option<Identity> {
        Some(Identity {
            job: Hash::parse(self.job.as_bytes())?,
            fingerprint: Hash::parse(self.fingerprint.as_bytes())?,
        })
    }

    #[must_use]
    pub fn key(&self) -> Key {
        Key::from(&*self.key.0)
    }

    /// Its own timeout, if it differs from the default.
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout.map(Duration::from_nanos)
    }

    /// Its own number of retries, if it differs from the default.
    #[must_use]
    pub fn retries(&self) -> Option<u32> {
        self.retries
    }

    /// Describes its standard input for people.
    #[must_use]
    pub fn input(&self) -> Option<String> {
        let bytes = |length: u64| format!("{length} bytes");
        Some(match self.input.as_ref()? {
            InputLine::File(path) => format!("the file {:?}", OsStr::from_bytes(&path.0)),
            InputLine::Bytes(text) => bytes(text.0.len() as u64),
            InputLine::At { length, .. } => bytes(*length),
            InputLine::BlockAt { length, .. } => {
                format!("{}, a block of procpool's own standard input", bytes(*length))
            }
        })
    }

    /// The command without its input, with this slot filled in. `{%}` stands for an unknown slot.
    #[must_use]
    pub fn command(&self, slot: Option<usize>) -> Command {
        let slot = slot.map_or("{%}".to_owned(), |slot| slot.to_string());
        in_slot(&self.command_with_marks(), &slot)
    }

    /// The command without its input, with [`SLOT_MARK`] in place of the slot.
    pub(crate) fn command_with_marks(&self) -> Command {
        let exact = |text: &Text<'_>| OsStr::from_bytes(&text.0).to_owned();
        let mut words = self.command.iter().map(exact);
        let mut command = Command::new(words.next().unwrap_or_default()).args(words);
        if self.environment_empty {
            command = command.env_clear();
        }
        for (name, value) in &self.environment {
            command = match value {
                Some(value) => command.env(exact(name), exact(value)),
                None => command.env_remove(exact(name)),
            };
        }
        match &self.directory {
            Some(directory) => command.directory(exact(directory)),
            None => command,
        }
    }
}

/// Stands for the slot in a command that has none yet. No command contains a NUL itself.
pub const SLOT_MARK: u8 = 0;

/// Replaces each mark in a command by this text.
pub(crate) fn in_slot(command: &Command, slot: &str) -> Command {
    let is_marked = |word: &OsStr| word.as_bytes().contains(&SLOT_MARK);
    let arguments = command.arguments();
    if !is_marked(command.program()) && !arguments.iter().any(|argument| is_marked(argument)) {
        return command.clone();
    }
    let put = |word: &OsStr| {
        let pieces: Vec<&[u8]> = word.as_bytes().split(|byte| *byte == SLOT_MARK).collect();
        OsString::from_vec(pieces.join(slot.as_bytes()))
    };
    let words = arguments.iter().map(|argument| put(argument));
    let mut own = Command::new(put(command.program())).args(words).stdin(command.standard_input().clone());
    if command.environment_base() == EnvironmentBase::Empty {
        own = own.env_clear();
    }
    for (name, value) in command.environment_changes() {
        own = match value {
            Some(value) => own.env(name, value),
            None => own.env_remove(name),
        };
    }
    match command.working_directory() {
        Some(directory) => own.directory(directory),
        None => own,
    }
}

/// Reads the job of a complete line, which includes the check, with or without its newline. `None` if the
/// line is damaged or not a job.
pub(crate) fn job_of_line(line: &[u8]) -> Option<JobLine> {
    match line::open(line.strip_suffix(b"\n").unwrap_or(line)).and_then(parse)? {
        Line::Job(job) => Some(*job),
        Line::End { .. } => None,
    }
}

/// Parses the body of a line, which follows the check.
#[must_use]
pub fn parse(body: &[u8]) -> Option<Line> {
    line::parse(body)
}
