//! By what the processes of a job are known: a variable in their environment.
//! A job can clear it; what has done so is found by other means, or ended with the run.

use std::ffi::{OsStr, OsString};

use crate::os::proc;

/// What tells the processes of one attempt of a job from all others: a variable of their environment that says
/// within which job of which run they are, and within which that was started itself, outermost first.
pub struct JobMark {
    /// `RUN:SEQ:ATTEMPT`.
    pub job: String,
}

/// The variable.
pub const MARK_VARIABLE: &str = "PROCPOOL_WITHIN";

/// What can be told of a process that may belong to a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Membership {
    Yes,
    No,
    /// It has no environment at this moment: it is dying, and its children are not yet ours, or it is just
    /// becoming another program.
    Unknown,
}

impl JobMark {
    /// The variable's value for a job of a procpool that runs within others.
    pub fn within(&self, others: &OsStr) -> OsString {
        let mut value = others.to_owned();
        if !value.is_empty() {
            value.push(" ");
        }
        value.push(&self.job);
        value
    }

    pub fn is_on(&self, pid: u32) -> Membership {
        match proc::environment(pid) {
            Ok(environment) if self.is_in(&environment) => Membership::Yes,
            // Of one that has no memory any more there is nothing to open (ESRCH).
            _ if is_changing(pid) => Membership::Unknown,
            // Another user's can't be read, and can't be killed either.
            _ => Membership::No,
        }
    }

    fn is_in(&self, environment: &[u8]) -> bool {
        let value = |variable| <[u8]>::strip_prefix(variable, MARK_VARIABLE.as_bytes())?.strip_prefix(b"=");
        let marks = environment.split(|byte| *byte == 0).find_map(value).unwrap_or_default();
        marks.split(|byte| *byte == b' ').any(|mark| mark == self.job.as_bytes())
    }
}

/// Whether a process has no place for an environment.
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
