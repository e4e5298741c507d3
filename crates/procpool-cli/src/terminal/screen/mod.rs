//! The only way to standard error, and the owner of the lines that are displayed below the output.
//!
//! A process has one standard error and one terminal, so this is a static. Its lock is held for single
//! writes, never while a job's output is delivered: a [`DisplayHold`] hides the display for that time.

mod status_area;

use std::io::{IoSlice, IsTerminal};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::writev;
use rustix::process::Pid;
use rustix::stdio;
use rustix::termios::{LocalModes, tcgetattr, tcgetpgrp, tcgetwinsize};

pub(crate) use crate::terminal::screen::status_area::Size;
use crate::terminal::screen::status_area::StatusArea;
use crate::terminal::{blocking, shown};

/// While this exists nothing is drawn: output is being written, perhaps in the middle of a character.
pub(crate) struct DisplayHold(());

struct Screen {
    display: DisplayState,
    status_area: StatusArea,
    /// How many [`DisplayHold`] there are.
    holders: usize,
    /// Messages that wait until an output is complete that an earlier run has begun to print.
    put_off: Option<String>,
}

/// Whether there is a display.
#[derive(Clone, Copy, PartialEq)]
enum DisplayState {
    Off,
    /// Announced, but nothing was drawn yet.
    Announced,
    On,
    /// There must be none, even if one is announced.
    Refused,
}

static SCREEN: Mutex<Screen> = Mutex::new(Screen {
    display: DisplayState::Off,
    status_area: StatusArea::new(),
    holders: 0,
    put_off: None,
});

/// Set while procpool is being stopped or ended. Outside of the lock, for a write to a terminal that was
/// halted (Ctrl-S) may hold that for ever.
static IS_SUSPENDED: AtomicBool = AtomicBool::new(false);

/// Whether messages wait. Outside of the lock for the same reason.
static IS_PUT_OFF: AtomicBool = AtomicBool::new(false);

/// How long to try to erase the display before procpool stops or ends.
const PATIENCE: Duration = Duration::from_millis(200);

/// Prints whole lines to standard error. Errors are ignored: no message changes what procpool does.
/// (`eprintln!` panics if standard error is full or closed.)
pub(crate) fn say(text: &str) {
    let text = shown::message(text);
    let mut screen = lock();
    if let Some(put_off) = &mut screen.put_off {
        return put_off.push_str(&text);
    }
    let mut bytes = screen.status_area.erase().to_vec();
    bytes.extend(screen.status_area.fresh_line());
    bytes.extend(text.as_bytes());
    screen.status_area.note(text.as_bytes());
    // A single write, so that the display does not flicker.
    bytes.extend(screen.redrawing());
    write(&bytes);
}

/// Makes messages wait: a line that an earlier run has begun to print may go to the same file, and has to be
/// completed first.
pub(crate) fn put_off_words() {
    IS_PUT_OFF.store(true, Ordering::Release);
    lock().put_off.get_or_insert_default();
}

/// Prints the messages that have waited. If none can have, it does not touch the lock, which may be held for
/// ever.
pub(crate) fn say_what_waits() {
    if !IS_PUT_OFF.swap(false, Ordering::AcqRel) {
        return;
    }
    let put_off = lock().put_off.take();
    put_off.filter(|text| !text.is_empty()).iter().for_each(|text| say(text));
}

/// Whether a display can be drawn on standard error.
pub(crate) fn can_draw() -> bool {
    // Without TERM, or with `dumb`, a terminal is assumed to understand no sequences.
    let understands = std::env::var_os("TERM").is_some_and(|name| !name.is_empty() && name != "dumb");
    understands && std::io::stderr().is_terminal()
}

/// Allows lines below the output from now on.
pub(crate) fn announce_display() {
    let mut screen = lock();
    if screen.display == DisplayState::Off {
        screen.display = DisplayState::Announced;
    }
}

/// Forbids a display for good: the user types input on this terminal, and its echo and the display would mix.
pub(crate) fn leave_to_keyboard() {
    lock().display = DisplayState::Refused;
}

/// Whether anything of the display was drawn.
pub(crate) fn has_display() -> bool {
    lock().display == DisplayState::On
}

/// Whether this is our process group. Its number is 0 if the leader is in another PID namespace.
pub(crate) fn is_own_group(group: Pid) -> bool {
    nix::unistd::getpgrp().as_raw() == group.as_raw_pid()
}

/// The size of the terminal; `None` if nothing can be drawn on it now.
pub(crate) fn size() -> Option<Size> {
    // Another process group is in the foreground. If this is not the controlling terminal, the call fails,
    // and there is no background.
    let is_in_background = tcgetpgrp(stdio::stderr()).is_ok_and(|group| !is_own_group(group));
    // A program that reads single keys uses it, such as a pager that shows the output.
    let is_taken = !tcgetattr(stdio::stderr()).ok()?.local_modes.contains(LocalModes::ICANON);
    if is_in_background || is_taken {
        return None;
    }
    let size = tcgetwinsize(stdio::stderr()).ok()?;
    // Terminals without a known size get the classic one.
    let or = |told: u16, usual| if told == 0 { usual } else { usize::from(told) };
    Some(Size { columns: or(size.ws_col, 80), rows: or(size.ws_row, 24) })
}

/// Shows these lines below the output, unless output is being written.
pub(crate) fn draw(lines: Vec<String>, size: Size) {
    let mut screen = lock();
    if !matches!(screen.display, DisplayState::Announced | DisplayState::On) || screen.is_barred() {
        return;
    }
    if let Some(drawing) = screen.status_area.show(lines, size) {
        screen.display = DisplayState::On;
        write(&drawing);
    }
}

/// Hides the display while output is written to the terminal.
pub(crate) fn hold() -> DisplayHold {
    let mut screen = lock();
    screen.holders += 1;
    write(screen.status_area.erase());
    DisplayHold(())
}

impl DisplayHold {
    /// Notes output that was written to the terminal.
    pub(crate) fn note(&self, bytes: &[u8]) {
        let DisplayHold(()) = self;
        lock().status_area.note(bytes);
    }
}

impl Drop for DisplayHold {
    fn drop(&mut self) {
        let mut screen = lock();
        screen.holders -= 1;
        write(&screen.redrawing());
    }
}

impl Screen {
    /// Whether drawing is forbidden at the moment.
    fn is_barred(&self) -> bool {
        self.holders > 0 || IS_SUSPENDED.load(Ordering::Acquire)
    }

    /// The bytes that restore the display at once; otherwise it would be hidden until the next tick. Empty if
    /// there was none.
    fn redrawing(&mut self) -> Vec<u8> {
        if self.display != DisplayState::On || self.is_barred() {
            return Vec::new();
        }
        size().and_then(|size| self.status_area.redraw(size)).unwrap_or_default()
    }
}

/// Removes the display for good.
pub(crate) fn end_display() {
    let mut screen = lock();
    screen.display = DisplayState::Off;
    write(screen.status_area.erase());
}

/// Erases the display because procpool is about to stop or to end. Does not wait for a terminal that accepts
/// nothing.
pub(crate) fn suspend() {
    IS_SUSPENDED.store(true, Ordering::Release);
    let until = Instant::now() + PATIENCE;
    loop {
        match SCREEN.try_lock() {
            Ok(mut screen) => return write(screen.status_area.erase()),
            Err(TryLockError::Poisoned(screen)) => return write(screen.into_inner().status_area.erase()),
            Err(TryLockError::WouldBlock) if Instant::now() > until => return,
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(1)),
        }
    }
}

/// Allows drawing again after [`suspend`].
pub(crate) fn resume() {
    IS_SUSPENDED.store(false, Ordering::Release);
}

/// Erases the display of another process, which was killed.
pub(crate) fn wipe() {
    write(StatusArea::ERASE);
}

fn lock() -> MutexGuard<'static, Screen> {
    SCREEN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write(bytes: &[u8]) {
    let mut rest = bytes;
    while !rest.is_empty() {
        // If seccomp refuses write(2), writev(2) may still work, to report that.
        let by_vector = |_| writev(stdio::stderr(), &[IoSlice::new(rest)]);
        let Ok(count) = blocking::write(stdio::stderr(), rest).or_else(by_vector) else { return };
        rest = &rest[count..];
    }
}
