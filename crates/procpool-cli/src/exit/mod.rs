//! The exit statuses of procpool, and the messages that go with them.

pub(crate) mod scale;

use crate::os::{sys, ulimits};
use crate::terminal::{screen, shown};
use std::io;
use std::process;

use signal_hook::consts::SIGXCPU;

/// How procpool ends, from best to worst. If several apply, the worst counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ExitStatus {
    /// 0: every job ran and succeeded, and every byte of its output was delivered. Also: there were no jobs.
    Success,
    /// 1: at least one job failed.
    JobsFailed,
    /// 2: bad usage or bad input. Jobs that were started before it was noticed have been finished and reported.
    BadInput,
    /// 3: procpool could not do its own work, or jobs were left unrun.
    OwnFailure,
    /// A number by `--exit-code`.
    Scaled(u8),
    /// Dies by this signal, after all jobs have ended; by SIGPIPE if the reader of the output is gone.
    Signal(i32),
}

impl ExitStatus {
    /// The end of a run that was ended by this signal. XCPU, for used up processor time, was not sent by a
    /// user.
    pub(crate) fn after(signal: i32) -> ExitStatus {
        if signal == SIGXCPU { ExitStatus::OwnFailure } else { ExitStatus::Signal(signal) }
    }

    /// Ends the process.
    pub(crate) fn exit(self) -> ! {
        screen::say_what_waits();
        self.exit_silently()
    }

    /// The same without writing pending messages: procpool may be ending because standard error blocks.
    pub(crate) fn exit_silently(self) -> ! {
        if let ExitStatus::Signal(signal) = self {
            // The parent must see the signal and not an exit code, or a shell would go on with its loop.
            sys::take_default_action(signal);
            // Only reached by the init of a container, which no signal ends.
        }
        process::exit(self.number())
    }

    /// As a shell shows it in `$?`.
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

/// Reports an error in the options or in the input.
pub(crate) fn bad_input(error: &anyhow::Error) -> ExitStatus {
    say(error);
    ExitStatus::BadInput
}

/// Reports why the run can't begin. That is bad input, unless a disk is full or a limit of this process is
/// reached.
pub(crate) fn refused(error: &anyhow::Error) -> ExitStatus {
    let is_for_want_of_room =
        |error: &io::Error| matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    let has_no_room = error.chain().filter_map(|cause| cause.downcast_ref()).any(is_for_want_of_room);
    if has_no_room || !ulimits::reached(error).are_none() { own_failure(error) } else { bad_input(error) }
}

/// Reports what procpool could not do.
pub(crate) fn own_failure(error: &anyhow::Error) -> ExitStatus {
    say(error);
    ExitStatus::OwnFailure
}

/// Warns that procpool goes on as a single process.
pub(crate) fn unguarded(error: &anyhow::Error) {
    let consequence = "what a job leaves behind, after a `kill -9` above all, may outlive procpool";
    let error = format!("{}{}", shown::error(error), ulimits::reached(error));
    screen::say(&format!("procpool: no guardian: {error}; {consequence}\n"));
}

/// Warns which promises can't be kept in this environment.
pub(crate) fn weaker(promises: &[&str]) {
    for promise in promises {
        screen::say(&format!("procpool: {promise}\n"));
    }
}

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
