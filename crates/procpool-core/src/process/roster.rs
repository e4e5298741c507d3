//! The list of all processes that run now, which reaches all of them at once: to list, signal, stop and continue them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::data::job::{Seq, Slot};
use crate::data::status::Signal;
use crate::process::clock::Clock;
use crate::process::gate::{ClosedGate, StartGate};
use crate::runner::Context;
use crate::spool::live::{LiveSpool, Source, latest, since};
use crate::sys::{self, Pid};

/// The processes that a [`LocalProcess`](crate::LocalProcess) runs now, from
/// [`LocalProcess::processes`](crate::LocalProcess::processes). Cheap to clone; works from any thread.
///
/// ```
/// use procpool_core::{Command, Job, Limit, LocalProcess, Pool, Signal};
///
/// let runner = LocalProcess::new();
/// let processes = runner.processes();
/// let mut run = Pool::with_runner(Limit::default(), runner).run([Job::new("nap", Command::new("sleep").arg("60"))])?;
/// while processes.list().is_empty() {
///     std::thread::yield_now();
/// }
/// let stopped = processes.stop(); // as Ctrl-Z would; their timeouts stand still
/// drop(stopped); // as `fg` would
/// processes.signal(Signal::TERM);
/// assert_eq!(run.next().unwrap().outcome.to_string(), "killed by SIGTERM");
/// # Ok::<(), procpool_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Processes(pub(crate) Arc<Roster>);

/// A process that runs now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Process {
    /// Its pid, which is also that of its process group.
    pub pid: u32,
    /// The job's position in the input.
    pub seq: Seq,
    /// The slot that the job runs in.
    pub slot: Slot,
    /// The number of the attempt, from 1.
    pub attempt: u32,
}

/// While this lives, all processes are stopped and none is started. See [`Processes::stop`].
#[must_use = "they go on when this is dropped"]
pub struct Stopped<'a> {
    roster: &'a Roster,
    _no_starts: ClosedGate<'a>,
}

/// Lists the processes that were started and not yet reaped.
#[derive(Default)]
pub(crate) struct Roster {
    /// Held during each start, until the process is listed.
    pub(crate) starts: StartGate,
    entries: Mutex<BTreeMap<i32, (Arc<sys::ProcessHandle>, RosterEntry)>>,
    pub(crate) clock: Clock,
}

/// What is known of a process besides its pid.
pub(crate) struct RosterEntry {
    seq: Seq,
    slot: Slot,
    attempt: u32,
    outputs: [Arc<LiveSpool>; 2],
    end_state: EndState,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum EndState {
    Running,
    /// It was asked to end. It is not stopped any more: it could not handle the signal and would be killed.
    Ending,
}

impl RosterEntry {
    pub(crate) fn new(context: &Context, outputs: [Arc<LiveSpool>; 2]) -> RosterEntry {
        RosterEntry {
            seq: context.seq(),
            slot: context.slot(),
            attempt: context.attempt(),
            outputs,
            end_state: EndState::Running,
        }
    }
}

impl Processes {
    /// The processes that run now, by slot.
    #[must_use]
    pub fn list(&self) -> Vec<Process> {
        let entries = self.0.entries();
        let mut list: Vec<Process> =
            entries.values().map(|(process, entry)| Process::of(process.number(), entry)).collect();
        list.sort_by_key(|process| process.slot);
        list
    }

    /// The last bytes, at most `at_most`, of the captured output that a process wrote to last. Empty if it has
    /// ended or has written nothing.
    #[must_use]
    pub fn latest_output(&self, process: &Process, at_most: usize) -> Vec<u8> {
        // Without the roster's lock: the thread that writes the output may be delayed by a slow disk.
        self.outputs(process).map(|outputs| latest(&outputs, at_most)).unwrap_or_default()
    }

    /// What a process has written to an output from `position` on, but at most the last `at_most` bytes; and the position
    /// where that begins. Empty if it has ended.
    #[must_use]
    pub fn output_since(
        &self,
        process: &Process,
        source: Source,
        position: u64,
        at_most: usize,
    ) -> (u64, Vec<u8>) {
        let Some([stdout, stderr]) = self.outputs(process) else { return (position, Vec::new()) };
        let output = match source {
            Source::Stdout => stdout,
            Source::Stderr => stderr,
        };
        since(&output, position, at_most)
    }

    fn outputs(&self, process: &Process) -> Option<[Arc<LiveSpool>; 2]> {
        let number = i32::try_from(process.pid).unwrap_or_default();
        // Its pid may be reused by now.
        let still = |(_, entry): &&(Arc<sys::ProcessHandle>, RosterEntry)| entry.seq == process.seq;
        self.0.entries().get(&number).filter(still).map(|(_, entry)| entry.outputs.clone())
    }

    /// Sends a signal to all process groups.
    pub fn signal(&self, signal: Signal) {
        self.0.signal(signal);
    }

    /// Stops all processes, starts no others, and pauses their timeouts until the guard is dropped; then they continue. Hold
    /// one guard at a time: the first of two that is dropped continues all processes.
    ///
    /// A stop or a kill of their run still reaches them: a process that is asked to end is continued, is not stopped any
    /// more, and its grace time passes. A job that has not been started yet because of the guard is then never reached.
    ///
    /// The processes are sent TSTP, for those that handle it, and STOP, which can't be ignored: in a session of its own,
    /// a process with the default action for TSTP would not stop (signal(7), "orphaned").
    pub fn stop(&self) -> Stopped<'_> {
        // First of all: a process that is being started would miss the signal.
        let no_starts = self.0.starts.close();
        self.0.clock.stop();
        self.0.stop();
        Stopped { roster: &self.0, _no_starts: no_starts }
    }
}

impl fmt::Debug for Processes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Processes").field(&self.list()).finish()
    }
}

impl Process {
    fn of(pid: Pid, entry: &RosterEntry) -> Process {
        let pid = pid.as_raw_nonzero().get().unsigned_abs();
        Process {
            pid,
            seq: entry.seq,
            slot: entry.slot,
            attempt: entry.attempt,
        }
    }
}

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        self.roster.signal(Signal::CONT);
        self.roster.clock.resume();
    }
}

impl fmt::Debug for Stopped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stopped")
    }
}

impl Roster {
    /// Lists a process that was just started.
    pub(crate) fn enter(&self, process: Arc<sys::ProcessHandle>, entry: RosterEntry) {
        self.entries().insert(process.number().as_raw_nonzero().get(), (process, entry));
    }

    /// Removes a process that is about to be reaped: nobody signals its pid after that.
    pub(crate) fn leave(&self, pid: Pid) {
        self.entries().remove(&pid.as_raw_nonzero().get());
    }

    /// The number of processes.
    pub(crate) fn count(&self) -> usize {
        self.entries().len()
    }

    /// From now on this process is not stopped. Called before it is asked to end, so that no stop comes after that.
    pub(crate) fn note_end(&self, pid: Pid) {
        if let Some((_, entry)) = self.entries().get_mut(&pid.as_raw_nonzero().get()) {
            entry.end_state = EndState::Ending;
        }
    }

    fn stop(&self) {
        let entries = self.entries();
        let running = || entries.values().filter(|(_, entry)| entry.end_state == EndState::Running);
        for signal in [Signal::TSTP, Signal::STOP] {
            running().for_each(|(process, _)| process.signal_group(signal));
        }
    }

    fn signal(&self, signal: Signal) {
        // Under the lock: none of them is reaped meanwhile.
        for (process, _) in self.entries().values() {
            process.signal_group(signal);
        }
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<i32, (Arc<sys::ProcessHandle>, RosterEntry)>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
