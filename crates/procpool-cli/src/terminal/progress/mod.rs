//! Shows how a run stands while it goes on: a thread that asks now and then, so that no job pays for it.
//! Knows nothing of how it is brought to the terminal; `screen.rs` does.

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

/// How a run is shown while it goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ProgressMode {
    Nothing,
    /// Lines that stand below the output, on a terminal.
    Bar(Palette),
    /// A line now and then, anywhere.
    Plain,
}

/// What only the completions tell. Clones count together.
#[derive(Clone, Debug, Default)]
pub(crate) struct FailureCount(Arc<AtomicU64>);

/// What is shown, and what is counted for it.
#[derive(Debug)]
pub(crate) struct Progress {
    pub(crate) display: ProgressMode,
    pub(crate) failed: FailureCount,
}

/// The thread that shows it. Dropped, it ends and takes what it shows away.
pub(crate) struct ProgressThread {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// A run that is over before that shows nothing.
const SHORT: Duration = Duration::from_millis(300);

/// The time between two looks at the run: for eyes, and for logs.
const TICK: Duration = Duration::from_millis(100);
const SLOW_TICK: Duration = Duration::from_secs(10);

impl FailureCount {
    pub(crate) fn note(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Progress {
    /// Shows the run of this handle from now on.
    pub(crate) fn show(&self, handle: Handle) -> ProgressThread {
        let is_over = Arc::new(AtomicBool::new(false));
        let watch = ObservedRun {
            handle,
            failed: self.failed.clone(),
            begun: Instant::now(),
            is_over: Arc::clone(&is_over),
        };
        let spawn = |show: Box<dyn FnOnce() + Send>| {
            // Without a thread nothing is shown, and nothing else is amiss.
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
            // What it has panicked of, the run panics of as well.
            let _ = thread.join();
            screen::end_display();
        }
    }
}

/// A run and what is to be known about it.
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

    /// Whether the run goes on so much later.
    fn goes_on_after(&self, pause: Duration) -> bool {
        let until = Instant::now() + pause;
        while !self.is_over.load(Ordering::Acquire) {
            let Some(rest) = until.checked_duration_since(Instant::now()) else { return true };
            // It may come back early.
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

/// The jobs that have run for the longest time.
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
