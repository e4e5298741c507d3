//! The space for a job's arguments: the limit of execve(2), less the environment.

use std::env;
use std::ffi::{OsStr, OsString};

use rustix::process::{Resource, getrlimit};

/// The kernel refuses longer strings, the final NUL included, in any case (`MAX_ARG_STRLEN`).
const LONGEST_STRING: usize = 128 * 1024;

/// The kernel allows a quarter of the stack limit, within these bounds (`bprm_stack_limits`).
const LEAST: u64 = 128 * 1024;
const MOST: u64 = 6 * 1024 * 1024;

/// Reserved for the variables that procpool adds, the path of the program, and that of its interpreter.
const KEPT_FREE: usize = 16 * 1024;

/// The space for the arguments of a job that inherits procpool's environment.
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

/// What a string of this length takes: itself, a NUL and a pointer. More than there is, if the kernel refuses
/// it.
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
