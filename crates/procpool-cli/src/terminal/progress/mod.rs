//! Displays the progress of a run. A thread takes a snapshot of the run at intervals, so that no job pays for
//! it; `screen` draws the lines.

mod bar;
mod figures;
#[cfg(test)]
mod picture;
mod view;
mod width;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use procpool_core::{Handle, Snapshot};

use crate::terminal::colour::Palette;
use crate::terminal::progress::figures::RunFigures;
use crate::terminal::progress::view::{LongestJob, MOST_KEYS};
use crate::terminal::{screen, shown};
use procpool_journal::os::threads;

/// How progress is displayed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ProgressMode {
    Nothing,
    /// Lines below the output, on a terminal.
    Bar(Palette),
    /// A line at intervals, anywhere.
    Plain,
}

/// How many jobs have failed, which snapshots don't tell. Clones share the count.
#[derive(Clone, Debug, Default)]
pub(crate) struct FailureCount(Arc<AtomicU64>);

/// The display of a run, and the count that it needs.
#[derive(Debug)]
pub(crate) struct Progress {
    pub(crate) display: ProgressMode,
    pub(crate) failed: FailureCount,
}

/// The thread of the display. Drop ends it and erases the display.
pub(crate) struct ProgressThread {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Shorter runs show nothing.
const SHORT: Duration = Duration::from_millis(300);

/// The time between two snapshots, for the bar and for plain lines.
const TICK: Duration = Duration::from_millis(100);
const SLOW_TICK: Duration = Duration::from_secs(10);

impl FailureCount {
    pub(crate) fn note(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Progress {
    /// Starts to display the run of this handle.
    pub(crate) fn show(&self, handle: Handle) -> ProgressThread {
        let is_over = Arc::new(AtomicBool::new(false));
        let watch = ObservedRun {
            handle,
            failed: self.failed.clone(),
            begun: Instant::now(),
            is_over: Arc::clone(&is_over),
        };
        let spawn = |show: Box<dyn FnOnce() + Send>| {
            // If no thread can be started, only the display is missing.
            threads::start("procpool-progress", show).ok()
        };
        let thread = match self.display {
            ProgressMode::Nothing => None,
            ProgressMode::Bar(palette) => {
                screen::announce_display();
                spawn(Box::new(move || watch.draw(&palette)))
            }
            ProgressMode::Plain => spawn(Box::new(move || watch.tell())),
        };
        ProgressThread { is_over, thread }
    }
}

impl Drop for ProgressThread {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A panic of the display is not an error of the run.
            let _ = thread.join();
            screen::end_display();
        }
    }
}

/// The run that is displayed.
struct ObservedRun {
    handle: Handle,
    failed: FailureCount,
    begun: Instant,
    is_over: Arc<AtomicBool>,
}

impl ObservedRun {
    fn draw(&self, palette: &Palette) {
        let mut pause = SHORT;
        while self.goes_on_after(pause) {
            pause = TICK;
            let Some(size) = screen::size() else { continue };
            let snapshot = self.handle.snapshot();
            let longest = longest(&snapshot, Instant::now());
            let lines = view::lines(&self.figures(&snapshot), &longest, size, palette);
            screen::draw(view::with_place(lines, snapshot.elsewhere.as_deref(), size), size);
        }
    }

    fn tell(&self) {
        while self.goes_on_after(SLOW_TICK) {
            let snapshot = self.handle.snapshot();
            let place = snapshot.elsewhere.as_ref().map(|place| format!("; {}", shown::name(&**place)));
            let figures = self.figures(&snapshot).in_words();
            screen::say(&format!("procpool: {figures}{}\n", place.unwrap_or_default()));
        }
    }

    /// Waits; returns whether the run goes on after that time.
    fn goes_on_after(&self, pause: Duration) -> bool {
        let until = Instant::now() + pause;
        while !self.is_over.load(Ordering::Acquire) {
            let Some(rest) = until.checked_duration_since(Instant::now()) else { return true };
            // It may return early.
            thread::park_timeout(rest);
        }
        false
    }

    fn figures(&self, snapshot: &Snapshot) -> RunFigures {
        RunFigures {
            done: snapshot.completed,
            total: snapshot.total,
            running: snapshot.active.len() as u64,
            retrying: snapshot.retrying,
            failed: self.failed.0.load(Ordering::Relaxed),
            elapsed: self.begun.elapsed(),
        }
    }
}

/// The jobs that have been running for the longest time.
fn longest(snapshot: &Snapshot, now: Instant) -> Vec<LongestJob> {
    let mut active: Vec<_> = snapshot.active.iter().collect();
    active.sort_by_key(|job| job.since);
    let longest = active.into_iter().take(MOST_KEYS);
    let describe = longest.map(|job| LongestJob {
        key: job.key.to_string(),
        elapsed: now.saturating_duration_since(job.since),
    });
    describe.collect()
}
