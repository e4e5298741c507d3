//! The environment that a job is started with: the caller's, with the job's own changes.
//! Knows nothing of which variables there are or what they mean.

use std::env;
use std::ffi::{CStr, CString, OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::command::{Environment, EnvironmentBase};

/// The caller's environment as it was when this was made, ready for any number of starts: to read it again for
/// each job, with its lock and a copy of every variable, costs more than all the rest of a start's preparation.
pub(crate) struct Inherited {
    variables: Vec<Variable>,
}

struct Variable {
    name: OsString,
    /// `NAME=VALUE`.
    entry: CString,
}

/// The variables that a job sets itself. They have to live until it has started.
pub(crate) struct Own<'a> {
    environment: &'a Environment,
    entries: Vec<CString>,
}

impl Inherited {
    pub(crate) fn take() -> Inherited {
        let variables = env::vars_os().filter_map(|(name, value)| {
            // The system's own strings: none has a NUL.
            entry(&name, &value).ok().map(|entry| Variable { name, entry })
        });
        Inherited { variables: variables.collect() }
    }

    /// What the job is started with: `NAME=VALUE` each.
    pub(crate) fn changed_by<'a>(&'a self, own: &'a Own<'_>) -> Vec<&'a CStr> {
        let environment = own.environment;
        let inherited = match environment.base {
            EnvironmentBase::Inherited => self.variables.as_slice(),
            EnvironmentBase::Empty => &[],
        };
        let changed = |name: &OsStr| environment.changes.iter().any(|(changed, _)| changed == name);
        let kept = inherited.iter().filter(|variable| !changed(&variable.name));
        kept.map(|variable| variable.entry.as_c_str())
            .chain(own.entries.iter().map(CString::as_c_str))
            .collect()
    }
}

impl Own<'_> {
    /// # Errors
    /// Where a name or a value has a NUL byte.
    pub(crate) fn of(environment: &Environment) -> io::Result<Own<'_>> {
        let changes = &environment.changes;
        // Of several changes of a variable the last one counts.
        let last = changes
            .iter()
            .enumerate()
            .filter(|(place, (name, _))| !changes[place + 1..].iter().any(|(later, _)| later == name));
        let set = last.filter_map(|(_, (name, value))| value.as_ref().map(|value| entry(name, value)));
        Ok(Own { environment, entries: set.collect::<io::Result<_>>()? })
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
            variables: [("A", "1"), ("B", "2")]
                .map(|(name, value)| Variable {
                    name: name.into(),
                    entry: entry(name.as_ref(), value.as_ref()).unwrap(),
                })
                .into(),
        };
        let own = Own::of(command.environment()).unwrap();
        inherited.changed_by(&own).iter().map(|entry| entry.to_string_lossy().into_owned()).collect()
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
        assert_eq!(Own::of(command.environment()).err().unwrap().kind(), io::ErrorKind::InvalidInput);
    }
}
