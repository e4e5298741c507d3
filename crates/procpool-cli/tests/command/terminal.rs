//! A pseudo-terminal, for cases in which procpool has to believe that a user is there.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;

use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, OptionalActions, Winsize, tcgetattr, tcsetattr, tcsetwinsize};

use crate::{DEADLINE, Folder, Listener, Trial, comes_true};

/// What a terminal shows after it was sent some bytes.
pub(crate) struct Picture(vt100::Parser);

impl Picture {
    pub(crate) fn of(bytes: &[u8], columns: u16, rows: u16) -> Picture {
        let side = |length: u16| length.try_into().unwrap();
        let mut parser = vt100::Parser::new(side(rows), side(columns), 100_000);
        parser.process(bytes);
        Picture(parser)
    }

    /// The visible lines.
    pub(crate) fn screen(&self) -> String {
        self.0.screen().contents()
    }

    pub(crate) fn has_cursor(&self) -> bool {
        !self.0.screen().hide_cursor()
    }

    /// All lines that have remained on the screen or above it, as a user scrolls back to them.
    pub(crate) fn history(mut self) -> Vec<String> {
        let screen = self.0.screen_mut();
        let (rows, columns): (usize, u16) = (screen.size().0.get().into(), screen.size().1.into());
        screen.set_scrollback(usize::MAX);
        let mut lines = Vec::new();
        for offset in (1..=screen.scrollback()).rev() {
            screen.set_scrollback(offset);
            lines.extend(screen.rows(0, columns).next());
        }
        screen.set_scrollback(0);
        lines.extend(screen.rows(0, columns).take(rows));
        lines
    }
}

/// The two ends of a pseudo-terminal: the user's and the program's.
pub(crate) fn pair() -> (File, File) {
    let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&keyboard).unwrap();
    unlockpt(&keyboard).unwrap();
    let name = ptsname(&keyboard, Vec::new()).unwrap();
    let mut options = OpenOptions::new();
    options.read(true).write(true).custom_flags(i32::try_from(OFlags::NOCTTY.bits()).unwrap());
    let device = options.open(std::ffi::OsStr::from_bytes(name.as_bytes())).unwrap();
    let keyboard = File::from(keyboard);
    (keyboard, device)
}

/// Both ends of a pseudo-terminal. A thread collects what is written to it.
pub(crate) struct Terminal {
    keyboard: File,
    device: File,
    screen: Listener,
}

impl Terminal {
    pub(crate) fn new() -> Terminal {
        let (keyboard, device) = pair();
        let screen = Listener::new(Some(keyboard.try_clone().unwrap()));
        Terminal { keyboard, device, screen }
    }

    /// The end for a program.
    pub(crate) fn device(&self) -> File {
        self.device.try_clone().unwrap()
    }

    /// `procpool run` as a user starts it: the terminal is all of its standard streams, and its controlling
    /// terminal.
    pub(crate) fn run(&self, folder: &Folder, words: &str) -> Trial {
        let begin = ["--ctty", "procpool", "run"];
        let trial = folder.command("setsid").args(begin).args(words.split_whitespace());
        trial.stdin(self.device()).stdout(self.device()).stderr(self.device())
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    pub(crate) fn resize(&self, columns: u16, rows: u16) {
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&self.device, size).unwrap();
    }

    /// Makes it deliver single keys, as a pager does.
    pub(crate) fn read_keys(&self) {
        let mut modes = tcgetattr(&self.device).unwrap();
        modes.local_modes -= LocalModes::ICANON | LocalModes::ECHO;
        tcsetattr(&self.device, OptionalActions::Now, &modes).unwrap();
    }

    /// All bytes that were written to it.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.screen.heard()
    }

    /// What a user sees on it in 24 lines of 80 columns.
    pub(crate) fn picture(&self) -> Picture {
        Picture::of(&self.bytes(), 80, 24)
    }

    /// Waits until a user sees this.
    #[track_caller]
    pub(crate) fn comes_to_show(&self, text: &str) {
        let shown = comes_true(DEADLINE, || self.picture().screen().contains(text));
        assert!(shown, "waited in vain to see {text:?}; there is: {:?}", self.picture().screen());
    }

    /// All that was written to it, without the carriage returns that a terminal adds to line ends.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.screen.heard()).unwrap().replace('\r', "")
    }

    #[track_caller]
    pub(crate) fn shows(&self, text: &str) {
        let shown = comes_true(DEADLINE, || self.text().contains(text));
        assert!(shown, "waited in vain for {text:?} on the terminal; there is: {:?}", self.text());
    }
}
