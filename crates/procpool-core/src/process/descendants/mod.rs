//! The processes that a job's process has started, and those in turn, as far as the kernel tells of them.
//!
//! A signal to the job's process group doesn't reach who has left it, and a mark in the environment can be cleared: `su -`,
//! `sudo -i` and `env -i setsid` do both. What can't be denied is whose child a process is, as long as its parent
//! lives. So it is looked before a job is asked to end, and again until all are gone; who has become an orphan
//! meanwhile is known by the session or group that it shares with one that was seen.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::io;

use crate::sys::status::{ProcState, Stat};

/// What is asked about processes.
pub(crate) trait Kernel {
    /// `None` where there is no such process; an error where that is not known now.
    fn stat(&self, pid: i32) -> io::Result<Option<Stat>>;
    fn children(&self, pid: i32) -> Vec<i32>;
    /// Where orphans of a job may be found.
    fn candidates(&self, reach: SearchScope) -> Vec<i32>;
}

/// How far it is looked for orphans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SearchScope {
    /// Those that this process has adopted: a short list, and often empty.
    Adopted,
    /// All on this machine: where somebody is known to have left the job's group, or its process is gone.
    AllProcesses,
}

/// All that is known of them. The job's own process must not be reaped as long as this is asked: its number, its
/// session's and its group's are its own that long.
#[derive(Debug)]
pub(crate) struct Descendants {
    root: i32,
    /// Parents before children.
    members: Vec<Member>,
    /// The sessions and groups in which somebody was at the last look. Their numbers can't be anybody else's so soon.
    sessions_and_groups: BTreeSet<SessionOrGroup>,
    reach: SearchScope,
}

/// A process that lived at the last look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) pid: i32,
    pub(crate) started: u64,
    pub(crate) group: i32,
    session: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum SessionOrGroup {
    Session(i32),
    Group(i32),
}

impl Descendants {
    /// None so far, of the job's process with this number, which leads a session and a group.
    pub(crate) fn of(root: i32) -> Descendants {
        Descendants {
            root,
            members: Vec::new(),
            sessions_and_groups: [SessionOrGroup::Session(root), SessionOrGroup::Group(root)].into(),
            reach: SearchScope::Adopted,
        }
    }

    /// Those that lived at the last look, parents before children.
    pub(crate) fn members(&self) -> &[Member] {
        &self.members
    }

    /// Whether it is worth looking again soon.
    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// From now on all processes of the machine are looked at.
    pub(crate) fn scan_all_processes(&mut self) {
        self.reach = SearchScope::AllProcesses;
    }

    /// Looks who lives, and says who of them is new.
    pub(crate) fn scan(&mut self, kernel: &impl Kernel) -> Vec<Member> {
        self.members.retain_mut(|member| match kernel.stat(member.pid) {
            Ok(Some(stat)) => {
                let is_same = stat.started == member.started && stat.state != ProcState::Ended;
                if is_same {
                    // It may have gone to another since.
                    *member = Member::of(member.pid, &stat);
                }
                is_same
            }
            Ok(None) => false,
            Err(_) => true,
        });
        let known = self.members.len();
        for member in &self.members {
            self.sessions_and_groups.extend(member.sessions_and_groups());
        }
        let mut parents: Vec<i32> = self.members.iter().map(|member| member.pid).collect();
        parents.push(self.root);
        loop {
            self.follow(parents, kernel);
            parents = self.orphans(kernel);
            if parents.is_empty() {
                break;
            }
        }
        self.sessions_and_groups =
            [SessionOrGroup::Session(self.root), SessionOrGroup::Group(self.root)].into();
        self.sessions_and_groups.extend(self.members.iter().flat_map(Member::sessions_and_groups));
        if self.members.iter().any(|member| member.group != self.root) {
            self.reach = SearchScope::AllProcesses;
        }
        self.members[known..].to_vec()
    }

    /// Takes in the children of these, and theirs.
    fn follow(&mut self, mut parents: Vec<i32>, kernel: &impl Kernel) {
        while let Some(parent) = parents.pop() {
            let unknown = kernel.children(parent).into_iter().filter(|pid| !self.has(*pid));
            let children: Vec<(i32, Stat)> =
                unknown.filter_map(|pid| Some((pid, live_stat(pid, kernel)?))).collect();
            // Had its number become somebody else's while it was read, so would its children be.
            if children.is_empty() || !self.is_still(parent, kernel) {
                continue;
            }
            for (pid, stat) in children {
                // One that has just lost its parent may be anybody's by its number; it is among the orphans.
                if stat.parent == parent {
                    self.add(pid, &stat);
                    parents.push(pid);
                }
            }
        }
    }

    /// Takes in those that share a session or group with one that was seen, and gives their numbers.
    fn orphans(&mut self, kernel: &impl Kernel) -> Vec<i32> {
        let mut found = Vec::new();
        for pid in kernel.candidates(self.reach) {
            if self.has(pid) {
                continue;
            }
            let Some(stat) = live_stat(pid, kernel) else { continue };
            if Member::of(pid, &stat)
                .sessions_and_groups()
                .iter()
                .any(|circle| self.sessions_and_groups.contains(circle))
            {
                self.add(pid, &stat);
                found.push(pid);
            }
        }
        found
    }

    fn add(&mut self, pid: i32, stat: &Stat) {
        let member = Member::of(pid, stat);
        self.sessions_and_groups.extend(member.sessions_and_groups());
        self.members.push(member);
    }

    fn has(&self, pid: i32) -> bool {
        pid == self.root || self.members.iter().any(|member| member.pid == pid)
    }

    fn is_still(&self, pid: i32, kernel: &impl Kernel) -> bool {
        let member = self.members.iter().find(|member| member.pid == pid);
        member.is_none_or(|member| {
            kernel.stat(pid).is_ok_and(|stat| stat.is_some_and(|stat| stat.started == member.started))
        })
    }
}

impl Member {
    fn of(pid: i32, stat: &Stat) -> Member {
        Member {
            pid,
            started: stat.started,
            group: stat.group,
            session: stat.session,
        }
    }

    fn sessions_and_groups(&self) -> [SessionOrGroup; 2] {
        [SessionOrGroup::Session(self.session), SessionOrGroup::Group(self.group)]
    }
}

fn live_stat(pid: i32, kernel: &impl Kernel) -> Option<Stat> {
    kernel.stat(pid).ok().flatten().filter(|stat| stat.state != ProcState::Ended)
}
