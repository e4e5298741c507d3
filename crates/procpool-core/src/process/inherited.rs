//! What jobs take from this process: its environment and its PATH. Both are read once and used for many starts.

use std::collections::HashMap;
use std::ffi::{CStr, CString, OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::sync::{Arc, PoisonError, RwLock};
use std::{env, io};

use crate::data::command::{Environment, EnvironmentBase};
use crate::sys::{EnvironmentStrings, Program};

/// The caller's environment when this was created. Reading it again for each job, with its lock and a copy of every
/// variable, costs more than all other preparations of a start.
pub(crate) struct Inherited {
    names: Vec<OsString>,
    /// `NAME=VALUE` for each name.
    entries: Arc<[CString]>,
}

impl Inherited {
    pub(crate) fn take() -> Inherited {
        // These strings come from the system, so they contain no NUL.
        let variables = env::vars_os().filter_map(|(name, value)| Some((entry(&name, &value).ok()?, name)));
        let (entries, names): (Vec<_>, _) = variables.unzip();
        Inherited { names, entries: entries.into() }
    }

    /// The environment strings of a job.
    ///
    /// # Errors
    /// If a name or a value contains a NUL byte.
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
        // The last change of a variable wins.
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

/// Converts a string for a system call.
///
/// # Errors
/// If it contains a NUL byte.
pub(crate) fn c_string(string: OsString) -> io::Result<CString> {
    CString::new(string.into_vec()).map_err(io::Error::from)
}

/// Paths of programs that were found before, by the name that was looked up.
///
/// A start needs a path, and one lookup for many jobs is cheaper than one for each. The lookup itself happens in the
/// child: a directory of PATH may be on a file server that doesn't answer.
#[derive(Default)]
pub(crate) struct ProgramCache {
    found: RwLock<HashMap<OsString, CString>>,
}

/// Bounds the cache for a list of commands with a different program each.
const MOST_REMEMBERED: usize = 256;

/// What execvp(3) searches if there is no PATH: confstr(3) `_CS_PATH`.
const DEFAULT_PATH: &str = "/bin:/usr/bin";

impl ProgramCache {
    /// Where `program` is or may be: in the caller's PATH, or in `job_path` if the job has another PATH.
    pub(crate) fn find(&self, program: &OsStr, job_path: Option<&OsStr>) -> io::Result<Program> {
        if program.as_bytes().contains(&b'/') {
            return c_string(program.to_owned()).map(Program::At);
        }
        if let Some(path) = job_path {
            return candidates(program, path);
        }
        if let Some(found) = self.found.read().unwrap_or_else(PoisonError::into_inner).get(program) {
            return Ok(Program::At(found.clone()));
        }
        candidates(program, &env::var_os("PATH").unwrap_or_else(|| DEFAULT_PATH.into()))
    }

    /// Records where a program was found in the caller's PATH.
    pub(crate) fn remember(&self, program: &OsStr, path: &CStr) {
        let mut found = self.found.write().unwrap_or_else(PoisonError::into_inner);
        if found.len() >= MOST_REMEMBERED {
            found.clear();
        }
        found.insert(program.to_owned(), path.to_owned());
    }

    /// Forgets a program that is no longer where it was found.
    pub(crate) fn forget(&self, program: &OsStr) {
        self.found.write().unwrap_or_else(PoisonError::into_inner).remove(program);
    }
}

/// All paths at which the program may be found.
fn candidates(program: &OsStr, path: &OsStr) -> io::Result<Program> {
    if program.is_empty() {
        return Ok(Program::FirstOf(Vec::new()));
    }
    // An empty entry means the working directory, and relative ones are relative to it: to ours, not to a job's
    // own working directory.
    let places = env::split_paths(path).map(|directory| std::path::absolute(directory.join(program)));
    let paths = places.map(|place| c_string(place?.into_os_string()));
    Ok(Program::FirstOf(paths.collect::<io::Result<_>>()?))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

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

    fn directory_with(name: &str, mode: u32) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(name);
        fs::write(&file, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        directory
    }

    fn path_of(directories: &[&tempfile::TempDir]) -> OsString {
        env::join_paths(directories.iter().map(|directory| directory.path())).unwrap()
    }

    fn search(program: &str, path: &OsStr) -> Result<CString, i32> {
        let program = candidates(program.as_ref(), path).unwrap();
        program.seek().map(|place| program.path(place).unwrap().to_owned())
    }

    #[test]
    fn the_first_that_can_be_executed_wins() {
        let (plain, first, second) =
            (directory_with("tool", 0o644), directory_with("tool", 0o755), directory_with("tool", 0o755));
        let found = search("tool", &path_of(&[&plain, &first, &second])).unwrap();
        assert_eq!(found, c_string(first.path().join("tool").into()).unwrap());
    }

    #[test]
    fn a_file_that_can_not_be_executed_is_denied_and_not_missing() {
        let plain = directory_with("tool", 0o644);
        let error = |program: &str| search(program, &path_of(&[&plain])).unwrap_err();
        assert_eq!(error("tool"), libc::EACCES);
        assert_eq!(error("other"), libc::ENOENT);
        assert_eq!(error(""), libc::ENOENT);
    }

    #[test]
    fn a_path_with_a_slash_is_taken_as_it_is() {
        let found = ProgramCache::default().find("./tool".as_ref(), None).unwrap();
        assert_eq!(found, Program::At(c"./tool".into()));
    }

    #[test]
    fn what_was_found_is_not_sought_again_until_it_is_forgotten() {
        let programs = ProgramCache::default();
        programs.remember("tool".as_ref(), c"/x/tool");
        assert_eq!(programs.find("tool".as_ref(), None).unwrap(), Program::At(c"/x/tool".into()));
        let own = programs.find("tool".as_ref(), Some("/y".as_ref())).unwrap();
        assert_eq!(own, Program::FirstOf(vec![c"/y/tool".into()]));
        programs.forget("tool".as_ref());
        assert!(matches!(programs.find("tool".as_ref(), None).unwrap(), Program::FirstOf(_)));
    }

    #[test]
    fn not_more_than_a_few_programs_are_remembered() {
        let programs = ProgramCache::default();
        for number in 0..=MOST_REMEMBERED {
            programs.remember(number.to_string().as_ref(), c"/x");
        }
        assert_eq!(programs.found.read().unwrap().len(), 1);
    }
}
