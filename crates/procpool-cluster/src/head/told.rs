//! Which reasons to wait people have been told: each once, until it is another.
//! Knows nothing of when elements are looked at.

use std::mem;

use crate::engine::Wait;
use crate::head::array::Group;

/// What was told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    told: Vec<Wait>,
    /// What elements waited for when they were looked at last.
    before: Vec<Wait>,
}

/// Which reasons are worth a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Worth {
    /// All: nothing has moved for a while.
    Any,
    /// Those that somebody has to do something about.
    Remedy,
}

impl Told {
    /// What is to be told of these.
    pub(crate) fn news(&mut self, groups: Vec<Group>, worth: Worth) -> Vec<Group> {
        // One that was remedied is told again where it comes back; others come and go all the time.
        self.told.retain(|told| told.remedy.is_none() || groups.iter().any(|group| group.wait == *told));
        let now = groups.iter().map(|group| group.wait.clone()).collect();
        // Nodes that come back with their controller are away for a moment.
        let before = mem::replace(&mut self.before, now);
        let mut news = groups;
        news.retain(|group| worth == Worth::Any || group.wait.remedy.is_some());
        news.retain(|group| before.contains(&group.wait) && !self.told.contains(&group.wait));
        self.told.extend(news.iter().map(|group| group.wait.clone()));
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Remedy;

    fn news(told: &mut Told, reasons: &[&str], worth: Worth) -> usize {
        let group = |reason: &&str| {
            let remedy =
                reason.contains("Held").then(|| Remedy::Command(format!("release what is {reason}")));
            Group { wait: Wait { reason: (*reason).into(), remedy }, elements: 1 }
        };
        told.news(reasons.iter().map(group).collect(), worth).len()
    }

    #[test]
    fn what_has_gone_by_the_next_look_is_not_told() {
        let mut told = Told::default();
        for reasons in [["Held by a"], ["Held by b"], ["Held by a"]] {
            assert_eq!(news(&mut told, &reasons, Worth::Remedy), 0);
        }
        assert_eq!(news(&mut told, &["Held by a"], Worth::Remedy), 1);
    }

    #[test]
    fn reasons_that_take_turns_are_told_once_each() {
        let mut told = Told::default();
        let lines: usize = (0..20)
            .map(|look| {
                news(&mut told, if look % 4 < 2 { &["Resources"] } else { &["Priority"] }, Worth::Any)
            })
            .sum();
        assert_eq!(lines, 2);
    }
}
