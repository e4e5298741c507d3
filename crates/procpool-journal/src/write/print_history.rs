//! What earlier runs have printed: read from the files of the last one, and carried over to the positions of
//! the next list.

use std::io;

use procpool_core::Source;

use crate::files::file::JournalFile;
use crate::files::folder::{rows_of, shape_of};
use crate::format::identity::Hash;
use crate::os::file_id::FileId;
use crate::write::output_shape::{OutputShape, ShapeFile, StoredShape};
use crate::write::partial_output::{
    BITS, FLAGS, FilePlace, HAS_ROWS, HAS_SHAPE, LastByte, PART, POSITION, PartialOutput, PartialStream,
    STEP, bit_of, first_word, own_word, word_of,
};
use crate::write::row_file::{OwnBytes, PrintRow, RowFile};
use crate::write::word_file;

/// The end of the error message for a missing file, without which a resume doesn't know what to print.
pub(crate) const GONE: &str = "is gone, and without it nobody knows what has been printed; put it back, or begin anew in another \
     folder";

/// What earlier runs have printed.
#[derive(Debug, Default)]
pub struct PrintHistory {
    pub(crate) words: Vec<u64>,
    /// The shape of the output that was being printed.
    pub(crate) shape: Option<OutputShape>,
    /// The job whose output was being printed, if it is on no list any more.
    pub(crate) gone: Option<Hash>,
    pub(crate) rows: Vec<PrintRow>,
}

impl PrintHistory {
    /// Notes that the job at this position has nothing more to be printed.
    pub(crate) fn add(&mut self, position: u64) {
        self.reach(word_of(position));
        self.words[word_of(position)] |= bit_of(position);
    }

    /// Notes how far an output was printed, and in which shape.
    pub(crate) fn set_partial(&mut self, partial: PartialOutput, shape: Option<OutputShape>) {
        self.shape = shape;
        self.reach(BITS);
        self.words[POSITION] = partial.position;
        for (source, part) in [(Source::Stdout, partial.stdout), (Source::Stderr, partial.stderr)] {
            let place = part.place.unwrap_or(FilePlace { file: FileId::default(), offset: 0 });
            let is_place = u64::from(part.place.is_some());
            let words =
                [part.bytes, place.file.device, place.file.inode, place.offset, is_place, part.under_way];
            self.words[first_word(source)..][..PART].copy_from_slice(&words);
            self.words[own_word(source)] = partial.own.of(source);
            if part.last == LastByte::IsWithinLine {
                self.words[FLAGS] |= 1 << first_word(source);
            }
        }
    }

    /// Notes how far a job's lines were printed.
    pub(crate) fn add_row(&mut self, row: PrintRow) {
        self.rows.push(row);
    }

    fn reach(&mut self, word: usize) {
        if self.words.len() <= word {
            self.words.resize((word + 1).next_multiple_of(STEP), 0);
        }
    }

    /// Reads the files of a run. If they don't exist nothing was printed.
    pub(crate) fn read(place: &JournalFile) -> io::Result<PrintHistory> {
        const LEAST: usize = STEP * size_of::<u64>();
        let words = word_file::read(place, |length| length >= LEAST && length % LEAST == 0)?;
        let words = words.unwrap_or_default();
        let flags = words.get(FLAGS).copied().unwrap_or_default();
        // A file without its flag was being created when its run was killed.
        let beside = |flag: u64, file: JournalFile| match (flags & flag, file.stat_if_there()?) {
            (0, _) => Ok(None),
            (_, Some(_)) => Ok(Some(file)),
            (_, None) => Err(io::Error::other(format!("{file:?} {GONE}"))),
        };
        let shape = beside(HAS_SHAPE, shape_of(place))?;
        let rows = beside(HAS_ROWS, rows_of(place))?;
        let found = shape.map_or(Ok(StoredShape::default()), |file| ShapeFile::read(&file))?;
        Ok(PrintHistory {
            words,
            shape: found.shape,
            gone: found.gone,
            rows: rows.map_or(Ok(Vec::new()), |file| RowFile::read(&file))?,
        })
    }

    /// How far the lines of jobs were printed.
    pub(crate) fn rows(&self) -> &[PrintRow] {
        &self.rows
    }

    /// The shape of the output that was being printed, if it is known.
    #[must_use]
    pub fn shape(&self) -> Option<&OutputShape> {
        self.shape.as_ref()
    }

    /// Whether all outputs of the job at this position have been printed.
    pub(crate) fn has(&self, position: u64) -> bool {
        self.words.get(word_of(position)).is_some_and(|word| word & bit_of(position) != 0)
    }

    /// How many jobs have nothing more to be printed.
    pub(crate) fn count(&self) -> u64 {
        let bits = self.words.get(BITS..).unwrap_or_default();
        bits.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// The output that was being printed.
    #[must_use]
    pub fn partial(&self) -> PartialOutput {
        let word_at = |number: usize| self.words.get(number).copied().unwrap_or_default();
        let part = |source| {
            let word = |number| word_at(first_word(source) + number);
            let is_within_line = word_at(FLAGS) & (1 << first_word(source)) != 0;
            let place = FilePlace {
                file: FileId { device: word(1), inode: word(2) },
                offset: word(3),
            };
            PartialStream {
                bytes: word(0),
                under_way: word(5),
                place: (word(4) == 1).then_some(place),
                last: if is_within_line { LastByte::IsWithinLine } else { LastByte::EndsLine },
            }
        };
        PartialOutput {
            position: word_at(POSITION),
            stdout: part(Source::Stdout),
            stderr: part(Source::Stderr),
            own: OwnBytes {
                stdout: word_at(own_word(Source::Stdout)),
                stderr: word_at(own_word(Source::Stderr)),
            },
        }
    }
}
