//! Finds and kills processes that an earlier run has left.
//!
//! No process is signalled because of a record alone: the journal may be a copy, forged, or of another
//! machine, and the PID may belong to another process by now. A process is killed only if it was started
//! after the run began and has the run's mark in its environment. All others are left alone.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::files::job_mark::MARK_VARIABLE;
use crate::files::run_lock::{Holder, Leaks, StartedProcess, started};
use crate::files::whereabouts::Locality;
use crate::os::proc::{self, Stat};

/// What still lives after this long can't be killed: it is another user's, or waits for a dead disk.
const LAST_EFFORT: Duration = Duration::from_secs(5);

/// How long the last holder may take to exit after it was killed.
const LETTING_GO: Duration = Duration::from_secs(1);

/// How long execve(2) may take before a process without a readable environment counts as foreign.
const LONGEST_EXEC: Duration = Duration::from_secs(1);

/// The pause between two scans.
const PAUSE: Duration = Duration::from_millis(2);

/// A process that was left, and its job.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leftover {
    /// Its PID.
    pub pid: u32,
    /// Its name, as the kernel has it.
    pub name: String,
    /// The position of its job in the list, from 1.
    pub seq: u64,
}

/// What was found of an earlier run.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// They were the run's, and were killed.
    pub ended: BTreeSet<Leftover>,
    /// They are the run's, and can't be killed.
    pub stay: Vec<Leftover>,
    /// Their PID and start time are those of a job's own process, but they have no readable mark.
    pub doubtful: Vec<Leftover>,
    /// They are in the session of a job, but have no readable mark.
    pub unproven: Vec<Leftover>,
    /// Why processes could not be looked for, though some may run.
    pub unseen: Option<String>,
}

/// Kills what is left of these attempts, which have no outcome, and of all others unless it was left on
/// purpose ([`Leaks::Kept`]).
#[must_use]
pub fn end(holder: &Holder, table: &[StartedProcess]) -> Leftovers {
    let unseen = match holder.whereabouts.locality() {
        Locality::Here => None,
        Locality::Gone => return Leftovers::default(),
        Locality::OnAnotherMachine => Some(format!("on {}", holder.whereabouts.host)),
        Locality::InAnotherNamespace => {
            Some(format!("in another PID namespace of {}", holder.whereabouts.host))
        }
        Locality::Unknown(why) => Some(format!("here, and can't be looked for: {why}")),
    };
    if unseen.is_some() {
        return Leftovers { unseen, ..Leftovers::default() };
    }
    // This journal is a copy, and the run goes on with the original.
    if !is_gone_soon(holder) {
        return Leftovers::default();
    }
    let mut ended = BTreeSet::new();
    let begun = Instant::now();
    loop {
        let look = Scan::at_all(holder, table);
        for left in &look.ours {
            kill(holder, table, left);
            ended.insert(left.clone());
        }
        // A process may have lost its environment between two reads of /proc because it exits: then it is
        // gone a moment later.
        let is_one_unclear = look.is_one_changing || !look.doubtful.is_empty();
        let may_be_ours = is_one_unclear && begun.elapsed() < LONGEST_EXEC;
        if look.ours.is_empty() && !may_be_ours || begun.elapsed() > LAST_EFFORT {
            let mut stay = look.ours;
            stay.retain(|left| started(left.pid).is_some());
            ended.retain(|left| !stay.iter().any(|still| still.pid == left.pid));
            return Leftovers {
                ended,
                stay,
                doubtful: look.doubtful,
                unproven: look.unproven,
                unseen: None,
            };
        }
        thread::sleep(PAUSE);
    }
}

/// Whether the last holder has exited. One that was killed may take a moment, which is waited for.
#[must_use]
pub fn is_gone_soon(holder: &Holder) -> bool {
    let until = Instant::now() + LETTING_GO;
    loop {
        let lives = started(holder.pid).is_some_and(|ticks| ticks <= holder.ticks);
        if !lives || holder.whereabouts.locality() != Locality::Here {
            return true;
        }
        if Instant::now() > until {
            return false;
        }
        thread::sleep(PAUSE);
    }
}

/// All processes, from one scan.
#[derive(Default)]
struct Scan {
    ours: Vec<Leftover>,
    doubtful: Vec<Leftover>,
    unproven: Vec<Leftover>,
    /// Whether one is in the middle of execve(2), when it can't be identified.
    is_one_changing: bool,
}

/// What is known of a process.
enum Proof {
    /// It is of the run.
    Ours(u64),
    Doubtful(u64),
    Unproven(u64),
    Changing,
    Stranger,
}

impl Scan {
    fn at_all(holder: &Holder, table: &[StartedProcess]) -> Scan {
        let mut look = Scan::default();
        for pid in proc::others() {
            let left = |seq| Leftover { pid, name: proc::name(pid), seq };
            match prove(pid, holder, table) {
                Proof::Ours(seq) => look.ours.push(left(seq)),
                Proof::Doubtful(seq) => look.doubtful.push(left(seq)),
                Proof::Unproven(seq) => look.unproven.push(left(seq)),
                Proof::Changing => look.is_one_changing = true,
                Proof::Stranger => {}
            }
        }
        look
    }
}

fn prove(pid: u32, holder: &Holder, table: &[StartedProcess]) -> Proof {
    let Some(stat) = proc::stat(pid).filter(|stat| !stat.has_ended && stat.started >= holder.ticks) else {
        return Proof::Stranger;
    };
    let environment = proc::environment(pid);
    let mark = environment.as_ref().ok().and_then(|environment| mark_in(environment, &holder.run));
    if let Some((seq, attempt)) = mark {
        let is_open = || table.iter().any(|entry| (entry.seq, entry.attempt) == (seq, attempt));
        // Jobs that had ended may have left it on purpose.
        return if holder.leaks != Leaks::Kept || is_open() { Proof::Ours(seq) } else { Proof::Stranger };
    }
    // Kernel threads have no session, and never an environment.
    if environment.is_ok_and(|text| text.is_empty()) && !stat.has_environment && stat.session != 0 {
        return Proof::Changing;
    }
    // A process that has the recorded PID but was started later is another one.
    let its_own = |entry: &&StartedProcess| entry.pid == pid && stat.started <= entry.ticks;
    if let Some(entry) = table.iter().find(its_own) {
        return Proof::Doubtful(entry.seq);
    }
    match table.iter().find(|entry| is_in_session(&stat, entry)) {
        Some(entry) => Proof::Unproven(entry.seq),
        None => Proof::Stranger,
    }
}

/// The id of a session is not reused as long as a process is in it.
fn is_in_session(stat: &Stat, entry: &StartedProcess) -> bool {
    let is_its_leader = |leader: Stat| leader.started <= entry.ticks;
    stat.session == entry.pid && proc::stat(entry.pid).is_none_or(is_its_leader)
}

/// The position and the attempt that the mark of this run names in an environment.
fn mark_in(environment: &[u8], run: &str) -> Option<(u64, u32)> {
    let value = |variable| <[u8]>::strip_prefix(variable, MARK_VARIABLE.as_bytes())?.strip_prefix(b"=");
    let marks = environment.split(|byte| *byte == 0).find_map(value)?;
    let of_run = |mark: &[u8]| mark.strip_prefix(run.as_bytes())?.strip_prefix(b":").map(<[u8]>::to_vec);
    let mark = String::from_utf8(marks.split(|byte| *byte == b' ').find_map(of_run)?).ok()?;
    let (seq, attempt) = mark.split_once(':')?;
    Some((seq.parse().ok()?, attempt.parse().ok()?))
}

/// Kills it, if it is still the run's after a pidfd was opened: a signal that is sent by the pidfd can't
/// reach another process that has got the PID meanwhile.
fn kill(holder: &Holder, table: &[StartedProcess], left: &Leftover) {
    let Some(pid) = i32::try_from(left.pid).ok().and_then(Pid::from_raw) else { return };
    let Ok(pidfd) = pidfd_open(pid, PidfdFlags::empty()) else { return };
    if let Proof::Ours(_) = prove(left.pid, holder, table) {
        let _ = pidfd_send_signal(&pidfd, Signal::KILL);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::{CommandExt, ExitStatusExt};
    use std::process::{Child, Command};

    use super::*;
    use crate::files::whereabouts::Whereabouts;

    fn holder(run: &str) -> Holder {
        Holder {
            run: run.into(),
            whereabouts: Whereabouts::own(),
            ..Holder::default()
        }
    }

    /// A process with these marks, after its execve(2).
    fn child(marks: Option<&str>) -> Child {
        let mut command = Command::new("sleep");
        command.arg("86400").env_remove(MARK_VARIABLE).env("IS_THERE", "1").process_group(0);
        let child = command.envs(marks.map(|marks| (MARK_VARIABLE, marks))).spawn().unwrap();
        let is_there =
            |pid| proc::environment(pid).is_ok_and(|text| text.windows(8).any(|part| part == b"IS_THERE"));
        while !is_there(child.id()) {
            thread::sleep(Duration::from_millis(1));
        }
        child
    }

    fn end_child(mut child: Child) {
        assert!(child.try_wait().unwrap().is_none(), "it was signalled");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    fn entry_of(child: &Child) -> StartedProcess {
        StartedProcess {
            pid: child.id(),
            ticks: started(child.id()).unwrap(),
            seq: 7,
            attempt: 1,
        }
    }

    fn left(child: &Child, seq: u64) -> Leftover {
        Leftover { pid: child.id(), name: "sleep".into(), seq }
    }

    #[test]
    fn a_recorded_process_without_a_mark_is_named_and_left_alone() {
        let stranger = child(None);
        let entry = entry_of(&stranger);
        let doubtful = Leftovers { doubtful: vec![left(&stranger, 7)], ..Leftovers::default() };
        assert_eq!(end(&holder("no-such-run-1"), &[entry]), doubtful);
        // One that was started later only has the same PID; one that was there before the run began is not
        // the run's.
        let later = StartedProcess { ticks: entry.ticks - 1, ..entry };
        assert_eq!(end(&holder("no-such-run-1"), &[later]), Leftovers::default());
        let after = Holder { ticks: entry.ticks + 1, ..holder("no-such-run-1") };
        assert_eq!(end(&after, &[entry]), Leftovers::default());
        end_child(stranger);
    }

    #[test]
    fn a_process_in_the_session_of_a_job_without_a_mark_is_named_and_left_alone() {
        let stranger = child(None);
        let session = proc::stat(stranger.id()).unwrap().session;
        let entry = StartedProcess { pid: session, ticks: u64::MAX, seq: 3, attempt: 1 };
        let holder = Holder { ticks: entry_of(&stranger).ticks, ..holder("no-such-run-2") };
        let found = end(&holder, &[entry]);
        assert!(found.unproven.contains(&left(&stranger, 3)), "{found:?}");
        assert!(found.ended.is_empty() && found.stay.is_empty(), "{found:?}");
        end_child(stranger);
    }

    #[test]
    fn a_process_with_the_mark_of_a_run_is_of_that_job_and_of_no_other_run() {
        let marks = "1-outer:3:1 2-inner:12:2";
        let mut ours = child(Some(marks));
        let environment = proc::environment(ours.id()).unwrap();
        assert_eq!(mark_in(&environment, "1-outer"), Some((3, 1)));
        assert_eq!(mark_in(&environment, "2-inner"), Some((12, 2)));
        assert_eq!(mark_in(&environment, "2-inne"), None);
        assert_eq!(mark_in(&environment, "3"), None);
        // It was left on purpose, unless its job hadn't ended.
        let kept = Holder { leaks: Leaks::Kept, ..holder("2-inner") };
        assert_eq!(end(&kept, &[]), Leftovers::default());
        let earlier = StartedProcess { pid: u32::MAX, ticks: 0, seq: 12, attempt: 1 };
        assert_eq!(end(&kept, &[earlier]), Leftovers::default());
        // One that was there before the run is not the run's.
        let later = Holder { ticks: u64::MAX, ..holder("2-inner") };
        assert_eq!(end(&later, &[]), Leftovers::default());
        let found = Leftovers { ended: [left(&ours, 12)].into(), ..Leftovers::default() };
        assert_eq!(end(&kept, &[StartedProcess { attempt: 2, ..earlier }]), found);
        assert_eq!(ours.wait().unwrap().signal(), Some(9));
        let mut ours = child(Some(marks));
        let found = Leftovers { ended: [left(&ours, 12)].into(), ..Leftovers::default() };
        assert_eq!(end(&holder("2-inner"), &[]), found);
        assert_eq!(ours.wait().unwrap().signal(), Some(9));
    }

    #[test]
    fn where_pids_mean_other_processes_none_is_looked_for() {
        let ours = child(Some("1-elsewhere:7:1"));
        let entry = entry_of(&ours);
        let here = || holder("1-elsewhere");
        let elsewhere = |change: fn(&mut Whereabouts)| {
            let mut holder = here();
            change(&mut holder.whereabouts);
            end(&holder, &[entry])
        };
        let unseen = |found: Leftovers| found.unseen.unwrap();
        let another = |there: &mut Whereabouts| (there.host, there.boot) = ("there".into(), "other".into());
        assert!(unseen(elsewhere(another)).contains("on there"));
        let found = unseen(elsewhere(|there| there.pid_namespace = "pid:[1]".into()));
        assert!(found.contains("in another PID namespace of "), "{found}");
        assert!(unseen(elsewhere(|there| there.pid_namespace = String::new())).contains("doesn't say"));
        assert!(unseen(elsewhere(|there| there.boot = String::new())).contains("doesn't say"));
        assert_eq!(elsewhere(|there| there.boot = "earlier".into()), Leftovers::default());
        // The holder of the original goes on.
        let still_there = Holder { pid: std::process::id(), ticks: u64::MAX, ..here() };
        assert_eq!(end(&still_there, &[entry]), Leftovers::default());
        end_child(ours);
    }
}
