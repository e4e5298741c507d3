//! A pseudo-terminal, for the cases in which procpool must believe that a person sits there.
//! Does not know procpool.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;

use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::{DEADLINE, Folder, Listener, Trial, comes_true};

/// Both ends of it; what is written on it is collected.
pub(crate) struct Terminal {
    keyboard: File,
    device: File,
    screen: Listener,
}

impl Terminal {
    pub(crate) fn new() -> Terminal {
        let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&keyboard).unwrap();
        unlockpt(&keyboard).unwrap();
        let name = ptsname(&keyboard, Vec::new()).unwrap();
        let mut options = OpenOptions::new();
        options.read(true).write(true).custom_flags(i32::try_from(OFlags::NOCTTY.bits()).unwrap());
        let device = options.open(std::ffi::OsStr::from_bytes(name.as_bytes())).unwrap();
        let keyboard = File::from(keyboard);
        let screen = Listener::new(Some(keyboard.try_clone().unwrap()));
        Terminal { keyboard, device, screen }
    }

    /// The end that a program is given.
    pub(crate) fn device(&self) -> File {
        self.device.try_clone().unwrap()
    }

    /// `procpool run` as a person starts it: the terminal is all its streams and may send it signals.
    pub(crate) fn run(&self, folder: &Folder, words: &str) -> Trial {
        let begin = ["--ctty", "procpool", "run"];
        let trial = folder.command("setsid").args(begin).args(words.split_whitespace());
        trial.stdin(self.device()).stdout(self.device()).stderr(self.device())
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// What is on the screen; a terminal ends its lines with a carriage return too.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.screen.heard()).unwrap().replace('\r', "")
    }

    #[track_caller]
    pub(crate) fn shows(&self, text: &str) {
        let shown = comes_true(DEADLINE, || self.text().contains(text));
        assert!(shown, "waited in vain for {text:?} on the terminal; there is: {:?}", self.text());
    }
}
