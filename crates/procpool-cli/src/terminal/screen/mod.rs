//! The one way to standard error, and what stands on the terminal below the output: whoever writes there asks here.
//! Knows nothing of what is said or shown.
//!
//! A process has one standard error and is on one terminal, so this is a static. Its lock is held for single writes
//! and never while a job's output is delivered: [`DisplayHold`] keeps the display away for so long.

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

/// As long as this lives, nothing is drawn: output is on its way, and may be in the middle of a character.
pub(crate) struct DisplayHold(());

struct Screen {
    display: DisplayState,
    status_area: StatusArea,
    /// How many [`DisplayHold`] there are.
    holders: usize,
    /// What is to be said once an output has been finished that an earlier run has begun.
    put_off: Option<String>,
}

/// Whether there is a display.
#[derive(Clone, Copy, PartialEq)]
enum DisplayState {
    Off,
    /// It is announced, and nothing of it has been seen yet.
    Announced,
    On,
    /// There must be none, whoever announces it.
    Refused,
}

static SCREEN: Mutex<Screen> = Mutex::new(Screen {
    display: DisplayState::Off,
    status_area: StatusArea::new(),
    holders: 0,
    put_off: None,
});

/// Set while procpool is being stopped or ended. Apart from the lock, which a write to a terminal that was halted
/// (Ctrl-S) may hold for ever.
static IS_SUSPENDED: AtomicBool = AtomicBool::new(false);

/// Whether what is said waits. Apart from the lock for the same reason.
static IS_PUT_OFF: AtomicBool = AtomicBool::new(false);

/// So long it is tried to take the display away before procpool stops or ends.
const PATIENCE: Duration = Duration::from_millis(200);

/// Says something on standard error: whole lines. Who can't read it misses it: nothing that is said there changes
/// what procpool does. (And unlike `eprintln!` this doesn't panic where standard error is full or closed.)
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
    // In one write: what stands there does not flicker.
    bytes.extend(screen.redrawing());
    write(&bytes);
}

/// From now on what is said waits: a line that an earlier run has begun may go to the same file, and is to be finished first.
pub(crate) fn put_off_words() {
    IS_PUT_OFF.store(true, Ordering::Release);
    lock().put_off.get_or_insert_default();
}

/// Says what has waited, if anything has. Else procpool leaves here without looking who holds the lock.
pub(crate) fn say_what_waits() {
    if !IS_PUT_OFF.swap(false, Ordering::AcqRel) {
        return;
    }
    let put_off = lock().put_off.take();
    put_off.filter(|text| !text.is_empty()).iter().for_each(|text| say(text));
}

/// Whether a display can be drawn on standard error.
pub(crate) fn can_draw() -> bool {
    // A terminal that doesn't say what it understands is taken for one that understands nothing.
    let understands = std::env::var_os("TERM").is_some_and(|name| !name.is_empty() && name != "dumb");
    understands && std::io::stderr().is_terminal()
}

/// From now on lines may stand below the output.
pub(crate) fn announce_display() {
    let mut screen = lock();
    if screen.display == DisplayState::Off {
        screen.display = DisplayState::Announced;
    }
}

/// Somebody types on this terminal: what the terminal echoes and what is drawn there would garble each other.
pub(crate) fn leave_to_keyboard() {
    lock().display = DisplayState::Refused;
}

/// Whether any of it has been drawn.
pub(crate) fn has_display() -> bool {
    lock().display == DisplayState::On
}

/// Whether the group is that of this process, which has the number 0 where the group's first process is of another PID namespace.
pub(crate) fn is_own_group(group: Pid) -> bool {
    nix::unistd::getpgrp().as_raw() == group.as_raw_pid()
}

/// How large the terminal is; `None` where nothing can be drawn on it now.
pub(crate) fn size() -> Option<Size> {
    // A shell has it, and procpool runs in the background. Where it is not the terminal of this session there is
    // no background.
    let is_in_background = tcgetpgrp(stdio::stderr()).is_ok_and(|group| !is_own_group(group));
    // A program that reads single keys has it: a pager that shows the output.
    let is_taken = !tcgetattr(stdio::stderr()).ok()?.local_modes.contains(LocalModes::ICANON);
    if is_in_background || is_taken {
        return None;
    }
    let size = tcgetwinsize(stdio::stderr()).ok()?;
    // One that doesn't tell is given the size that all had once.
    let or = |told: u16, usual| if told == 0 { usual } else { usize::from(told) };
    Some(Size { columns: or(size.ws_col, 80), rows: or(size.ws_row, 24) })
}

/// Has these lines stand below the output, unless somebody is writing there.
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

/// Takes the display away for as long as output is written to the terminal.
pub(crate) fn hold() -> DisplayHold {
    let mut screen = lock();
    screen.holders += 1;
    write(screen.status_area.erase());
    DisplayHold(())
}

impl DisplayHold {
    /// This has been written to the terminal.
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
    /// Whether nothing may be drawn just now.
    fn is_barred(&self) -> bool {
        self.holders > 0 || IS_SUSPENDED.load(Ordering::Acquire)
    }

    /// What puts the display back: it must not be away from one job's output to the next look at the run. Nothing
    /// where there was none.
    fn redrawing(&mut self) -> Vec<u8> {
        if self.display != DisplayState::On || self.is_barred() {
            return Vec::new();
        }
        size().and_then(|size| self.status_area.redraw(size)).unwrap_or_default()
    }
}

/// Takes the display away for good.
pub(crate) fn end_display() {
    let mut screen = lock();
    screen.display = DisplayState::Off;
    write(screen.status_area.erase());
}

/// Takes the display away because procpool is about to stop or to be killed. Doesn't wait for a terminal that takes
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

/// procpool goes on.
pub(crate) fn resume() {
    IS_SUSPENDED.store(false, Ordering::Release);
}

/// Takes away what another process has left there: it was killed.
pub(crate) fn wipe() {
    write(StatusArea::ERASE);
}

fn lock() -> MutexGuard<'static, Screen> {
    SCREEN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write(bytes: &[u8]) {
    let mut rest = bytes;
    while !rest.is_empty() {
        // A filter that refuses write(2) may know nothing of the other, and should be told of.
        let by_vector = |_| writev(stdio::stderr(), &[IoSlice::new(rest)]);
        let Ok(count) = blocking::write(stdio::stderr(), rest).or_else(by_vector) else { return };
        rest = &rest[count..];
    }
}
