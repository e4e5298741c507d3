//! Finds a program as execvp(3) would, once for many jobs.
//! Knows nothing of starting it.

use std::collections::HashMap;
use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use crate::sys;

/// Programs that were found already, by the name under which they were asked for.
///
/// The standard library's fast way to start a process wants a path: given a bare name and a changed PATH it
/// forks instead, 13 times slower under a large parent. And one search for many jobs is cheaper than one each.
#[derive(Default)]
pub(crate) struct Programs {
    found: RwLock<HashMap<OsString, Arc<Path>>>,
}

/// A list of commands with a program each would otherwise be held here whole.
const MOST_REMEMBERED: usize = 256;

/// What execvp(3) searches where there is no PATH: confstr(3) `_CS_PATH`.
const DEFAULT_PATH: &str = "/bin:/usr/bin";

impl Programs {
    /// The path of `program`, looked up in the caller's PATH or, where the job has another, in `job_path`.
    pub(crate) fn find(&self, program: &OsStr, job_path: Option<&OsStr>) -> io::Result<Arc<Path>> {
        if program.as_bytes().contains(&b'/') {
            return Ok(Path::new(program).into());
        }
        if let Some(path) = job_path {
            return search(program, path).map(Into::into);
        }
        if let Some(found) = self.found.read().unwrap_or_else(PoisonError::into_inner).get(program) {
            return Ok(Arc::clone(found));
        }
        let path = env::var_os("PATH").unwrap_or_else(|| DEFAULT_PATH.into());
        let found: Arc<Path> = search(program, &path)?.into();
        let mut remembered = self.found.write().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= MOST_REMEMBERED {
            remembered.clear();
        }
        remembered.insert(program.to_owned(), Arc::clone(&found));
        Ok(found)
    }

    /// The program was not where it was found earlier: look again next time.
    pub(crate) fn forget(&self, program: &OsStr) {
        self.found.write().unwrap_or_else(PoisonError::into_inner).remove(program);
    }
}

/// The first file of that name in a directory of `path` that may be executed. Where there are only others,
/// the error is that of execvp(3): permission denied, not "not found".
fn search(program: &OsStr, path: &OsStr) -> io::Result<PathBuf> {
    let mut error = io::ErrorKind::NotFound;
    if !program.is_empty() {
        for directory in env::split_paths(path) {
            // An empty entry means the working directory, and a relative one is relative to it: to ours, not
            // to that of a job that runs elsewhere.
            let candidate = std::path::absolute(directory.join(program))?;
            if !candidate.is_file() {
                continue;
            }
            if sys::may_execute(&candidate) {
                return Ok(candidate);
            }
            error = io::ErrorKind::PermissionDenied;
        }
    }
    Err(os_error(error))
}

/// The error as the system would have given it, so that it reads like all others.
fn os_error(kind: io::ErrorKind) -> io::Error {
    io::Error::from_raw_os_error(match kind {
        io::ErrorKind::PermissionDenied => libc::EACCES,
        _ => libc::ENOENT,
    })
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

    #[test]
    fn the_first_that_can_be_executed_wins() {
        let (plain, first, second) =
            (directory_with("tool", 0o644), directory_with("tool", 0o755), directory_with("tool", 0o755));
        let found = search("tool".as_ref(), &path_of(&[&plain, &first, &second])).unwrap();
        assert_eq!(found, first.path().join("tool"));
    }

    #[test]
    fn a_file_that_can_not_be_executed_is_denied_and_not_missing() {
        let plain = directory_with("tool", 0o644);
        let error = |program: &str| search(program.as_ref(), &path_of(&[&plain])).unwrap_err().kind();
        assert_eq!(error("tool"), io::ErrorKind::PermissionDenied);
        assert_eq!(error("other"), io::ErrorKind::NotFound);
        assert_eq!(error(""), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_path_with_a_slash_is_taken_as_it_is() {
        let found = Programs::default().find("./tool".as_ref(), None).unwrap();
        assert_eq!(*found, *Path::new("./tool"));
    }

    #[test]
    fn not_more_than_a_few_programs_are_remembered() {
        let programs = Programs::default();
        let names: HashMap<OsString, Arc<Path>> =
            (0..MOST_REMEMBERED).map(|n| (n.to_string().into(), Path::new("/x").into())).collect();
        *programs.found.write().unwrap() = names;
        programs.find("sh".as_ref(), None).unwrap();
        assert_eq!(programs.found.read().unwrap().len(), 1);
    }
}
