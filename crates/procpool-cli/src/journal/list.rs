//! The list of a run's jobs as a file: a line a job, with all that it takes to run it again, and a last line that says that
//! there are no more. Knows nothing of who reads it, or when.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use procpool_core::{Command, EnvironmentBase, Job, Key, Stdin};
use serde::{Deserialize, Serialize};

use crate::job::terms::Terms;
use crate::job::work::{EndTime, Input, Place, Stored, Work};
use crate::journal::brief::Rest;
use crate::journal::file::JournalFile;
use crate::journal::identity::{Hash, Identity};
use crate::journal::record::sealed;
use crate::journal::text::Text;
use crate::template::{SLOT_MARK, SLOT_NOT_KNOWN};

/// A line of a list.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub(crate) enum Line {
    Job(Box<JobLine>),
    /// There are no more than these.
    End {
        jobs: u64,
    },
}

/// A job. Its position is that of its line.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct JobLine {
    job: String,
    fingerprint: String,
    key: Text<'static>,
    /// Program and arguments; a NUL stands for the slot.
    command: Vec<Text<'static>>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    directory: Option<Text<'static>>,
    /// Whether its environment begins with nothing.
    #[serde(skip_serializing_if = "is_false", default)]
    environment_empty: bool,
    /// Variables that are set, or, without a value, removed.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    environment: Vec<(Text<'static>, Option<Text<'static>>)>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    input: Option<InputLine>,
    /// In nanoseconds, where it is not that of all jobs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    timeout: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    retries: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    values: Vec<Text<'static>>,
}

/// What a job gets on its standard input.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum InputLine {
    File(Text<'static>),
    Bytes(Text<'static>),
    /// In the file of inputs.
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

/// Inputs that are longer go to a file of their own.
const LONGEST_INPUT: usize = 1024;

/// What is to be known to make lines of jobs, and jobs of lines.
pub(crate) struct Ledger {
    /// Where commands run that say nothing else, as it was called when the list was written.
    pub(crate) here: PathBuf,
    pub(crate) terms: Terms,
    /// Whether values are kept, too.
    pub(crate) values: Keep,
    pub(crate) inputs: Inputs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    Values,
    Nothing,
}

/// The file of long inputs.
pub(crate) struct Inputs {
    /// `None` where there is none.
    place: Option<JournalFile>,
    file: OnceLock<File>,
    end: AtomicU64,
    /// Up to where they have been read back.
    read: AtomicU64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks like this")]
fn is_false(value: &bool) -> bool {
    !value
}

impl Ledger {
    /// The line of a job at this position, and what it will be known by.
    ///
    /// # Errors
    /// Where a long input can't be kept.
    pub(crate) fn line(&self, job: &Job<Work>, position: u64) -> io::Result<(Vec<u8>, Identity)> {
        let key = job.key.as_os_str();
        let command = job.work.command(Place { key, seq: position, slot: SLOT_NOT_KNOWN });
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
            input: self.input(&job.work, command.standard_input())?,
            timeout: job
                .timeout
                .filter(|_| job.timeout != self.terms.timeout)
                .map(|timeout| u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX)),
            retries: job.retries.filter(|_| job.retries != self.terms.retries),
            values,
        }));
        Ok((sealed(&line), identity))
    }

    fn input(&self, work: &Work, input: &Stdin) -> io::Result<Option<InputLine>> {
        Ok(match input {
            Stdin::Nothing => None,
            Stdin::File(path) => Some(InputLine::File(owned(path.as_os_str()))),
            Stdin::Bytes(bytes) if work.is_in_command() && bytes.len() <= LONGEST_INPUT => {
                Some(InputLine::Bytes(Text(bytes.to_vec().into())))
            }
            Stdin::Bytes(bytes) => {
                let length = bytes.len() as u64;
                let offset = self.inputs.keep(bytes)?;
                Some(if work.is_in_command() {
                    InputLine::At { offset, length }
                } else {
                    InputLine::BlockAt { offset, length }
                })
            }
        })
    }

    /// The job of a line, once it is proven to be the one that was written: its sums are made again.
    ///
    /// # Errors
    /// Where its input can't be read, or it is another job.
    pub(crate) fn job(&self, line: JobLine) -> io::Result<Job<Work>> {
        let job = self.assemble(line)?;
        match &job.work {
            Work::Stored(stored)
                if Identity::of(&job.key, &stored.command, &self.here) != stored.identity =>
            {
                let text = format!(
                    "job \"{}\" is not the one that was written down: its fingerprint is of another",
                    job.key
                );
                Err(io::Error::new(io::ErrorKind::InvalidData, text))
            }
            _ => Ok(job),
        }
    }

    /// What a line describes.
    ///
    /// # Errors
    /// Where its input can't be read.
    pub(crate) fn assemble(&self, line: JobLine) -> io::Result<Job<Work>> {
        let identity = line.identity().ok_or(io::ErrorKind::InvalidData)?;
        let mut words = line.command.into_iter().map(Text::into_os_string);
        let program = words.next().ok_or(io::ErrorKind::InvalidData)?;
        let mut command = Command::new(program).args(words);
        if line.environment_empty {
            command = command.env_clear();
        }
        for (name, value) in line.environment {
            let name = name.into_os_string();
            command = match value {
                Some(value) => command.env(name, value.into_os_string()),
                None => command.env_remove(name),
            };
        }
        if let Some(directory) = line.directory {
            command = command.directory(directory.into_os_string());
        }
        let mut input = Input::InCommand;
        let stdin = match line.input {
            None => Stdin::Nothing,
            Some(InputLine::File(path)) => Stdin::File(path.into_os_string().into()),
            Some(InputLine::Bytes(bytes)) => Stdin::Bytes(bytes.0.as_ref().into()),
            Some(InputLine::At { offset, length }) => Stdin::Bytes(self.inputs.read(offset, length)?),
            Some(InputLine::BlockAt { offset, length }) => {
                input = Input::Block;
                Stdin::Bytes(self.inputs.read(offset, length)?)
            }
        };
        let stored = Stored {
            command: command.stdin(stdin),
            values: line.values.into_iter().map(Text::into_os_string).collect(),
            identity,
            input,
            ended: EndTime::default(),
        };
        let mut job = Job::new(Key::from(line.key.into_os_string()), Work::Stored(Box::new(stored)));
        job.timeout = line.timeout.map(Duration::from_nanos).or(self.terms.timeout);
        job.retries = line.retries.or(self.terms.retries);
        Ok(job)
    }
}

impl JobLine {
    pub(crate) fn identity(&self) -> Option<Identity> {
        Some(Identity {
            job: Hash::parse(self.job.as_bytes())?,
            fingerprint: Hash::parse(self.fingerprint.as_bytes())?,
        })
    }

    pub(crate) fn key(&self) -> Key {
        Key::from(&*self.key.0)
    }

    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.timeout.map(Duration::from_nanos)
    }

    pub(crate) fn retries(&self) -> Option<u32> {
        self.retries
    }

    /// What it gets on its standard input, in words.
    pub(crate) fn input(&self) -> Option<String> {
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

    /// The command without its input, as it is in this slot; `{%}` stands for one that is not known.
    pub(crate) fn command(&self, slot: Option<usize>) -> Command {
        let slot = slot.map_or("{%}".to_owned(), |slot| slot.to_string());
        let shown = |text: &Text<'_>| {
            let pieces: Vec<&[u8]> = text.0.split(|byte| *byte == SLOT_MARK).collect();
            OsString::from_vec(pieces.join(slot.as_bytes()))
        };
        let exact = |text: &Text<'_>| OsStr::from_bytes(&text.0).to_owned();
        let mut words = self.command.iter().map(shown);
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

/// Which job a line is of; `None` where it is of none.
pub(crate) fn identity_of(body: &[u8]) -> Option<Identity> {
    let mut rest = Rest(body.strip_prefix(br#""record":"job""#)?);
    Some(Identity {
        job: Hash::parse(rest.text(br#","job":""#)?)?,
        fingerprint: Hash::parse(rest.text(br#","fingerprint":""#)?)?,
    })
}

/// What a line says, from what stands in it after the check.
pub(crate) fn parse(body: &[u8]) -> Option<Line> {
    serde_json::from_slice(&[b"{", body].concat()).ok()
}

impl Inputs {
    pub(crate) fn new(place: JournalFile) -> Inputs {
        Inputs { place: Some(place), ..Inputs::none() }
    }

    /// For a list whose jobs have no long inputs.
    pub(crate) fn none() -> Inputs {
        Inputs {
            place: None,
            file: OnceLock::new(),
            end: AtomicU64::new(0),
            read: AtomicU64::new(0),
        }
    }

    fn file(&self) -> io::Result<&File> {
        if let Some(file) = self.file.get() {
            return Ok(file);
        }
        let place = self.place.as_ref().ok_or(io::ErrorKind::NotFound)?;
        let file = place.wait_out(|| place.open_or_make())?;
        Ok(self.file.get_or_init(|| file))
    }

    /// How much is there that was not read back.
    pub(crate) fn ahead(&self) -> u64 {
        self.end.load(Ordering::Relaxed).saturating_sub(self.read.load(Ordering::Relaxed))
    }

    /// Comes back once the disk has them.
    pub(crate) fn make_safe(&self) -> io::Result<()> {
        self.file.get().map_or(Ok(()), File::sync_data)
    }

    fn keep(&self, bytes: &[u8]) -> io::Result<u64> {
        let offset = self.end.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.file()?.write_all_at(bytes, offset)?;
        Ok(offset)
    }

    fn read(&self, offset: u64, length: u64) -> io::Result<Arc<[u8]>> {
        let file = self.file()?;
        // A length that was made up must not take memory that nothing stands for.
        if offset.checked_add(length).is_none_or(|end| file.metadata().is_ok_and(|file| file.len() < end)) {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "a job's input is not there any more"));
        }
        let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        match &self.place {
            Some(place) => place.wait_out(|| file.read_exact_at(&mut bytes, offset))?,
            None => file.read_exact_at(&mut bytes, offset)?,
        }
        self.read.fetch_max(offset + length, Ordering::Relaxed);
        Ok(bytes.into())
    }
}

fn owned(text: &OsStr) -> Text<'static> {
    Text(text.as_bytes().to_vec().into())
}
