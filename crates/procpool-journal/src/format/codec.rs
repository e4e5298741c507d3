//! Encodes jobs as lines of a list and decodes them: both directions of one format, side by side. The
//! fingerprint of a decoded job proves that it is the one that was written.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

use procpool_core::{Command, EnvironmentBase, Job, Key, Stdin};

use crate::files::inputs::Inputs;
use crate::format::identity::Identity;
use crate::format::list::{InputLine, JobLine, Line, in_slot};
use crate::format::record::sealed;
use crate::format::text::Text;

/// The work of a job that can be stored in a list.
pub trait Listable {
    /// The command of the job with this key at this position. [`SLOT_MARK`](crate::format::list::SLOT_MARK)
    /// stands for the slot.
    fn command(&self, key: &OsStr, position: u64) -> Command;

    /// The values of which the command is made, if they are known.
    fn values(&self) -> &[OsString];

    /// Where its standard input comes from.
    fn input_from(&self) -> InputFrom;
}

/// Where the standard input of a job comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputFrom {
    /// From its command, which has the same input in each run.
    Command,
    /// From a block of procpool's own standard input.
    Block,
}

/// The work of a job that was read back from a list.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The command, with [`SLOT_MARK`](crate::format::list::SLOT_MARK) in place of the slot.
    pub command: Command,
    /// The values of which the command was made, if they were stored for a tag.
    pub values: Vec<OsString>,
    /// Its hashes, as they were stored.
    pub identity: Identity,
    /// Where its standard input comes from.
    pub input: InputFrom,
}

impl Listable for Command {
    fn command(&self, _: &OsStr, _: u64) -> Command {
        self.clone()
    }

    fn values(&self) -> &[OsString] {
        &[]
    }

    fn input_from(&self) -> InputFrom {
        InputFrom::Command
    }
}

impl Listable for Stored {
    fn command(&self, _: &OsStr, _: u64) -> Command {
        self.command.clone()
    }

    fn values(&self) -> &[OsString] {
        &self.values
    }

    fn input_from(&self) -> InputFrom {
        self.input
    }
}

impl Stored {
    /// The command with this slot filled in.
    #[must_use]
    pub fn command_in(&self, slot: usize) -> Command {
        in_slot(&self.command, &slot.to_string())
    }
}

/// Context for encoding and decoding jobs.
pub struct JobCodec {
    /// The working directory of commands that have none, by the path that it had when the list was written.
    pub here: PathBuf,
    /// The settings of jobs that have none of their own.
    pub defaults: Defaults,
    /// Whether values are stored.
    pub values: Keep,
    /// The file of long inputs.
    pub inputs: Inputs,
}

/// The settings of jobs that have none of their own. They are not stored in the lines of those jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Defaults {
    /// `None` if there is no timeout.
    pub timeout: Option<Duration>,
    /// How many further attempts a job has.
    pub retries: Option<u32>,
}

/// Whether the values of jobs are stored in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    Values,
    Nothing,
}

/// The longest input that is stored in a job's line, in bytes. Longer ones go to the file of inputs.
const LONGEST_INPUT: usize = 1024;

impl JobCodec {
    /// Encodes the job at this position, from 1. Returns its line and its identity.
    ///
    /// # Errors
    /// If a long input can't be stored.
    pub fn line<W: Listable>(&self, job: &Job<W>, position: u64) -> io::Result<(Vec<u8>, Identity)> {
        let key = job.key.as_os_str();
        let command = job.work.command(key, position);
        let identity = Identity::of(&job.key, &command, &self.here);
        let words =
            std::iter::once(command.program()).chain(command.arguments().iter().map(OsString::as_os_str));
        let changes = command.environment_changes();
        let values = match self.values {
            Keep::Values => job.work.values().iter().map(|value| owned(value)).collect(),
            Keep::Nothing => Vec::new(),
        };
        let line = Line::Job(Box::new(JobLine {
            job: identity.job.to_string(),
            fingerprint: identity.fingerprint.to_string(),
            key: owned(key),
            command: words.map(owned).collect(),
            directory: command.working_directory().map(|directory| owned(directory.as_os_str())),
            environment_empty: command.environment_base() == EnvironmentBase::Empty,
            environment: changes.map(|(name, value)| (owned(name), value.map(owned))).collect(),
            input: self.input(job.work.input_from(), command.standard_input())?,
            timeout: job
                .timeout
                .filter(|_| job.timeout != self.defaults.timeout)
                .map(|timeout| u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX)),
            retries: job.retries.filter(|_| job.retries != self.defaults.retries),
            values,
        }));
        Ok((sealed(&line), identity))
    }

    fn input(&self, from: InputFrom, input: &Stdin) -> io::Result<Option<InputLine>> {
        Ok(match input {
            Stdin::Nothing => None,
            Stdin::File(path) => Some(InputLine::File(owned(path.as_os_str()))),
            Stdin::Bytes(bytes) if from == InputFrom::Command && bytes.len() <= LONGEST_INPUT => {
                Some(InputLine::Bytes(Text(bytes.to_vec().into())))
            }
            Stdin::Bytes(bytes) => {
                let length = bytes.len() as u64;
                let offset = self.inputs.keep(bytes)?;
                Some(match from {
                    InputFrom::Command => InputLine::At { offset, length },
                    InputFrom::Block => InputLine::BlockAt { offset, length },
                })
            }
        })
    }

    /// Decodes a job, and proves that it is the one that was written: its hashes are computed again and
    /// compared.
    ///
    /// # Errors
    /// If its input can't be read, or it is a different job.
    pub fn job(&self, line: JobLine) -> io::Result<Job<Stored>> {
        let job = self.assemble(line)?;
        if Identity::of(&job.key, &job.work.command, &self.here) == job.work.identity {
            return Ok(job);
        }
        let text = format!(
            "job \"{}\" is not the one that was written down: its fingerprint is of another",
            job.key
        );
        Err(io::Error::new(io::ErrorKind::InvalidData, text))
    }

    /// Decodes a job without proving that it is the one that was written.
    ///
    /// # Errors
    /// If the line is invalid, or the job's input can't be read.
    pub fn assemble(&self, line: JobLine) -> io::Result<Job<Stored>> {
        let identity = line.identity().ok_or(io::ErrorKind::InvalidData)?;
        if line.command.is_empty() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let command = line.command_with_marks();
        let mut input = InputFrom::Command;
        let stdin = match line.input {
            None => Stdin::Nothing,
            Some(InputLine::File(path)) => Stdin::File(path.into_os_string().into()),
            Some(InputLine::Bytes(bytes)) => Stdin::Bytes(bytes.0.as_ref().into()),
            Some(InputLine::At { offset, length }) => Stdin::Bytes(self.inputs.read(offset, length)?),
            Some(InputLine::BlockAt { offset, length }) => {
                input = InputFrom::Block;
                Stdin::Bytes(self.inputs.read(offset, length)?)
            }
        };
        let stored = Stored {
            command: command.stdin(stdin),
            values: line.values.into_iter().map(Text::into_os_string).collect(),
            identity,
            input,
        };
        let mut job = Job::new(Key::from(line.key.into_os_string()), stored);
        job.timeout = line.timeout.map(Duration::from_nanos).or(self.defaults.timeout);
        job.retries = line.retries.or(self.defaults.retries);
        Ok(job)
    }
}

fn owned(text: &OsStr) -> Text<'static> {
    Text(text.as_bytes().to_vec().into())
}
