//! Prints jobs' outputs whole: standard output to standard output, standard error to standard error.
//! Knows nothing of their order.

use std::fs::File;
use std::io::{self, BufWriter};

use procpool_core::{Completion, Key, Spool};

use crate::launch::Work;
use crate::sink::tag::Tagged;
use crate::sink::{Sink, Trouble};

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

/// One of our own streams. Not the standard library's: that one takes a write to a closed descriptor for a
/// success, and looks for lines in every byte.
struct Stream {
    file: File,
    name: &'static str,
}

impl Printer {
    /// # Errors
    /// Where procpool has no standard output or standard error.
    pub(crate) fn new(tag: Tag) -> io::Result<Printer> {
        let own = |fd| rustix::io::fcntl_dupfd_cloexec(fd, 3).map(File::from);
        Ok(Printer {
            stdout: Stream { file: own(rustix::stdio::stdout())?, name: "standard output" },
            stderr: Stream { file: own(rustix::stdio::stderr())?, name: "standard error" },
            tag,
        })
    }

    /// Prints what the job with this key has written.
    pub(crate) fn print(&mut self, key: &Key, stdout: &Spool, stderr: &Spool) -> Result<(), Trouble> {
        self.stdout.print(self.tag, key, stdout)?;
        self.stderr.print(self.tag, key, stderr)
    }
}

impl Stream {
    fn print(&mut self, tag: Tag, key: &Key, spool: &Spool) -> Result<(), Trouble> {
        let printed = match tag {
            Tag::Nothing => spool.copy_to(&mut self.file).map(drop),
            Tag::Key => {
                let mut tagged = Tagged::new(BufWriter::new(&mut self.file), key.as_bytes());
                spool.copy_to(&mut tagged).and_then(|_| tagged.finish())
            }
        };
        printed.map_err(|error| Trouble::writing(self.name, error))
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
