//! What a job of the command line runs.
//! Knows nothing of where jobs come from, or of how a command is run.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::slice;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use procpool_core::{Command, Completion, EnvironmentBase, Job, Slot, Stdin};

use crate::job::terms::Terms;
use crate::journal::identity::Identity;
use crate::template::{SLOT_MARK, SLOT_NOT_KNOWN, Template};

pub(crate) use crate::template::Place;

/// What a job of the command line runs.
#[derive(Clone, Debug)]
pub(crate) enum Work {
    /// The command that was typed, for these values.
    Values { template: Arc<Template>, terms: Arc<Terms>, values: Values },
    /// The command that was typed, with this on its standard input.
    Block { template: Arc<Template>, terms: Arc<Terms>, block: Arc<[u8]> },
    /// A command as it stands in the input.
    Command(Command),
    /// A job that was read back from a journal's list.
    Stored(Box<Stored>),
}

/// A job as a journal has it.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    /// In which marks stand for the slot.
    pub(crate) command: Command,
    /// Where a tag wants them.
    pub(crate) values: Vec<OsString>,
    pub(crate) identity: Identity,
    pub(crate) input: Input,
    pub(crate) ended: EndTime,
}

/// When the last attempt of a job ended, as its record says: other records must not say something else of one that was
/// not started, and so has no other time. Set where it is recorded, which is on a worker.
#[derive(Debug, Default)]
pub(crate) struct EndTime(Mutex<Option<SystemTime>>);

impl EndTime {
    pub(crate) fn set(&self, time: SystemTime) {
        *self.lock() = Some(time);
    }

    fn lock(&self) -> MutexGuard<'_, Option<SystemTime>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clone for EndTime {
    fn clone(&self) -> EndTime {
        EndTime(Mutex::new(*self.lock()))
    }
}

/// Whether a job's input is somewhere else than in its command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    InCommand,
    /// It was a part of procpool's own.
    Block,
}

/// The values of one job. Nearly always there is one, and then that is all there is in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Values {
    One(OsString),
    Several(Vec<OsString>),
}

impl Values {
    pub(crate) fn as_slice(&self) -> &[OsString] {
        match self {
            Values::One(value) => slice::from_ref(value),
            Values::Several(values) => values,
        }
    }
}

impl Work {
    /// Its values; none, where it is a whole command.
    pub(crate) fn values(&self) -> &[OsString] {
        match self {
            Work::Values { values, .. } => values.as_slice(),
            Work::Stored(stored) => &stored.values,
            Work::Block { .. } | Work::Command(_) => &[],
        }
    }

    /// The command, without what procpool adds to its environment.
    pub(crate) fn command(&self, place: Place<'_>) -> Command {
        match self {
            Work::Values { template, terms, values } => {
                terms.apply(template.render(values.as_slice(), place))
            }
            Work::Block { template, terms, block } => {
                terms.apply(template.render(&[], place)).stdin(Stdin::Bytes(Arc::clone(block)))
            }
            Work::Command(command) => command.clone(),
            Work::Stored(stored) => in_slot(&stored.command, place.slot),
        }
    }

    /// Its record says that it ended then.
    pub(crate) fn note_end(&self, ended: Option<SystemTime>) {
        if let (Work::Stored(stored), Some(ended)) = (self, ended) {
            stored.ended.set(ended);
        }
    }

    /// When its last attempt ended, where that was recorded.
    pub(crate) fn ended(&self) -> Option<SystemTime> {
        match self {
            Work::Stored(stored) => *stored.ended.lock(),
            Work::Values { .. } | Work::Block { .. } | Work::Command(_) => None,
        }
    }

    /// Whether the command alone does the same again. What was on procpool's standard input is gone.
    pub(crate) fn is_in_command(&self) -> bool {
        match self {
            Work::Values { .. } | Work::Command(_) => true,
            Work::Stored(stored) => stored.input == Input::InCommand,
            Work::Block { .. } => false,
        }
    }
}

/// The command with the slot in the place of its marks.
fn in_slot(command: &Command, slot: usize) -> Command {
    let is_marked = |argument: &OsString| argument.as_bytes().contains(&SLOT_MARK);
    if slot == SLOT_NOT_KNOWN || !command.arguments().iter().any(is_marked) {
        return command.clone();
    }
    let slot = slot.to_string();
    let arguments = command.arguments().iter().map(|argument| {
        let pieces: Vec<&[u8]> = argument.as_bytes().split(|byte| *byte == SLOT_MARK).collect();
        OsString::from_vec(pieces.join(slot.as_bytes()))
    });
    let mut own = Command::new(command.program()).args(arguments).stdin(command.standard_input().clone());
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

/// The command of a job as it would be with this number, in the first slot.
pub(crate) fn command_of(job: &Job<Work>, seq: u64) -> Command {
    job.work.command(Place { key: job.key.as_os_str(), seq, slot: 1 })
}

/// The command that a job ran; where its turn never came, as [`command_of`].
pub(crate) fn command_run(completion: &Completion<Work>) -> Command {
    let slot = completion.slot.map_or(1, Slot::get);
    let key = completion.job.key.as_os_str();
    completion.job.work.command(Place { key, seq: completion.seq.get(), slot })
}
