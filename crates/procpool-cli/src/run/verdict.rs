//! Which exit status a run ends with, and whether that needs a summary: pure functions of what happened.

use procpool_core::HaltRule;
use signal_hook::consts::SIGPIPE;

use crate::exit::ExitStatus;
use crate::exit::scale::{JobFailures, Scale};
use crate::input::{self, Earlier};
use crate::run::sink::Trouble;
use crate::run::tally::Tally;

/// Everything that the exit status follows from.
#[derive(Clone, Copy)]
pub(super) struct RunEnd<'a> {
    pub(super) tally: &'a Tally,
    pub(super) earlier: Earlier,
    /// The halt rule that was reached.
    pub(super) halt_rule: Option<HaltRule>,
    pub(super) bad_input: Option<&'a anyhow::Error>,
    pub(super) lost_output: Option<&'a anyhow::Error>,
    /// Why a sink is gone.
    pub(super) trouble: Option<&'a Trouble>,
    /// The first signal that ended the run.
    pub(super) signal: Option<i32>,
}

impl RunEnd<'_> {
    /// The exit status, in procpool's own numbers unless others were asked for.
    pub(super) fn exit_status(&self, scale: Option<Scale>) -> ExitStatus {
        let failures = JobFailures {
            count: self.tally.failed + self.tally.stopped + self.earlier.failed,
            largest: self.tally.largest_status.max(self.earlier.status),
        };
        let worst = self.worst();
        scale.map_or(worst, |scale| scale.apply(worst, failures))
    }

    /// The worst of all that applies.
    fn worst(&self) -> ExitStatus {
        let lacks_results = self.has_left_jobs() || self.tally.lost > 0 || self.lost_output.is_some();
        let of_sinks = self.trouble.map(|trouble| match trouble {
            Trouble::Failed(_) => ExitStatus::OwnFailure,
            Trouble::ReaderGone => ExitStatus::Signal(SIGPIPE),
        });
        let ends = [
            self.has_failed().then_some(ExitStatus::JobsFailed),
            self.bad_input.map(|_| ExitStatus::BadInput),
            lacks_results.then_some(ExitStatus::OwnFailure),
            of_sinks,
            self.signal.map(ExitStatus::after),
        ];
        ends.into_iter().flatten().max().unwrap_or(ExitStatus::Success)
    }

    /// A job that a halt rule has ended is no failure.
    fn has_failed(&self) -> bool {
        let has_stopped = self.tally.stopped > 0 && self.halt_rule.is_none();
        self.tally.failed + self.earlier.failed > 0 || has_stopped
    }

    /// Jobs that a halt rule leaves are left on purpose.
    fn has_left_jobs(&self) -> bool {
        let are_left = self.tally.has_unrun() && self.halt_rule.is_none();
        are_left || self.earlier.rest == input::Unread::Unknown
    }

    /// Whether a run that ends with this status has something to sum up, beyond what has been printed.
    ///
    /// A success has if a job leaked (later output of its descendant is missing), or if a halt rule ended or
    /// left jobs.
    pub(super) fn needs_summary(&self, status: ExitStatus) -> bool {
        match status {
            ExitStatus::Success => self.tally.leaked > 0 || self.tally.stopped > 0 || self.tally.has_unrun(),
            _ if matches!(self.trouble, Some(Trouble::ReaderGone)) => false,
            // A run that goes on elsewhere has neither.
            ExitStatus::Signal(_) => self.tally.jobs() > 0 || self.tally.has_unrun(),
            // The error has been printed, and nothing ran.
            _ => self.tally.jobs() > 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;
    use procpool_core::{HaltQuantity, HaltWhen, HaltWhy, Pending};
    use signal_hook::consts::{SIGINT, SIGXCPU};

    use super::*;

    fn end(tally: &Tally) -> RunEnd<'_> {
        RunEnd {
            tally,
            earlier: Earlier::default(),
            halt_rule: None,
            bad_input: None,
            lost_output: None,
            trouble: None,
            signal: None,
        }
    }

    fn status(tally: &Tally) -> ExitStatus {
        end(tally).exit_status(None)
    }

    fn succeeded() -> Tally {
        Tally { succeeded: 3, ..Tally::default() }
    }

    const RULE: HaltRule = HaltRule {
        when: HaltWhen::Now,
        why: HaltWhy::Fail,
        quantity: HaltQuantity::Number(1),
    };

    #[test]
    fn a_run_without_jobs_and_one_whose_jobs_all_succeeded_are_successes() {
        assert_eq!(status(&Tally::default()), ExitStatus::Success);
        assert_eq!(status(&succeeded()), ExitStatus::Success);
    }

    #[test]
    fn a_job_that_failed_now_or_earlier_makes_the_run_fail() {
        assert_eq!(status(&Tally { failed: 1, ..succeeded() }), ExitStatus::JobsFailed);
        let earlier = Earlier { failed: 1, ..Earlier::default() };
        assert_eq!(RunEnd { earlier, ..end(&succeeded()) }.exit_status(None), ExitStatus::JobsFailed);
    }

    #[test]
    fn jobs_that_were_stopped_or_left_count_unless_a_halt_rule_did_that() {
        let stopped = Tally { stopped: 1, ..succeeded() };
        let mut left = succeeded();
        left.note_rest(Pending::AtLeast(0));
        assert_eq!(status(&stopped), ExitStatus::JobsFailed);
        assert_eq!(status(&left), ExitStatus::OwnFailure);
        for tally in [&stopped, &left] {
            assert_eq!(RunEnd { halt_rule: Some(RULE), ..end(tally) }.exit_status(None), ExitStatus::Success);
        }
    }

    #[test]
    fn what_is_lost_or_not_known_is_a_failure_of_procpool_whatever_a_halt_rule_says() {
        let succeeded = succeeded();
        let lost = Tally { failed: 1, lost: 1, ..Tally::default() };
        assert_eq!(RunEnd { halt_rule: Some(RULE), ..end(&lost) }.exit_status(None), ExitStatus::OwnFailure);
        let earlier = Earlier { rest: input::Unread::Unknown, ..Earlier::default() };
        let unread = RunEnd { halt_rule: Some(RULE), earlier, ..end(&succeeded) };
        assert_eq!(unread.exit_status(None), ExitStatus::OwnFailure);
        let error = anyhow!("no space");
        let cut = RunEnd { lost_output: Some(&error), ..end(&succeeded) };
        assert_eq!(cut.exit_status(None), ExitStatus::OwnFailure);
    }

    #[test]
    fn the_worst_counts() {
        let failed = Tally { failed: 1, ..succeeded() };
        let error = anyhow!("line 3");
        let bad_input = RunEnd { bad_input: Some(&error), ..end(&failed) };
        assert_eq!(bad_input.exit_status(None), ExitStatus::BadInput);
        let full = Trouble::Failed(anyhow!("no space"));
        let full = RunEnd { trouble: Some(&full), ..bad_input };
        assert_eq!(full.exit_status(None), ExitStatus::OwnFailure);
        let interrupted = RunEnd { signal: Some(SIGINT), ..full };
        assert_eq!(interrupted.exit_status(None), ExitStatus::Signal(SIGINT));
    }

    #[test]
    fn a_closed_reader_ends_procpool_like_sigpipe_and_used_up_time_is_its_own_failure() {
        let succeeded = succeeded();
        let gone = RunEnd { trouble: Some(&Trouble::ReaderGone), ..end(&succeeded) };
        assert_eq!(gone.exit_status(None), ExitStatus::Signal(SIGPIPE));
        assert!(!gone.needs_summary(gone.exit_status(None)));
        let out_of_time = RunEnd { signal: Some(SIGXCPU), ..end(&succeeded) };
        assert_eq!(out_of_time.exit_status(None), ExitStatus::OwnFailure);
    }

    #[test]
    fn a_count_of_failures_includes_earlier_runs_and_jobs_that_were_stopped() {
        let tally = Tally { failed: 2, stopped: 1, largest_status: 3, ..succeeded() };
        let earlier = Earlier { failed: 4, status: 9, ..Earlier::default() };
        let end = RunEnd { earlier, ..end(&tally) };
        assert_eq!(end.exit_status(Some(Scale::Count)), ExitStatus::Scaled(7));
        assert_eq!(end.exit_status(Some(Scale::Max)), ExitStatus::Scaled(9));
    }

    #[test]
    fn a_success_needs_a_summary_only_if_something_leaked_or_was_left() {
        let needs = |tally: &Tally| end(tally).needs_summary(ExitStatus::Success);
        assert!(!needs(&succeeded()));
        assert!(needs(&Tally { leaked: 1, ..succeeded() }));
        assert!(needs(&Tally { stopped: 1, ..succeeded() }));
        assert!(!end(&Tally::default()).needs_summary(ExitStatus::BadInput));
    }
}
