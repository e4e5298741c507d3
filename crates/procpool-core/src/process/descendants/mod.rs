//! The processes that a job's process has started, directly or indirectly, as far as the kernel lists them.
//!
//! A signal to the job's process group doesn't reach processes that have left it, and a mark in the environment can be
//! cleared: `su -`, `sudo -i` and `env -i setsid` do both. What a process can't hide is its parent, as long as that lives. So
//! descendants are scanned before a job is asked to end, and again until all are gone. Processes that have become orphans
//! in the meantime are recognized by the session or group that they share with one that was seen.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::io;

use crate::sys::status::{ProcState, Stat};

/// The source of facts about processes; a table in tests.
pub(crate) trait Kernel {
    /// `None` if there is no such process; an error if that can't be determined now.
    fn stat(&self, pid: i32) -> io::Result<Option<Stat>>;
    fn children(&self, pid: i32) -> Vec<i32>;
    /// The processes among which orphans of a job may be.
    fn candidates(&self, reach: SearchScope) -> Vec<i32>;
}

/// Where orphans are searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SearchScope {
    /// Among the processes that this one has adopted: a short list, often empty.
    Adopted,
    /// Among all processes: once a process has left the job's group, or the job's process is gone.
    AllProcesses,
}

/// All known descendants. The job's own process must not be reaped while this is used: until then its pid, session
/// and group can't be reused.
#[derive(Debug)]
pub(crate) struct Descendants {
    root: i32,
    /// Parents before children.
    members: Vec<Member>,
    /// The sessions and groups of all members at the last scan. Their numbers can't be reused so soon.
    sessions_and_groups: BTreeSet<SessionOrGroup>,
    reach: SearchScope,
}

/// A descendant that was alive at the last scan.
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
    /// No descendants so far. `root` is the job's process, which leads a session and a group.
    pub(crate) fn of(root: i32) -> Descendants {
        Descendants {
            root,
            members: Vec::new(),
            sessions_and_groups: [SessionOrGroup::Session(root), SessionOrGroup::Group(root)].into(),
            reach: SearchScope::Adopted,
        }
    }

    /// Those alive at the last scan, parents before children.
    pub(crate) fn members(&self) -> &[Member] {
        &self.members
    }

    /// Whether none was alive at the last scan.
    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Searches orphans among all processes from now on.
    pub(crate) fn scan_all_processes(&mut self) {
        self.reach = SearchScope::AllProcesses;
    }

    /// Updates the list, and returns the new members.
    pub(crate) fn scan(&mut self, kernel: &impl Kernel) -> Vec<Member> {
        self.members.retain_mut(|member| match kernel.stat(member.pid) {
            Ok(Some(stat)) => {
                let is_same = stat.started == member.started && stat.state != ProcState::Ended;
                if is_same {
                    // It may have changed its group or session.
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

    /// Adds all children of these processes, recursively.
    fn follow(&mut self, mut parents: Vec<i32>, kernel: &impl Kernel) {
        while let Some(parent) = parents.pop() {
            let unknown = kernel.children(parent).into_iter().filter(|pid| !self.has(*pid));
            let children: Vec<(i32, Stat)> =
                unknown.filter_map(|pid| Some((pid, live_stat(pid, kernel)?))).collect();
            // If the parent's pid was reused while they were read, they are someone else's children.
            if children.is_empty() || !self.is_still(parent, kernel) {
                continue;
            }
            for (pid, stat) in children {
                // A child that has just lost its parent has another parent now; it will be found among the orphans.
                if stat.parent == parent {
                    self.add(pid, &stat);
                    parents.push(pid);
                }
            }
        }
    }

    /// Adds processes that share a session or group with a member, and returns their pids.
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
