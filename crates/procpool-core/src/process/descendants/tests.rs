//! Which processes belong to a job, on a machine that is just a table.

use std::collections::BTreeMap;

use super::*;

/// The job's own process. This process is 1 and adopts orphans.
const ROOT: i32 = 10;

#[derive(Default)]
struct Machine(BTreeMap<i32, Stat>);

impl Machine {
    /// Adds a process with this parent, in the group and session of this leader.
    fn has(&mut self, pid: i32, parent: i32, leader: i32) {
        let stat = Stat {
            state: ProcState::Runs,
            parent,
            group: leader,
            session: leader,
            started: 100,
        };
        self.0.insert(pid, stat);
    }

    fn change(&mut self, pid: i32, change: impl FnOnce(&mut Stat)) {
        change(self.0.get_mut(&pid).unwrap());
    }

    /// It ends, is reaped, and its children are adopted.
    fn loses(&mut self, pid: i32) {
        self.0.remove(&pid);
        self.0.values_mut().filter(|stat| stat.parent == pid).for_each(|stat| stat.parent = 1);
    }
}

impl Kernel for Machine {
    fn stat(&self, pid: i32) -> io::Result<Option<Stat>> {
        Ok(self.0.get(&pid).copied())
    }

    fn children(&self, pid: i32) -> Vec<i32> {
        self.0.iter().filter(|(_, stat)| stat.parent == pid).map(|(child, _)| *child).collect()
    }

    fn candidates(&self, reach: SearchScope) -> Vec<i32> {
        match reach {
            SearchScope::Adopted => self.children(1),
            SearchScope::AllProcesses => self.0.keys().copied().collect(),
        }
    }
}

fn job() -> (Machine, Descendants) {
    let mut machine = Machine::default();
    machine.has(ROOT, 1, ROOT);
    // Another job, with a child.
    machine.has(90, 1, 90);
    machine.has(91, 90, 90);
    (machine, Descendants::of(ROOT))
}

fn numbers(members: &[Member]) -> Vec<i32> {
    members.iter().map(|member| member.pid).collect()
}

#[test]
fn a_job_alone_has_none() {
    let (machine, mut descendants) = job();
    assert_eq!(descendants.scan(&machine), []);
    assert!(descendants.is_empty());
}

#[test]
fn children_of_children_belong_to_it_whatever_their_session() {
    let (mut machine, mut descendants) = job();
    machine.has(11, ROOT, ROOT);
    machine.has(12, 11, 12);
    machine.has(13, 12, 13);
    assert_eq!(numbers(&descendants.scan(&machine)), [11, 12, 13]);
    assert_eq!(descendants.scan(&machine), []);
    assert_eq!(numbers(descendants.members()), [11, 12, 13]);
}

#[test]
fn an_orphan_is_known_by_the_session_of_one_that_was_seen_though_that_one_is_gone() {
    let (mut machine, mut descendants) = job();
    machine.has(11, ROOT, 11);
    descendants.scan(&machine);
    machine.has(12, 11, 11);
    machine.loses(11);
    assert_eq!(numbers(&descendants.scan(&machine)), [12]);
    // And again, as long as one of them is alive at each scan.
    machine.has(13, 12, 11);
    machine.has(14, 12, 14);
    machine.loses(12);
    assert_eq!(numbers(&descendants.scan(&machine)), [13]);
    assert_eq!(numbers(descendants.members()), [13]);
}

#[test]
fn one_that_has_gone_to_another_session_since_it_was_seen_is_followed_there() {
    let (mut machine, mut descendants) = job();
    machine.has(11, ROOT, ROOT);
    descendants.scan(&machine);
    machine.change(11, |stat| (stat.group, stat.session) = (11, 11));
    descendants.scan(&machine);
    machine.has(12, 11, 11);
    machine.loses(11);
    assert_eq!(numbers(&descendants.scan(&machine)), [12]);
}

#[test]
fn who_is_left_in_the_jobs_own_session_belongs_to_it_after_its_process_has_ended() {
    let (mut machine, mut descendants) = job();
    machine.has(11, 1, ROOT);
    machine.change(ROOT, |stat| stat.state = ProcState::Ended);
    assert_eq!(numbers(&descendants.scan(&machine)), [11]);
    // Adopted by another process, if this one doesn't adopt orphans.
    machine.has(12, 2, ROOT);
    assert_eq!(descendants.scan(&machine), []);
    descendants.scan_all_processes();
    assert_eq!(numbers(&descendants.scan(&machine)), [12]);
}

#[test]
fn a_number_that_has_become_somebody_elses_is_nobody_of_it_nor_are_its_children() {
    let (mut machine, mut descendants) = job();
    machine.has(11, ROOT, 11);
    descendants.scan(&machine);
    machine.loses(11);
    // A session that got the same number long after the scan.
    descendants.scan(&machine);
    machine.has(11, 2, 11);
    machine.change(11, |stat| stat.started = 200);
    machine.has(12, 11, 11);
    assert_eq!(descendants.scan(&machine), []);
    assert!(descendants.is_empty());
}

#[test]
fn who_has_ended_is_no_member_even_before_it_is_reaped() {
    let (mut machine, mut descendants) = job();
    machine.has(11, ROOT, ROOT);
    descendants.scan(&machine);
    machine.change(11, |stat| stat.state = ProcState::Ended);
    assert_eq!(descendants.scan(&machine), []);
    assert!(descendants.is_empty());
}

#[test]
fn one_of_whom_nothing_can_be_learned_now_counts_as_alive() {
    struct Blind(Machine);
    impl Kernel for Blind {
        fn stat(&self, _: i32) -> io::Result<Option<Stat>> {
            Err(io::ErrorKind::Other.into())
        }
        fn children(&self, _: i32) -> Vec<i32> {
            Vec::new()
        }
        fn candidates(&self, reach: SearchScope) -> Vec<i32> {
            self.0.candidates(reach)
        }
    }
    let (mut machine, mut descendants) = job();
    machine.has(11, ROOT, ROOT);
    descendants.scan(&machine);
    assert_eq!(descendants.scan(&Blind(machine)), []);
    assert_eq!(numbers(descendants.members()), [11]);
}
