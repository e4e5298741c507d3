//! How far an output was printed whose end was never noted, and where that stands among what was printed.
//! Knows nothing of files.

use procpool_core::Source;

use crate::write::row_file::OwnBytes;

/// How far an output was printed whose end was never noted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartialOutput {
    /// The job's position in the list; 0 where there is none.
    pub(crate) position: u64,
    pub stdout: PartialStream,
    pub stderr: PartialStream,
    /// From where on in the job's own bytes they are counted: before that all is there.
    pub own: OwnBytes,
}

/// How far one of its outputs was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartialStream {
    /// So many bytes were written.
    pub bytes: u64,
    /// So many more were being written, all at once: they may be there or not, or some of them.
    pub under_way: u64,
    /// Where in a file they begin, if they went to one.
    pub place: Option<FilePlace>,
    pub last: LastByte,
}

/// How what was written last ends, as far as is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LastByte {
    #[default]
    EndsLine,
    IsWithinLine,
}

impl LastByte {
    pub fn of(byte: u8) -> LastByte {
        if byte == b'\n' { LastByte::EndsLine } else { LastByte::IsWithinLine }
    }
}

/// A place in a regular file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilePlace {
    pub device: u64,
    pub inode: u64,
    pub offset: u64,
}

/// The position of a job that is on no list.
pub(crate) const GONE: u64 = u64::MAX;

/// The words before the bits: the position, then six of each output, from where on in the job's own bytes each is counted, and
/// flags: whether the last byte written of one ends no line, and which files stand beside.
pub(super) const POSITION: usize = 0;
pub(super) const PART: usize = 6;
pub(super) const OWN: usize = 13;
pub(super) const FLAGS: usize = 15;
pub(super) const BITS: usize = 16;

/// Flags: without the file nobody would know that there was more to know.
pub(super) const HAS_SHAPE: u64 = 1 << 32;
pub(super) const HAS_ROWS: u64 = 1 << 33;

/// The file grows by so many words: 32,000 jobs.
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
