//! The environment variable that marks all processes of a job, so that they are found again after a kill.
//! A job can clear it; such processes are found by their parents, or killed with the run.

use std::ffi::{OsStr, OsString};

use crate::os::proc;

/// The mark of one attempt of a job. Marks nest: a procpool that runs within a job adds its own behind the
/// outer one, so the value of the variable lists them from the outermost on.
pub struct JobMark {
    /// `RUN:SEQ:ATTEMPT`.
    pub job: String,
}

/// The name of the variable.
pub const MARK_VARIABLE: &str = "PROCPOOL_WITHIN";

/// Whether a process belongs to a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Membership {
    /// It has the mark.
    Yes,
    /// It hasn't.
    No,
    /// It has no environment at this moment: it is in the middle of execve(2), or it is exiting and its
    /// children haven't been reparented yet.
    Unknown,
}

impl JobMark {
    /// The value of the variable for this job, where procpool's own environment has `others`.
    #[must_use]
    pub fn within(&self, others: &OsStr) -> OsString {
        let mut value = others.to_owned();
        if !value.is_empty() {
            value.push(" ");
        }
        value.push(&self.job);
        value
    }

    /// Whether a process has this mark.
    #[must_use]
    pub fn is_on(&self, pid: u32) -> Membership {
        match proc::environment(pid) {
            Ok(environment) if self.is_in(&environment) => Membership::Yes,
            // The file of a process without memory can't be opened (ESRCH).
            _ if is_changing(pid) => Membership::Unknown,
            // That of another user can't be read, but it can't be killed either.
            _ => Membership::No,
        }
    }

    fn is_in(&self, environment: &[u8]) -> bool {
        let value = |variable| <[u8]>::strip_prefix(variable, MARK_VARIABLE.as_bytes())?.strip_prefix(b"=");
        let marks = environment.split(|byte| *byte == 0).find_map(value).unwrap_or_default();
        marks.split(|byte| *byte == b' ').any(|mark| mark == self.job.as_bytes())
    }
}

/// Whether a process has no memory for an environment now.
fn is_changing(pid: u32) -> bool {
    proc::stat(pid).is_some_and(|stat| !stat.has_ended && !stat.has_environment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_found_on_any_level_and_only_whole() {
        let mark = JobMark { job: "r:1:1".into() };
        let is_in = |environment: &str| mark.is_in(environment.as_bytes());
        assert!(is_in("A=1\0PROCPOOL_WITHIN=r:1:1\0B=2\0"));
        assert!(is_in("PROCPOOL_WITHIN=q:7:1 r:1:1 s:3:2"));
        assert!(!is_in("PROCPOOL_WITHIN=r:1:12\0"));
        assert!(!is_in("PROCPOOL_WITHIN=\0OTHER=r:1:1\0"));
        assert!(!is_in(""));
    }
}
