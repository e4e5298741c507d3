//! Determines which of the jobs that ended by a KILL were killed because memory ran out, by the kernel's own count of
//! such kills.
//!
//! The kernel counts before it sends the signal (`__oom_kill_process`), so if the count has not risen, somebody else
//! sent it. If it has risen, another process may have been killed: a descendant of a job, or an unrelated process of
//! the same cgroup. So each count is used for one job only, and not for a job that started after it was seen.
//!
//! The count of our own memory cgroup is the most precise: it rises whether the cgroup's limit or the whole machine ran
//! out, and not for other cgroups' processes. In version 2 it includes cgroups below; in version 1 it doesn't. If there
//! is none (no controller, or the root of version 2), the count of the whole machine is used.

use std::collections::VecDeque;
use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Instant;

use crate::data::status::{Signal, Status};
use crate::outcome::{End, Killer, Ran};
use crate::sys::cgroup::{MemoryCgroup, Version};

/// The kernel's count as one runner knows it. It is read once right after the first start, and then only when a job
/// was ended by a KILL that wasn't ours.
#[derive(Default)]
pub(crate) struct OomWatch {
    known: OnceLock<Option<(OomCounter, Mutex<OomCounts>)>>,
}

impl OomWatch {
    /// Reads the first count, unless that was done. A job that was killed before this, within a fraction of a millisecond of
    /// the first start, isn't recognized as killed for memory.
    pub(crate) fn begin(&self) {
        self.known.get_or_init(|| {
            let counter = OomCounter::find();
            let count = counter.read()?;
            Some((counter, Mutex::new(OomCounts::new(count))))
        });
    }

    /// Determines what killed a job that has just ended, and records it.
    pub(crate) fn judge(&self, ran: &mut Ran) {
        if ran.end != End::Itself(Status::Signalled(Signal::KILL)) {
            return;
        }
        let now = Instant::now();
        let Some(Some((counter, counts))) = self.known.get() else { return };
        let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
        // Read under the lock: two readings must not be entered in the wrong order.
        let Some(count) = counter.read() else { return };
        let started = now.checked_sub(ran.elapsed).unwrap_or(now);
        if counts.attribute(started, now, count) == OomVerdict::OutOfMemory {
            ran.killer = Some(Killer::OutOfMemory);
        }
    }
}

/// Counts that were not attributed to a job yet, each with the time when it was first seen.
#[derive(Debug)]
struct OomCounts {
    count: u64,
    open: VecDeque<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OomVerdict {
    OutOfMemory,
    NotKnown,
}

/// More can't be for our jobs, because no more run at once. The latest counts are kept.
const MOST_OPEN: usize = crate::data::limit::Limit::MAX;

impl OomCounts {
    fn new(count: u64) -> OomCounts {
        OomCounts { count, open: VecDeque::new() }
    }

    /// Judges a job that started at `started` and ended by a KILL, given the current count.
    fn attribute(&mut self, started: Instant, now: Instant, count: u64) -> OomVerdict {
        let risen = count.saturating_sub(self.count);
        self.count = count;
        let risen = usize::try_from(risen).unwrap_or(MOST_OPEN).min(MOST_OPEN);
        self.open.extend(std::iter::repeat_n(now, risen));
        let surplus = self.open.len().saturating_sub(MOST_OPEN);
        self.open.drain(..surplus);
        // The oldest count that qualifies: jobs that started later can't have it.
        match self.open.iter().position(|seen| *seen > started) {
            Some(position) => {
                self.open.remove(position);
                OomVerdict::OutOfMemory
            }
            None => OomVerdict::NotKnown,
        }
    }
}

/// A file with a line `oom_kill N`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OomCounter {
    file: PathBuf,
}

const OF_THE_MACHINE: &str = "/proc/vmstat";

impl OomCounter {
    /// The counter for this process, in its current cgroup.
    pub(crate) fn find() -> OomCounter {
        let of_cgroup = MemoryCgroup::find().map(|cgroup| OomCounter::of(&cgroup));
        let readable = of_cgroup.filter(|counter| counter.read().is_some());
        readable.unwrap_or_else(|| OomCounter { file: OF_THE_MACHINE.into() })
    }

    fn of(cgroup: &MemoryCgroup) -> OomCounter {
        let name = match cgroup.version {
            Version::One => "memory.oom_control",
            Version::Two => "memory.events",
        };
        OomCounter { file: cgroup.folder.join(name) }
    }

    #[cfg(test)]
    pub(crate) fn in_file(file: &std::path::Path) -> OomCounter {
        OomCounter { file: file.to_owned() }
    }

    /// The current count; `None` if it can't be read, for lack of a descriptor for example.
    pub(crate) fn read(&self) -> Option<u64> {
        count_in(&fs::read_to_string(&self.file).ok()?)
    }
}

/// The number in the line `oom_kill N`.
fn count_in(text: &str) -> Option<u64> {
    let number = text.lines().find_map(|line| line.strip_prefix("oom_kill "))?;
    number.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    /// Judges kills in this order. Each has a start, an end (in seconds) and the count at its end; the first count is 5.
    fn verdicts(kills: &[(u64, u64, u64)]) -> Vec<bool> {
        let zero = Instant::now();
        let at = |seconds| zero + Duration::from_secs(seconds);
        let mut counts = OomCounts::new(5);
        let verdict = |(started, ended, count): &(u64, u64, u64)| {
            counts.attribute(at(*started), at(*ended), *count) == OomVerdict::OutOfMemory
        };
        kills.iter().map(verdict).collect()
    }

    #[test]
    fn a_kill_without_a_count_was_somebody_elses() {
        assert_eq!(verdicts(&[(0, 1, 5), (0, 2, 5)]), [false, false]);
    }

    #[test]
    fn each_count_is_for_one_job() {
        assert_eq!(verdicts(&[(0, 1, 6), (0, 2, 6)]), [true, false]);
        assert_eq!(verdicts(&[(0, 1, 7), (0, 2, 7), (0, 3, 7)]), [true, true, false]);
    }

    #[test]
    fn what_was_counted_before_a_job_started_is_not_for_that_one() {
        // The second count is that of a descendant, seen when the first job ended.
        assert_eq!(verdicts(&[(0, 1, 7), (2, 3, 7)]), [true, false]);
        // A job that ran then may have it, even after another job didn't.
        assert_eq!(verdicts(&[(0, 1, 7), (2, 3, 7), (0, 4, 7)]), [true, false, true]);
    }

    #[test]
    fn the_oldest_count_is_taken_first_and_the_newer_is_left_for_those_who_started_later() {
        assert_eq!(verdicts(&[(0, 1, 7), (0, 3, 8), (2, 4, 8)]), [true, true, true]);
    }

    #[test]
    fn a_count_that_falls_is_another_cgroups_and_says_nothing() {
        assert_eq!(verdicts(&[(0, 1, 2), (0, 2, 3)]), [false, true]);
    }

    #[test]
    fn what_nobody_takes_does_not_pile_up() {
        let mut counts = OomCounts::new(0);
        counts.attribute(Instant::now(), Instant::now(), u64::MAX);
        assert!(counts.open.len() <= MOST_OPEN);
    }

    proptest! {
        #[test]
        fn no_more_jobs_are_out_of_memory_than_were_counted(
            steps in prop::collection::vec((0..5_u64, 0..3_u64), 0..40),
        ) {
            let mut count = 5;
            let kills: Vec<_> = steps.iter().zip(0..).map(|((started, more), ended)| {
                count += more;
                (*started, ended, count)
            }).collect();
            let blamed = verdicts(&kills).into_iter().filter(|blamed| *blamed).count();
            prop_assert!(blamed as u64 <= count - 5);
        }
    }

    /// The test controls the counter's file.
    #[test]
    fn only_a_job_that_a_kill_of_others_ended_is_judged() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("memory.events");
        fs::write(&file, "oom 0\noom_kill 1\n").unwrap();
        let counter = OomCounter::in_file(&file);
        let known = Some((counter.clone(), Mutex::new(OomCounts::new(counter.read().unwrap()))));
        let watch = OomWatch { known: OnceLock::from(known) };
        let killed = Status::Signalled(Signal::KILL);
        let judged = |end| {
            let mut ran = Ran::new(end);
            ran.elapsed = Duration::from_secs(1);
            watch.judge(&mut ran);
            ran.killer
        };
        assert_eq!(judged(End::Itself(killed)), None, "killed by hand");
        fs::write(&file, "oom 1\noom_kill 2\n").unwrap();
        assert_eq!(judged(End::TimedOut(killed)), None);
        assert_eq!(judged(End::Stopped(killed)), None);
        assert_eq!(judged(End::Itself(Status::Signalled(Signal::TERM))), None);
        assert_eq!(judged(End::Itself(Status::Exited(137))), None);
        assert_eq!(judged(End::Itself(killed)), Some(Killer::OutOfMemory));
        assert_eq!(judged(End::Itself(killed)), None, "the count is used up");
        fs::remove_file(&file).unwrap();
        assert_eq!(judged(End::Itself(killed)), None, "a count that can't be read says nothing");
    }

    #[test]
    fn the_count_is_found_among_others() {
        assert_eq!(count_in("low 0\nhigh 1\nmax 17\noom 3\noom_kill 2\noom_group_kill 9\n"), Some(2));
        assert_eq!(count_in("oom_kill_disable 0\nunder_oom 0\noom_kill 5\n"), Some(5));
        assert_eq!(count_in("oom_kill_disable 0\nunder_oom 0\n"), None);
        assert_eq!(count_in("oom_kill x\n"), None);
    }

    #[test]
    fn each_version_has_it_in_a_file_of_its_own() {
        let file =
            |version| OomCounter::of(&MemoryCgroup { version, folder: "/a/b".into(), top: "/a".into() }).file;
        assert_eq!(file(Version::One), Path::new("/a/b/memory.oom_control"));
        assert_eq!(file(Version::Two), Path::new("/a/b/memory.events"));
    }

    #[test]
    fn this_machine_has_a_count() {
        assert!(OomCounter::find().read().is_some(), "{:?}", OomCounter::find());
    }
}
