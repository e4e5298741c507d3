//! How procpool ends.
//! Knows nothing of what led there, only which ends there are and what they promise.

pub(crate) mod scale;

use crate::os::{sys, ulimits};
use crate::terminal::{screen, shown};
use std::io;
use std::process;

use signal_hook::consts::SIGXCPU;

/// The end of procpool, from best to worst: of two that apply, the later one counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ExitStatus {
    /// 0: every job ran and succeeded, and every byte of its output was delivered. Also: there were no jobs.
    Success,
    /// 1: at least one job failed.
    JobsFailed,
    /// 2: bad usage or bad input. What was started before that was seen has been finished and reported.
    BadInput,
    /// 3: procpool could not do its own work, or jobs were left unrun.
    OwnFailure,
    /// With this number, by a scale that was asked for.
    Scaled(u8),
    /// Died by this signal, after the jobs were ended; by SIGPIPE where nobody reads the output any more.
    Signal(i32),
}

impl ExitStatus {
    /// The end after a signal that has ended the run. That of a used up limit of processor time is no wish of anybody's.
    pub(crate) fn after(signal: i32) -> ExitStatus {
        if signal == SIGXCPU { ExitStatus::OwnFailure } else { ExitStatus::Signal(signal) }
    }

    /// Ends the process this way.
    pub(crate) fn exit(self) -> ! {
        screen::say_what_waits();
        self.exit_silently()
    }

    /// The same without another word: that it can't be said may be what procpool is ended for.
    pub(crate) fn exit_silently(self) -> ! {
        if let ExitStatus::Signal(signal) = self {
            // A parent must see the signal and no exit code: a shell goes on with its loop else.
            sys::take_default_action(signal);
            // Not reached, unless as the first process of a container, which no signal ends.
        }
        process::exit(self.number())
    }

    /// As a shell has it in `$?`.
    pub(crate) fn number(self) -> i32 {
        match self {
            ExitStatus::Success => 0,
            ExitStatus::JobsFailed => 1,
            ExitStatus::BadInput => 2,
            ExitStatus::OwnFailure => 3,
            ExitStatus::Scaled(number) => number.into(),
            ExitStatus::Signal(signal) => 128 + signal,
        }
    }
}

/// Says what is wrong with what was typed or read.
pub(crate) fn bad_input(error: &anyhow::Error) -> ExitStatus {
    say(error);
    ExitStatus::BadInput
}

/// Says why nothing can begin: what was typed or read is at fault, unless it is that a disk has no room, or that a limit
/// of this process is reached.
pub(crate) fn refused(error: &anyhow::Error) -> ExitStatus {
    let is_for_want_of_room =
        |error: &io::Error| matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    let has_no_room = error.chain().filter_map(|cause| cause.downcast_ref()).any(is_for_want_of_room);
    if has_no_room || !ulimits::reached(error).are_none() { own_failure(error) } else { bad_input(error) }
}

/// Says what procpool could not do.
pub(crate) fn own_failure(error: &anyhow::Error) -> ExitStatus {
    say(error);
    ExitStatus::OwnFailure
}

/// Says that procpool goes on as a single process. It does its work all the same.
pub(crate) fn unguarded(error: &anyhow::Error) {
    let consequence = "what a job leaves behind, after a `kill -9` above all, may outlive procpool";
    let error = format!("{}{}", shown::error(error), ulimits::reached(error));
    screen::say(&format!("procpool: no guardian: {error}; {consequence}\n"));
}

/// Says what these surroundings don't allow.
pub(crate) fn weaker(promises: &[&str]) {
    for promise in promises {
        screen::say(&format!("procpool: {promise}\n"));
    }
}

/// Where nobody can read it the exit status still tells.
fn say(error: &anyhow::Error) {
    screen::say(&format!("procpool: {}{}\n", shown::error(error), ulimits::reached(error)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_without_room_is_no_fault_of_who_typed() {
        let refused = |error: i32| {
            refused(&anyhow::Error::from(io::Error::from_raw_os_error(error)).context("--journal \"J\""))
        };
        assert_eq!(refused(28), ExitStatus::OwnFailure);
        assert_eq!(refused(13), ExitStatus::BadInput);
    }

    #[test]
    fn of_two_ends_the_graver_counts() {
        let ends = [
            ExitStatus::JobsFailed,
            ExitStatus::Signal(2),
            ExitStatus::BadInput,
            ExitStatus::Success,
            ExitStatus::OwnFailure,
        ];
        assert_eq!(ends.into_iter().max(), Some(ExitStatus::Signal(2)));
        assert_eq!(
            ends.into_iter().filter(|end| *end < ExitStatus::BadInput).max(),
            Some(ExitStatus::JobsFailed)
        );
    }
}
