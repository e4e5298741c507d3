//! How far an output was printed before its run ended, and the words of the file that store this.

use procpool_core::Source;

use crate::os::file_id::FileId;
use crate::write::row_file::OwnBytes;

/// How far the outputs of a job were printed before the run ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartialOutput {
    /// The job's position in the list; 0 if nothing was being printed.
    pub(crate) position: u64,
    /// Its standard output.
    pub stdout: PartialStream,
    /// Its standard error.
    pub stderr: PartialStream,
    /// The offsets in the job's own bytes at which the counts above start: everything before them was
    /// printed.
    pub own: OwnBytes,
}

/// How far one of the outputs was printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartialStream {
    /// How many bytes were written.
    pub bytes: u64,
    /// How many more were being written at once: all, some or none of them may be there.
    pub under_way: u64,
    /// Where in a file they begin, if they went to one.
    pub place: Option<FilePlace>,
    /// How they end.
    pub last: LastByte,
}

/// How the bytes that were written last end, as far as is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LastByte {
    /// With a newline, or there are none.
    #[default]
    EndsLine,
    /// Without a newline.
    IsWithinLine,
}

impl LastByte {
    /// For bytes whose last one is this.
    #[must_use]
    pub fn of(byte: u8) -> LastByte {
        if byte == b'\n' { LastByte::EndsLine } else { LastByte::IsWithinLine }
    }
}

/// A place in a regular file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilePlace {
    /// The file.
    pub file: FileId,
    /// The offset, in bytes.
    pub offset: u64,
}

/// The position of a job that is on no list.
pub(crate) const GONE: u64 = u64::MAX;

/// The words before the bits: the position; six per output; per output, the offset in the job's own bytes at
/// which its count starts; and flags: whether the last byte of an output is within a line, and which other
/// files exist.
pub(super) const POSITION: usize = 0;
pub(super) const PART: usize = 6;
pub(super) const OWN: usize = 13;
pub(super) const FLAGS: usize = 15;
pub(super) const BITS: usize = 16;

/// Flags for the other files: without them a missing file would not be noticed.
pub(super) const HAS_SHAPE: u64 = 1 << 32;
pub(super) const HAS_ROWS: u64 = 1 << 33;

/// The file grows by this many words: room for 32,000 jobs.
pub(super) const STEP: usize = 512;

pub(super) fn first_word(source: Source) -> usize {
    match source {
        Source::Stdout => 1,
        Source::Stderr => 1 + PART,
    }
}

pub(super) fn own_word(source: Source) -> usize {
    match source {
        Source::Stdout => OWN,
        Source::Stderr => OWN + 1,
    }
}

pub(super) fn word_of(position: u64) -> usize {
    usize::try_from(position / 64)
        .map_or(usize::MAX - 1, |word| word.saturating_add(BITS).min(usize::MAX - 1))
}

pub(super) fn bit_of(position: u64) -> u64 {
    1 << (position % 64)
}
