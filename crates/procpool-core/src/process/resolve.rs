//! Where a program may be, as execvp(3) has it, and where it was found once for many jobs.
//! No file is looked at here.

use std::collections::HashMap;
use std::env;
use std::ffi::{CStr, CString, OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::sync::{PoisonError, RwLock};

use crate::process::environment::c_string;
use crate::sys::Program;

/// Programs that were found already, by the name under which they were asked for.
///
/// To start a process takes a path, and one search for many jobs is cheaper than one each. The search itself is a part of the
/// start: a directory of PATH may lie on a file server that doesn't answer.
#[derive(Default)]
pub(crate) struct ProgramCache {
    found: RwLock<HashMap<OsString, CString>>,
}

/// A list of commands with a program each would otherwise be held here whole.
const MOST_REMEMBERED: usize = 256;

/// What execvp(3) searches where there is no PATH: confstr(3) `_CS_PATH`.
const DEFAULT_PATH: &str = "/bin:/usr/bin";

impl ProgramCache {
    /// Where `program` is or may be: in the caller's PATH or, where the job has another, in `job_path`.
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

    /// The program was found there, in the caller's PATH.
    pub(crate) fn remember(&self, program: &OsStr, path: &CStr) {
        let mut found = self.found.write().unwrap_or_else(PoisonError::into_inner);
        if found.len() >= MOST_REMEMBERED {
            found.clear();
        }
        found.insert(program.to_owned(), path.to_owned());
    }

    /// The program was not where it was found earlier: look again next time.
    pub(crate) fn forget(&self, program: &OsStr) {
        self.found.write().unwrap_or_else(PoisonError::into_inner).remove(program);
    }
}

/// Each place where the program would be found.
fn candidates(program: &OsStr, path: &OsStr) -> io::Result<Program> {
    if program.is_empty() {
        return Ok(Program::FirstOf(Vec::new()));
    }
    // An empty entry means the working directory, and a relative one is relative to it: to ours, not to that of a job
    // that runs elsewhere.
    let places = env::split_paths(path).map(|directory| std::path::absolute(directory.join(program)));
    let paths = places.map(|place| c_string(place?.into_os_string()));
    Ok(Program::FirstOf(paths.collect::<io::Result<_>>()?))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

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
