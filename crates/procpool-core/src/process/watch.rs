//! Watches a process until it is over: one poll(2) loop over its end, its two outputs, its deadline and the run's halt.
//! `lifecycle` decides what to do, this carries it out.

use std::ffi::CStr;
use std::time::{Duration, Instant, SystemTime};

use crate::data::shown::Shown;
use crate::data::status::{PeakMemory, Signal, Status};
use crate::halt::Halt;
use crate::outcome::{End, Ran, Survivor};
use crate::process::child::Child;
use crate::process::descendants::Descendants;
use crate::process::holders::{self, Holder, holder};
use crate::process::kill::{self, ProcFs};
use crate::process::lifecycle::{Action, Lifecycle};
use crate::process::roster::Roster;
use crate::process::spawn::Spawned;
use crate::process::stream::Stream;
use crate::runner::Context;
use crate::sys::{self, ExecProgress, PendingExec, Readiness, StatusTaken};

/// A watched process. Field order matters: the child is dropped, and so killed, before its pipes are closed.
struct AttemptWatch<'a> {
    began: (SystemTime, Instant),
    child: Child,
    /// `None` once it has executed its program.
    pending_exec: Option<PendingExec>,
    own_peak: PeakMemory,
    stdout: Stream,
    stderr: Stream,
    lifecycle: Lifecycle,
    roster: &'a Roster,
    context: &'a Context,
    timeout_kind: TimeoutKind,
    /// The halt level that was handled last.
    seen_halt: Halt,
    process: ProcessPhase,
    start: StartState,
    /// Known from when it was asked to end, if `/proc` can be used.
    descendants: Option<Descendants>,
    /// When they were last scanned.
    looked: Option<Instant>,
}

/// Whether the timeout can change while the process runs.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum TimeoutKind {
    Fixed,
    Moving,
}

/// How often a timeout that can change is read again. It is read once more before the process is ended by it.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// How often descendants are scanned while a job that has some is being ended.
const LOOK_FOR_DESCENDANTS: Duration = Duration::from_millis(25);

/// The least time between two scans, however often the job's output wakes the loop.
const LEAST_BETWEEN_LOOKS: Duration = Duration::from_millis(5);

#[derive(Clone, Copy, PartialEq)]
enum ProcessPhase {
    Running,
    Ended,
    /// It was killed but hasn't ended: it is blocked in the kernel.
    LeftBehind,
}

/// Whether it had executed its program when it was ended.
#[derive(Clone, Copy, PartialEq)]
enum StartState {
    Done,
    Hung,
}

/// Waits for the end of the process and of its outputs, and ends it if it times out or the run is stopped. Also
/// returns the pending exec, if it had not executed its program.
pub(crate) fn watch(
    spawned: Spawned,
    lifecycle: Lifecycle,
    timeout_kind: TimeoutKind,
    roster: &Roster,
    context: &Context,
) -> (Ran, Option<PendingExec>) {
    let is_late = spawned.pending_exec.is_some();
    let mut watch = AttemptWatch {
        began: spawned.began,
        child: spawned.child,
        pending_exec: spawned.pending_exec,
        own_peak: spawned.own_peak,
        stdout: spawned.stdout,
        stderr: spawned.stderr,
        lifecycle,
        timeout_kind,
        roster,
        context,
        seen_halt: Halt::GoOn,
        process: ProcessPhase::Running,
        start: StartState::Done,
        descendants: None,
        looked: None,
    };
    while !watch.is_over() {
        watch.wait();
    }
    if is_late {
        // The kernel counted our memory for the child until it executed its program.
        watch.own_peak = sys::own_peak_memory();
    }
    watch.finish()
}

impl AttemptWatch<'_> {
    fn is_over(&self) -> bool {
        self.process != ProcessPhase::Running && self.stdout.is_closed() && self.stderr.is_closed()
    }

    /// Waits for the next event and handles it.
    fn wait(&mut self) {
        let end = (self.process == ProcessPhase::Running).then(|| self.child.end_event());
        let halt = match self.seen_halt {
            Halt::GoOn | Halt::Drain => Some(self.context.stop_event()),
            Halt::Stop(_) => Some(self.context.kill_event()),
            Halt::Kill => None,
        };
        let sources = [self.stdout.event(), self.stderr.event(), end, halt];
        let until = self.lifecycle.deadline().and_then(|deadline| self.roster.clock.real(deadline));
        let [stdout, stderr, end, halt] = sys::wait_any(sources, self.or_look_again(until));
        self.forget_finished_exec();
        self.scan_descendants();
        let now = self.roster.clock.now();
        if self.timeout_kind == TimeoutKind::Moving {
            self.lifecycle.move_timeout(self.context.timeout());
        }
        attend(&mut self.stdout, stdout);
        attend(&mut self.stderr, stderr);
        if end != Readiness::Quiet {
            self.process = ProcessPhase::Ended;
            self.lifecycle.end(now);
        }
        if halt != Readiness::Quiet {
            self.seen_halt = self.context.halt();
            let action = self.lifecycle.halt(self.seen_halt, now);
            self.act(action);
        }
        if self.process == ProcessPhase::Ended
            && self.lifecycle.deadline().is_some_and(|until| until.has_come(now))
        {
            self.catch_up();
            if self.is_over() {
                return;
            }
            if self.holder() == Holder::Foreign {
                // Everything was read, and no process of the job is left to write more.
                self.stdout.close();
                self.stderr.close();
                return;
            }
        }
        let action = self.lifecycle.tick(now);
        self.act(action);
    }

    fn or_look_again(&self, until: Option<Instant>) -> Option<Instant> {
        let look_again = match (&self.descendants, self.timeout_kind) {
            (Some(descendants), _) if !descendants.is_empty() => LOOK_FOR_DESCENDANTS,
            (_, TimeoutKind::Moving) => LOOK_AGAIN,
            (_, TimeoutKind::Fixed) => return until,
        };
        let look_again = Instant::now() + look_again;
        Some(until.map_or(look_again, |until| until.min(look_again)))
    }

    /// Called before a descendant is blamed for an open stream. Reads what has been in the pipes all along, in case this
    /// thread was delayed by a slow disk or a busy machine. It also waits for a moment without starts: between its fork
    /// and its exec, another job's process holds copies of these pipes too.
    fn catch_up(&mut self) {
        drop(self.roster.starts.close());
        self.stdout.catch_up();
        self.stderr.catch_up();
        let sources = [self.stdout.event(), self.stderr.event()];
        let [stdout, stderr] = sys::wait_any(sources, Some(Instant::now()));
        attend(&mut self.stdout, stdout);
        attend(&mut self.stderr, stderr);
    }

    /// Who holds an output that is still open.
    fn holder(&self) -> Holder {
        let number = i32::try_from(self.child.number()).ok().filter(|_| sys::proc::is_ours());
        let began = number.and_then(|number| sys::proc::stat(number).ok().flatten());
        let (Some(number), Some(stat)) = (number, began) else { return Holder::Job };
        let outputs = [self.stdout.event(), self.stderr.event()].into_iter().flatten();
        match outputs.map(sys::proc::pipe_number).collect() {
            Some(pipes) => {
                holder(number, stat.started, sys::proc::own_session(), &holders::ProcPipes { pipes })
            }
            None => Holder::Job,
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Wait => {}
            Action::RequestEnd(signal) => {
                self.note_start();
                // Before the signal: descendants whose parent ends by it can't be attributed to the job any more.
                self.know_descendants();
                self.scan_descendants();
                self.child.request_end(signal);
            }
            Action::Kill => {
                self.note_start();
                self.kill();
            }
            Action::GiveUp => {
                self.stdout.close();
                self.stderr.close();
            }
            Action::LeaveBehind => {
                self.process = ProcessPhase::LeftBehind;
                self.stdout.close();
                self.stderr.close();
            }
        }
    }

    fn forget_finished_exec(&mut self) {
        if self
            .pending_exec
            .as_ref()
            .is_some_and(|pending_exec| matches!(pending_exec.progress(), ExecProgress::Done))
        {
            self.pending_exec = None;
        }
    }

    fn note_start(&mut self) {
        if is_under_way(self.pending_exec.as_ref()) {
            self.start = StartState::Hung;
        }
    }

    fn kill(&mut self) {
        self.know_descendants();
        let Some(descendants) = &mut self.descendants else { return self.child.kill() };
        if self.process == ProcessPhase::Ended {
            // After its end, its children have another parent.
            descendants.scan_all_processes();
        }
        kill::kill(&self.child, descendants);
    }

    fn know_descendants(&mut self) {
        if self.descendants.is_none() && sys::proc::is_ours() {
            self.descendants = i32::try_from(self.child.number()).ok().map(Descendants::of);
        }
    }

    fn scan_descendants(&mut self) {
        let is_due = self.looked.is_none_or(|looked| looked.elapsed() >= LEAST_BETWEEN_LOOKS);
        if let (Some(descendants), true) = (&mut self.descendants, is_due) {
            descendants.scan(&ProcFs);
            self.looked = Some(Instant::now());
        }
    }

    fn finish(mut self) -> (Ran, Option<PendingExec>) {
        let elapsed = self.began.1.elapsed();
        if self.lifecycle.was_ended_by_us() {
            // Processes that are left in the group have closed the output and ignored the signal.
            self.child.kill();
        }
        let mut survivors = match self.descendants.take() {
            Some(descendants) => kill::end(&self.child, descendants),
            None => Vec::new(),
        };
        let (stdout, stdout_lost) = self.stdout.finish();
        let (stderr, stderr_lost) = self.stderr.finish();
        let mut ran = if self.process == ProcessPhase::LeftBehind {
            survivors.push(survivor(&self.child, self.pending_exec.as_ref()));
            self.child.leave_behind();
            Ran::new(self.lifecycle.verdict(Status::Signalled(Signal::KILL)))
        } else {
            match self.child.reap() {
                Ok((status, mut usage)) => {
                    usage.peak_memory = usage.peak_memory.of_one_started_by(self.own_peak);
                    Ran { usage, ..Ran::new(self.lifecycle.verdict(status)) }
                }
                Err(StatusTaken) => Ran::new(End::Unknown),
            }
        };
        ran.started = self.began.0;
        ran.elapsed = elapsed;
        ran.stdout = stdout;
        ran.stderr = stderr;
        ran.leaked = self.lifecycle.has_leaked();
        ran.survivors = survivors;
        ran.start_hung = self.start == StartState::Hung;
        ran.lost = stdout_lost.or(stderr_lost);
        (ran, self.pending_exec)
    }
}

fn is_under_way(pending_exec: Option<&PendingExec>) -> bool {
    pending_exec.is_some_and(|pending_exec| matches!(pending_exec.progress(), ExecProgress::Pending))
}

/// Describes a process that can't be killed, by the name of the program it runs or was to run.
fn survivor(child: &Child, pending_exec: Option<&PendingExec>) -> Survivor {
    let pid = child.number();
    let pending_exec = pending_exec.filter(|pending_exec| is_under_way(Some(pending_exec)));
    let named = pending_exec.and_then(PendingExec::program).map(CStr::to_bytes);
    let program = match named.and_then(|path| path.rsplit(|byte| *byte == b'/').next()) {
        Some(name) => String::from_utf8_lossy(name).replace(Shown::controls, "\u{fffd}"),
        None => i32::try_from(pid).map(sys::proc::program).unwrap_or_default(),
    };
    Survivor { pid, program }
}

fn attend(stream: &mut Stream, readiness: Readiness) {
    match readiness {
        Readiness::Quiet => {}
        Readiness::Readable => {
            stream.pump();
        }
        Readiness::HungUp => stream.close(),
    }
}
