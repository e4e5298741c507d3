//! The environment that a job is started with: the caller's, with the job's own changes.
//! Knows nothing of which variables there are or what they mean.

use std::env;
use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::sync::Arc;

use crate::data::command::{Environment, EnvironmentBase};
use crate::sys::EnvironmentStrings;

/// The caller's environment as it was when this was made, ready for any number of starts: to read it again for
/// each job, with its lock and a copy of every variable, costs more than all the rest of a start's preparation.
pub(crate) struct Inherited {
    names: Vec<OsString>,
    /// `NAME=VALUE`, of each of them.
    entries: Arc<[CString]>,
}

impl Inherited {
    pub(crate) fn take() -> Inherited {
        // The system's own strings: none has a NUL.
        let variables = env::vars_os().filter_map(|(name, value)| Some((entry(&name, &value).ok()?, name)));
        let (entries, names): (Vec<_>, _) = variables.unzip();
        Inherited { names, entries: entries.into() }
    }

    /// What a job is started with.
    ///
    /// # Errors
    /// Where a name or a value has a NUL byte.
    pub(crate) fn changed_by(&self, environment: &Environment) -> io::Result<EnvironmentStrings> {
        let changes = &environment.changes;
        let is_changed = |name: &OsStr| changes.iter().any(|(other, _)| other == name);
        let kept = match environment.base {
            EnvironmentBase::Inherited => {
                let names = self.names.iter().enumerate();
                names.filter(|(_, name)| !is_changed(name)).map(|(place, _)| place).collect()
            }
            EnvironmentBase::Empty => Vec::new(),
        };
        // Of several changes of a variable the last one counts.
        let last = changes
            .iter()
            .enumerate()
            .filter(|(place, (name, _))| !changes[place + 1..].iter().any(|(later, _)| later == name));
        let set = last.filter_map(|(_, (name, value))| value.as_ref().map(|value| entry(name, value)));
        Ok(EnvironmentStrings {
            common: Arc::clone(&self.entries),
            kept,
            own: set.collect::<io::Result<_>>()?,
        })
    }
}

fn entry(name: &OsStr, value: &OsStr) -> io::Result<CString> {
    let mut entry = Vec::with_capacity(name.len() + value.len() + 2);
    entry.extend(name.as_bytes());
    entry.push(b'=');
    entry.extend(value.as_bytes());
    c_string(OsString::from_vec(entry))
}

/// A string as the system takes it.
///
/// # Errors
/// Where it has a NUL byte, which would end it.
pub(crate) fn c_string(string: OsString) -> io::Result<CString> {
    CString::new(string.into_vec()).map_err(io::Error::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Command;

    fn environment_of(command: &Command) -> Vec<String> {
        let inherited = Inherited {
            names: vec!["A".into(), "B".into()],
            entries: Arc::new([c"A=1".into(), c"B=2".into()]),
        };
        let variables = inherited.changed_by(command.environment()).unwrap();
        variables.iter().map(|entry| entry.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_job_has_the_callers_environment_with_its_own_changes() {
        let plain = Command::new("x");
        assert_eq!(environment_of(&plain), ["A=1", "B=2"]);
        assert_eq!(environment_of(&plain.clone().env("B", "3").env("C", "")), ["A=1", "B=3", "C="]);
        assert_eq!(environment_of(&plain.clone().env_remove("A")), ["B=2"]);
        assert_eq!(environment_of(&plain.env("A", "0").env_clear().env("C", "4")), ["C=4"]);
    }

    #[test]
    fn of_two_changes_of_a_variable_the_last_one_counts() {
        let command = Command::new("x");
        assert_eq!(environment_of(&command.clone().env("A", "5").env("A", "6")), ["B=2", "A=6"]);
        assert_eq!(environment_of(&command.clone().env("A", "5").env_remove("A")), ["B=2"]);
        assert_eq!(environment_of(&command.env_remove("A").env("A", "7")), ["B=2", "A=7"]);
    }

    #[test]
    fn a_nul_byte_is_refused() {
        let command = Command::new("x").env("A", "1\0B=2");
        let refused = Inherited::take().changed_by(command.environment()).err().unwrap();
        assert_eq!(refused.kind(), io::ErrorKind::InvalidInput);
    }
}
