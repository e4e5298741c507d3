//! Notes, to the byte, how far the outputs of a list have been printed. A resume after a kill continues
//! there.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use procpool_core::Source;
use rustix::fs::{OFlags, fcntl_getfl};

use procpool_journal::os::file_id::FileId;
use procpool_journal::write::print_log::{FilePlace, LastByte, PartialStream, PrintLog};

/// The progress on one stream.
#[derive(Clone)]
pub(crate) struct PrintProgress {
    printed: Arc<PrintLog>,
    source: Source,
    /// A file itself shows how much of an output it has.
    pub(crate) is_to_file: bool,
    /// The length of the file before this run printed anything. Messages of procpool may go to that file,
    /// too.
    pub(crate) length_before: u64,
}

/// The most bytes that are written at once to anything but a file. Such a write is atomic, so a kill can't
/// cut it (pipe(7), `PIPE_BUF`).
pub(crate) const PIECE: usize = 4096;

/// The size of a page. If pages are larger, they still begin at a multiple of this.
const PAGE: u64 = 4096;

impl PrintProgress {
    /// `file` is where outputs go.
    pub(crate) fn new(printed: Arc<PrintLog>, source: Source, file: Option<&File>) -> PrintProgress {
        let metadata = file.and_then(|file| file.metadata().ok()).filter(std::fs::Metadata::is_file);
        PrintProgress {
            printed,
            source,
            is_to_file: metadata.is_some(),
            length_before: metadata.map_or(0, |metadata| metadata.len()),
        }
    }

    /// Notes that an output begins here.
    pub(crate) fn begin(&self, file: &File) {
        if let Some(place) = self.is_to_file.then(|| place(file)).flatten() {
            self.printed.begin_at(self.source, place);
        }
    }

    /// Notes that this many more bytes of it will be written at once.
    ///
    /// # Errors
    /// If that can't be noted.
    pub(crate) fn announce(&self, bytes: usize) -> io::Result<()> {
        self.printed.announce(self.source, bytes as u64)
    }

    /// Notes that these bytes, which were announced, have been written.
    ///
    /// # Errors
    /// If that can't be noted.
    pub(crate) fn count(&self, written: &[u8]) -> io::Result<()> {
        let Some(last) = written.last().map(|byte| LastByte::of(*byte)) else { return Ok(()) };
        let count = written.len() as u64;
        if self.is_to_file {
            self.printed.count_later(self.source, count, last);
            return Ok(());
        }
        self.printed.count(self.source, count, last)
    }
}

/// Where the next byte goes; `None` if this is not a file.
fn place(file: &File) -> Option<FilePlace> {
    let metadata = file.metadata().ok().filter(std::fs::Metadata::is_file)?;
    let offset = match fcntl_getfl(file) {
        Ok(flags) if flags.contains(OFlags::APPEND) => metadata.len(),
        _ => (&*file).stream_position().ok()?,
    };
    Some(FilePlace { file: FileId::from(&metadata), offset })
}

/// How many bytes of an output are in place, according to the log of the run that ended and to the file
/// itself: a write may have been completed and not noted. `length` is the file's length before this run added
/// anything. `write` writes the output, in the shape that it had, to its argument. `None` if something else
/// is in its place.
///
/// # Errors
/// Those of `write`, and those of reading the file.
pub(crate) fn delivered(
    file: Option<&File>,
    length: u64,
    part: PartialStream,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<Option<u64>> {
    let (Some(there), Some(file)) = (part.place, file) else { return Ok(Some(part.bytes)) };
    let is_same = |metadata: &std::fs::Metadata| FileId::from(metadata) == there.file;
    let Some(metadata) = file.metadata().ok().filter(is_same) else { return Ok(Some(part.bytes)) };
    let length = length.min(metadata.len());
    // It is open for writing; reading takes another descriptor.
    let Ok(mut readable) = File::open(format!("/proc/self/fd/{}", file.as_raw_fd())) else {
        return Ok(Some(part.bytes));
    };
    readable.seek(SeekFrom::Start(there.offset))?;
    let readable = readable.take(length.saturating_sub(there.offset));
    let mut comparison = Comparison { readable, same: 0, is_over: false };
    write(&mut comparison)?;
    let same = comparison.same;
    Ok(if !comparison.is_over || there.offset + same == length {
        // The file has all of it, or ends within it.
        Some(same)
    } else if same >= part.bytes {
        // Something else follows it, perhaps a message of an earlier resume. That may begin like the bytes
        // that were due, although those were never written.
        Some(part.bytes + whole(part, there.offset, same - part.bytes))
    } else {
        // The file was emptied and has new contents, or what was printed is the output of an attempt whose
        // record is lost.
        None
    })
}

/// Whether an output whose rest is lost was cut within a line. The file itself tells, or else the log.
///
/// # Errors
/// If the file can't be read.
pub(crate) fn is_within_line(file: Option<&File>, length: u64, part: PartialStream) -> io::Result<bool> {
    // Anything but a file may have got any part of the write under way. An empty line is better than two
    // lines in one.
    let may_be_torn = part.place.is_none() && part.under_way > 0;
    let noted = may_be_torn || part.bytes > 0 && part.last == LastByte::IsWithinLine;
    let (Some(there), Some(file)) = (part.place, file) else { return Ok(noted) };
    let is_same = |metadata: &std::fs::Metadata| FileId::from(metadata) == there.file;
    let Some(last) = length.checked_sub(1).filter(|last| *last >= there.offset) else { return Ok(false) };
    if !file.metadata().is_ok_and(|metadata| is_same(&metadata)) {
        return Ok(noted);
    }
    let Ok(readable) = File::open(format!("/proc/self/fd/{}", file.as_raw_fd())) else { return Ok(noted) };
    let mut byte = [0];
    let count = readable.read_at(&mut byte, last)?;
    Ok(count == 1 && byte != *b"\n")
}

/// How much of a write under way is in the file, if `alike` of its bytes match: all of it, or as much as a
/// kill lets through. The kernel checks for a fatal signal after each page, so a torn write ends on a page
/// boundary.
fn whole(part: PartialStream, offset: u64, alike: u64) -> u64 {
    if alike >= part.under_way {
        return part.under_way;
    }
    let start = offset + part.bytes;
    let last_page = (start + alike) / PAGE * PAGE;
    last_page.saturating_sub(start)
}

/// Counts how many bytes of a file match what is written.
struct Comparison {
    readable: io::Take<File>,
    same: u64,
    is_over: bool,
}

impl Write for Comparison {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut there = Vec::new();
        if !self.is_over {
            Read::by_ref(&mut self.readable).take(bytes.len() as u64).read_to_end(&mut there)?;
            let same = there.iter().zip(bytes).take_while(|(one, other)| one == other).count();
            self.same += same as u64;
            self.is_over = same < bytes.len();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Skips the first bytes.
pub(crate) struct UnprintedRest<W> {
    pub(crate) writer: W,
    pub(crate) left_out: u64,
}

impl<W: Write> Write for UnprintedRest<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let skipped = usize::try_from(self.left_out).unwrap_or(usize::MAX).min(bytes.len());
        self.left_out -= skipped as u64;
        match &bytes[skipped..] {
            [] => Ok(skipped),
            rest => Ok(skipped + self.writer.write(rest)?),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// How many bytes of `output` count as delivered if the file has these contents and `noted` bytes were
    /// noted from byte 2 on.
    fn found(contents: &str, noted: u64, output: &str) -> Option<u64> {
        found_under_way(contents, noted, 0, output)
    }

    fn found_under_way(contents: &str, noted: u64, under_way: u64, output: &str) -> Option<u64> {
        let temporary = tempfile::Builder::new().tempdir().unwrap();
        let path = temporary.path().join("out");
        fs::write(&path, contents).unwrap();
        let file = File::options().append(true).open(&path).unwrap();
        let place = place(&file).map(|place| FilePlace { offset: 2, ..place });
        let part = PartialStream { bytes: noted, under_way, place, ..PartialStream::default() };
        // Whatever follows a bar was added later.
        let length = contents.find('|').unwrap_or(contents.len()) as u64;
        delivered(Some(&file), length, part, |writer| writer.write_all(output.as_bytes())).unwrap()
    }

    #[test]
    fn a_file_says_itself_how_much_of_an_output_it_has() {
        assert_eq!(found("--", 0, "hello"), Some(0));
        assert_eq!(found("--hel", 0, "hello"), Some(3));
        assert_eq!(found("--hel", 3, "hello"), Some(3));
        assert_eq!(found("--hello", 3, "hello"), Some(5));
        assert_eq!(found("--hello, somebody else", 5, "hello"), Some(5));
        assert_eq!(found("--hel and somebody else", 3, "hello"), Some(3));
        assert_eq!(found("--somebody else", 0, "hello"), Some(0));
        assert_eq!(found("", 5, "hello"), None);
        assert_eq!(found("--another", 5, "hello"), None);
        assert_eq!(found("--hel|procpool: ", 0, "hello"), Some(3));
        assert_eq!(found("--|procpool: ", 0, "hello"), Some(0));
    }

    #[test]
    fn a_write_that_was_done_and_not_noted_is_known_by_what_the_file_has_though_others_have_written_behind_it()
     {
        assert_eq!(found_under_way("--hello, procpool: 5 jobs", 0, 5, "hello, world"), Some(5));
        assert_eq!(found_under_way("--hello, procpool: 5 jobs", 2, 5, "hello, world"), Some(7));
        assert_eq!(found_under_way("--hello, procpool: 5 jobs", 2, 4, "hello, procrastination"), Some(6));
        // The write was never begun, and a message begins like the bytes that were due.
        assert_eq!(found_under_way("--hello, procpool: 5 jobs", 7, 8, "hello, procrastination"), Some(7));
        assert_eq!(found_under_way("--hello, procpool: 5 jobs", 9, 9, "hello, procrastination"), Some(9));
    }

    #[test]
    fn of_a_write_that_was_cut_by_a_kill_whole_pages_are_there() {
        let output = "x".repeat(10_000);
        let there = |count: usize| format!("--{}procpool: 5 jobs", "x".repeat(count));
        assert_eq!(found_under_way(&there(8190), 0, 10_000, &output), Some(8190));
        assert_eq!(found_under_way(&there(8190), 4000, 6000, &output), Some(8190));
        assert_eq!(found_under_way(&there(8191), 4000, 6000, &output), Some(8190));
        assert_eq!(found_under_way(&there(4000), 4000, 6000, &output), Some(4000));
    }

    #[test]
    fn elsewhere_what_was_noted_counts() {
        let part = PartialStream { bytes: 3, under_way: 2, ..PartialStream::default() };
        assert_eq!(delivered(None, 0, part, |_| Ok(())).unwrap(), Some(3));
        let part = PartialStream {
            bytes: 3,
            under_way: 2,
            place: Some(FilePlace { file: FileId::default(), offset: 0 }),
            ..PartialStream::default()
        };
        let file = File::open("/dev/null").unwrap();
        assert_eq!(delivered(Some(&file), 0, part, |_| Ok(())).unwrap(), Some(3));
    }

    #[test]
    fn the_rest_is_what_comes_after_the_first_bytes() {
        let mut rest = UnprintedRest { writer: Vec::new(), left_out: 5 };
        for piece in ["abc", "def", "ghi"] {
            rest.write_all(piece.as_bytes()).unwrap();
        }
        assert_eq!(rest.writer, b"fghi");
    }
}
