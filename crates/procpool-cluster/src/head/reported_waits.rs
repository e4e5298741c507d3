//! Which reasons for waiting were reported to the user. Each is reported once, until it changes.

use std::mem;

use crate::engine::Wait;
use crate::head::array::WaitGroup;

/// The reasons that were reported.
#[derive(Debug, Default)]
pub(crate) struct ReportedWaits {
    reported: Vec<Wait>,
    /// The reasons at the last poll.
    before: Vec<Wait>,
}

/// Which reasons are reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReportedKinds {
    /// All: nothing has moved for a while.
    All,
    /// Those that somebody has to do something about.
    WithRemedy,
}

impl ReportedWaits {
    /// Of these, the reasons to report now.
    pub(crate) fn news(&mut self, groups: Vec<WaitGroup>, kinds: ReportedKinds) -> Vec<WaitGroup> {
        // A reason that was resolved is reported again if it comes back; others come and go all the time.
        self.reported.retain(|reported| {
            reported.remedy.is_none() || groups.iter().any(|group| group.wait == *reported)
        });
        let now = groups.iter().map(|group| group.wait.clone()).collect();
        // Not at first sight: nodes that reconnect to their controller are away for a moment.
        let before = mem::replace(&mut self.before, now);
        let mut news = groups;
        news.retain(|group| kinds == ReportedKinds::All || group.wait.remedy.is_some());
        news.retain(|group| before.contains(&group.wait) && !self.reported.contains(&group.wait));
        self.reported.extend(news.iter().map(|group| group.wait.clone()));
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Remedy;

    fn news(reported: &mut ReportedWaits, reasons: &[&str], kinds: ReportedKinds) -> usize {
        let group = |reason: &&str| {
            let remedy =
                reason.contains("Held").then(|| Remedy::Command(format!("release what is {reason}")));
            WaitGroup { wait: Wait { reason: (*reason).into(), remedy }, elements: 1 }
        };
        reported.news(reasons.iter().map(group).collect(), kinds).len()
    }

    #[test]
    fn what_has_gone_by_the_next_look_is_not_told() {
        let mut reported = ReportedWaits::default();
        for reasons in [["Held by a"], ["Held by b"], ["Held by a"]] {
            assert_eq!(news(&mut reported, &reasons, ReportedKinds::WithRemedy), 0);
        }
        assert_eq!(news(&mut reported, &["Held by a"], ReportedKinds::WithRemedy), 1);
    }

    #[test]
    fn reasons_that_take_turns_are_told_once_each() {
        let mut reported = ReportedWaits::default();
        let lines: usize = (0..20)
            .map(|look| {
                news(
                    &mut reported,
                    if look % 4 < 2 { &["Resources"] } else { &["Priority"] },
                    ReportedKinds::All,
                )
            })
            .sum();
        assert_eq!(lines, 2);
    }
}
