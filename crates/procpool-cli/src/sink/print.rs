//! Prints jobs' outputs whole: standard output to standard output, standard error to standard error.
//! Knows nothing of their order.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::os::fd::BorrowedFd;

use procpool_core::{Completion, CopyError, Key, Spool};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::{fcntl_dupfd_cloexec, retry_on_intr};
use rustix::stdio;

use crate::closed::Standard;
use crate::pulse::Pulse;
use crate::sink::tag::Tagged;
use crate::sink::tame::Tame;
use crate::sink::{Sink, Trouble};
use crate::work::Work;

/// Where outputs go, and how their lines begin.
pub(crate) struct Printer {
    stdout: Stream,
    stderr: Stream,
    tag: Tag,
}

/// What each line of output begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tag {
    Nothing,
    Key,
}

/// What of the outputs may control a terminal. To anything else they go as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Control {
    Colour,
    All,
}

/// One of our own streams. Not the standard library's: that one takes a write to a closed descriptor for a
/// success, and looks for lines in every byte.
struct Stream {
    name: &'static str,
    /// The error where it was closed from the start: that matters only to who has something to write.
    file: io::Result<File>,
    passes: Passes,
    pulse: Pulse,
}

/// What of a job's bytes a stream lets through.
#[derive(Clone, Copy)]
enum Passes {
    Everything,
    TextAndColour,
}

impl Printer {
    /// Prints to procpool's own standard output and standard error, with a beat of `pulse` for each piece.
    pub(crate) fn new(tag: Tag, control: Control, pulse: &Pulse) -> Printer {
        let open = |name, which, descriptor| Stream::open(name, which, descriptor, control, pulse.clone());
        Printer {
            stdout: open("standard output", Standard::Output, stdio::stdout()),
            stderr: open("standard error", Standard::Error, stdio::stderr()),
            tag,
        }
    }

    /// Whether a job's key makes a difference to what is printed.
    pub(crate) fn shows_keys(&self) -> bool {
        self.tag == Tag::Key
    }

    /// Prints what the job with this key has written.
    pub(crate) fn print(&mut self, key: &Key, stdout: &Spool, stderr: &Spool) -> Result<(), Trouble> {
        self.stdout.print(self.tag, key, stdout)?;
        self.stderr.print(self.tag, key, stderr)
    }
}

impl Stream {
    fn open(
        name: &'static str,
        which: Standard,
        descriptor: BorrowedFd<'_>,
        control: Control,
        pulse: Pulse,
    ) -> Stream {
        let file = which.check().and_then(|()| Ok(File::from(fcntl_dupfd_cloexec(descriptor, 3)?)));
        let passes = match (control, &file) {
            (Control::Colour, Ok(file)) if file.is_terminal() => Passes::TextAndColour,
            _ => Passes::Everything,
        };
        Stream { name, file, passes, pulse }
    }

    fn print(&mut self, tag: Tag, key: &Key, spool: &Spool) -> Result<(), Trouble> {
        let name = self.name;
        let printed = match self.passes {
            Passes::Everything => self.print_exactly(tag, key, spool),
            Passes::TextAndColour => self.print_tamed(tag, key, spool),
        };
        printed.map_err(|error| Trouble::copying(name, error))
    }

    fn print_exactly(&mut self, tag: Tag, key: &Key, spool: &Spool) -> Result<(), CopyError> {
        match tag {
            Tag::Nothing => spool.copy_to(self).map(drop),
            Tag::Key => {
                let mut tagged = Tagged::new(BufWriter::new(self), key.as_bytes());
                spool.copy_to(&mut tagged)?;
                tagged.finish().map_err(CopyError::Writing)
            }
        }
    }

    fn print_tamed(&mut self, tag: Tag, key: &Key, spool: &Spool) -> Result<(), CopyError> {
        let buffered = BufWriter::new(self);
        let finished = match tag {
            Tag::Nothing => {
                let mut tame = Tame::new(buffered);
                spool.copy_to(&mut tame)?;
                tame.finish().and_then(|mut buffered| buffered.flush())
            }
            Tag::Key => {
                // Tagged last, so that each line is plain where its tag stands. The key as the summary shows it.
                let mut tame = Tame::new(Tagged::new(buffered, key.to_string().as_bytes()));
                spool.copy_to(&mut tame)?;
                tame.finish().and_then(Tagged::finish)
            }
        };
        finished.map_err(CopyError::Writing)
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pulse.beat();
        let file = match &mut self.file {
            Ok(file) => file,
            Err(error) => {
                return Err(error.raw_os_error().map_or(error.kind().into(), io::Error::from_raw_os_error));
            }
        };
        loop {
            match file.write(bytes) {
                // Whoever shares the descriptor has made it so; that says nothing about who reads.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    retry_on_intr(|| poll(&mut [PollFd::new(file, PollFlags::OUT)], None))?;
                }
                result => return result,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink for Printer {
    fn completed(&mut self, completion: &mut Completion<Work>) -> Result<(), Trouble> {
        self.print(completion.key(), completion.stdout(), completion.stderr())
    }

    fn finish(&mut self) -> Result<(), Trouble> {
        Ok(())
    }
}
