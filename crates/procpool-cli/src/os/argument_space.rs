//! How much room a job has for its arguments: what execve(2) takes, without the environment.
//! Knows nothing of commands.

use std::env;
use std::ffi::{OsStr, OsString};

use rustix::process::{Resource, getrlimit};

/// A longer string, with the NUL at its end, is refused whatever else there is (`MAX_ARG_STRLEN`).
const LONGEST_STRING: usize = 128 * 1024;

/// The kernel takes a quarter of the stack, but between these (`bprm_stack_limits`).
const LEAST: u64 = 128 * 1024;
const MOST: u64 = 6 * 1024 * 1024;

/// Kept free for what procpool adds to the environment, the path of the program and of an interpreter that it names.
const KEPT_FREE: usize = 16 * 1024;

/// The room for the arguments of a job that has procpool's environment.
pub(crate) fn of_jobs() -> usize {
    let environment: usize = env::vars_os().map(|(name, value)| of_variable(&name, &value)).sum();
    left(getrlimit(Resource::Stack).current, environment)
}

fn left(stack: Option<u64>, environment: usize) -> usize {
    let all = (stack.unwrap_or(u64::MAX) / 4).clamp(LEAST, MOST);
    usize::try_from(all).unwrap_or(usize::MAX).saturating_sub(environment + KEPT_FREE)
}

fn of_variable(name: &OsStr, value: &OsString) -> usize {
    of_string(name.len() + 1 + value.len())
}

/// What a string of this length takes: itself, the NUL and a pointer. One that is too long takes more than there is.
pub(crate) fn of_string(length: usize) -> usize {
    if length < LONGEST_STRING { length + 1 + size_of::<*const u8>() } else { usize::MAX }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_of_the_stack_is_for_arguments_within_bounds() {
        assert_eq!(left(Some(8 << 20), 1000), (2 << 20) - 1000 - KEPT_FREE);
        assert_eq!(left(Some(1 << 30), 0), (6 << 20) - KEPT_FREE);
        assert_eq!(left(None, 0), (6 << 20) - KEPT_FREE);
        assert_eq!(left(Some(0), 0), (128 << 10) - KEPT_FREE);
        assert_eq!(left(Some(0), 1 << 20), 0);
    }

    #[test]
    fn a_string_that_no_command_can_have_takes_all_there_is() {
        assert_eq!(of_string(131_071), 131_080);
        assert_eq!(of_string(131_072), usize::MAX);
    }
}
