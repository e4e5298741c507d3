//! Files of what running jobs have written so far, so that `procpool show` works on any machine: one file per
//! output. It is created when a job has run for a second and has written something, and removed when the job
//! has ended. The outputs that count are recorded elsewhere.
//!
//! A file begins with a line of 20 digits, the offset in the output of its first byte. It has only the end of
//! a long output, so that a job that writes endlessly costs no more than a few megabytes a second.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use procpool_core::{Processes, Source};

use crate::files::file::JournalFile;
use crate::files::folder::Folder;
use crate::os::threads;

/// The file of an output of an attempt, given by position and number, that this writer runs.
pub(crate) fn file(folder: &Folder, writer: &str, attempt: (u64, u32), source: Source) -> JournalFile {
    let (seq, attempt) = attempt;
    let source = match source {
        Source::Stdout => "stdout",
        Source::Stderr => "stderr",
    };
    folder.live(&format!("{writer}.{seq}.{attempt}.{source}"))
}

/// Removes the files of writers whose names begin like this: none of their jobs runs any more.
pub fn forget(folder: &Folder, beginning: &str) {
    for (_, file) in folder.logs(&format!("live-{beginning}")).unwrap_or_default() {
        // If it stays it takes space, nothing else.
        let _ = file.remove();
    }
}

/// A thread that writes the files, until this is dropped.
pub struct LiveOutputs {
    /// Dropping it ends the thread.
    goes_on: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// The pause between two updates.
const LOOK: Duration = Duration::from_secs(1);

/// A file that would get longer than this is begun again.
const LONGEST: u64 = 4 * 1024 * 1024;

/// At most this much of the end of an output is written at once.
const LATEST: usize = 1024 * 1024;

/// The length of the line that a file begins with.
const HEAD: u64 = 21;

impl LiveOutputs {
    /// Writes what these processes write, as the writer of this name. If no thread can be started, nothing is
    /// written.
    #[must_use]
    pub fn show(folder: Folder, writer: String, processes: Processes) -> LiveOutputs {
        let (goes_on, end) = channel::<()>();
        let mut shown = LiveWriter { folder, writer, outputs: HashMap::new() };
        let thread = threads::start("procpool-live", move || {
            while end.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                shown.look(&processes);
            }
            shown.forget_but(&[]);
        });
        LiveOutputs { goes_on: Some(goes_on), thread: thread.ok() }
    }
}

impl Drop for LiveOutputs {
    fn drop(&mut self) {
        self.goes_on = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The state of that thread.
struct LiveWriter {
    folder: Folder,
    writer: String,
    /// By position and attempt: all that have been seen running.
    outputs: HashMap<(u64, u32), [LiveStream; 2]>,
}

/// How far an output has been written to its file.
#[derive(Clone, Copy, Debug, Default)]
struct LiveStream {
    /// The offset in the output up to which it has been written.
    until: u64,
    /// The length of its file; 0 if there is no file.
    length: u64,
    /// It could not be written.
    failed: bool,
}

impl LiveWriter {
    fn look(&mut self, processes: &Processes) {
        let list = processes.list();
        let running: Vec<(u64, u32)> =
            list.iter().map(|process| (process.seq.get(), process.attempt)).collect();
        self.forget_but(&running);
        for (process, attempt) in list.iter().zip(running) {
            // An attempt that is seen for the first time may end in a moment, so it gets no file yet.
            let Some(outputs) = self.outputs.get_mut(&attempt) else {
                self.outputs.insert(attempt, <[LiveStream; 2]>::default());
                continue;
            };
            for (output, source) in outputs.iter_mut().zip([Source::Stdout, Source::Stderr]) {
                let (mut at, mut piece) = processes.output_since(process, source, output.until, LATEST);
                if output.is_filled_by(&piece) {
                    output.length = 0;
                    (at, piece) = processes.output_since(process, source, 0, LATEST);
                }
                if !piece.is_empty() && !output.failed {
                    let file = file(&self.folder, &self.writer, attempt, source);
                    // The file is only for people to read, so an error doesn't fail the run.
                    output.failed = output.add(&file, at, &piece).is_err();
                }
            }
        }
    }

    /// Removes the files of all attempts that don't run any more.
    fn forget_but(&mut self, running: &[(u64, u32)]) {
        let (folder, writer) = (&self.folder, &self.writer);
        self.outputs.retain(|attempt, outputs| {
            let goes_on = running.contains(attempt);
            for (output, source) in outputs.iter().zip([Source::Stdout, Source::Stderr]) {
                if !goes_on && output.length > 0 {
                    let _ = file(folder, writer, *attempt, source).remove();
                }
            }
            goes_on
        });
    }
}

impl LiveStream {
    /// Whether the file would get too long.
    fn is_filled_by(&self, piece: &[u8]) -> bool {
        self.length + piece.len() as u64 > LONGEST
    }

    /// Writes a piece that begins at this offset of the output.
    fn add(&mut self, file: &JournalFile, at: u64, piece: &[u8]) -> io::Result<()> {
        let length = piece.len() as u64;
        let goes_on = at == self.until && self.length > 0 && !self.is_filled_by(piece);
        let appended = if goes_on { append(file, piece) } else { Err(io::ErrorKind::NotFound.into()) };
        self.length = match appended {
            Ok(()) => self.length + length,
            // There is none yet, or it was removed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make(file, at, piece)?;
                length
            }
            Err(error) => return Err(error),
        };
        self.until = at + length;
        Ok(())
    }
}

/// The file is closed each time: then a shared file system shows it on other machines.
fn append(file: &JournalFile, piece: &[u8]) -> io::Result<()> {
    file.open_to_append()?.write_all(piece)
}

/// Creates the file, whole or not at all.
fn make(file: &JournalFile, at: u64, piece: &[u8]) -> io::Result<()> {
    let new = file.with_suffix(".new");
    let mut made = new.make_anew()?;
    made.write_all(&[format!("{at:020}\n").as_bytes(), piece].concat())?;
    new.rename_to(file)
}

/// An output of a running job.
pub struct LiveOutput {
    /// The offset in the output at which `bytes` begins.
    pub from: u64,
    /// How many bytes there are by now.
    pub length: u64,
    /// The bytes.
    pub bytes: io::Take<File>,
}

/// Reads such a file; `None` if there is none, or it can't be understood.
pub(crate) fn read(file: &JournalFile) -> Option<LiveOutput> {
    let mut file = file.open().ok()?;
    let length = file.metadata().ok()?.len().checked_sub(HEAD)?;
    let mut head = String::new();
    (&mut file).take(HEAD).read_to_string(&mut head).ok()?;
    let from = head.trim_end().parse().ok()?;
    Some(LiveOutput { from, length, bytes: file.take(length) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(file: &JournalFile) -> (u64, Vec<u8>) {
        let mut bytes = Vec::new();
        let mut live = read(file).unwrap();
        live.bytes.read_to_end(&mut bytes).unwrap();
        assert_eq!(live.length, bytes.len() as u64);
        (live.from, bytes)
    }

    #[test]
    fn an_output_is_written_as_it_grows_and_only_the_end_of_a_long_one() {
        let temporary = tempfile::Builder::new().tempdir().unwrap();
        let (folder, _) = Folder::make(temporary.path()).unwrap();
        let shown = file(&folder, "1-1-0000-1", (17, 2), Source::Stderr);
        assert!(shown.path().ends_with("live-1-1-0000-1.17.2.stderr") && read(&shown).is_none());
        let mut output = LiveStream::default();
        output.add(&shown, 0, b"one\n").unwrap();
        output.add(&shown, 4, b"two\n").unwrap();
        assert_eq!(read_all(&shown), (0, b"one\ntwo\n".to_vec()));
        // What was written in between was too long.
        output.add(&shown, 100, b"three\n").unwrap();
        assert_eq!(read_all(&shown), (100, b"three\n".to_vec()));
        let piece = vec![b'x'; LATEST];
        for times in 0..6 {
            output.add(&shown, 106 + times * LATEST as u64, &piece).unwrap();
        }
        let (from, bytes) = read_all(&shown);
        assert!(bytes.len() as u64 <= LONGEST && from + bytes.len() as u64 == 106 + 6 * LATEST as u64);
        // It was removed: it begins again with what comes.
        shown.remove().unwrap();
        output.add(&shown, output.until, b"four\n").unwrap();
        assert_eq!(read_all(&shown).1, b"four\n");
        let names = || folder.logs("live-").unwrap().len();
        forget(&folder, "1-1-0001");
        assert_eq!(names(), 1);
        forget(&folder, "1-1-0000-");
        assert_eq!(names(), 0);
    }

    #[test]
    fn a_file_that_is_none_of_these_is_not_read() {
        let temporary = tempfile::Builder::new().tempdir().unwrap();
        let (folder, _) = Folder::make(temporary.path()).unwrap();
        let shown = file(&folder, "w", (1, 1), Source::Stdout);
        for text in ["", "0000", "x0000000000000000000\n", "00000000000000000000"] {
            std::fs::write(shown.path(), text).unwrap();
            assert!(read(&shown).is_none(), "{text}");
        }
    }
}
