//! The shape of the output that is being printed (tag, filter for terminals), in a file of its own: a resume
//! that continues an output must count the bytes already printed in the same shape.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use procpool_core::Source;

use crate::files::file::JournalFile;
use crate::format::identity::Hash;
use crate::write::word_file::{self, WordFile};

/// Which of a job's bytes a stream lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamFilter {
    /// All of them.
    Everything,
    /// Text and colours: what a terminal may get.
    TextAndColour,
}

/// The shape of one job's outputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputShape {
    /// The tag with which each line begins, if there is one.
    pub label: Option<Vec<u8>>,
    /// The filter for standard output.
    pub stdout: StreamFilter,
    /// The filter for standard error.
    pub stderr: StreamFilter,
}

/// The file `printed-G.shape`.
pub(crate) struct ShapeFile {
    words: WordFile,
    last: Mutex<Option<OutputShape>>,
}

/// A page: flags, the length of the label, the label, the job whose output it is if that is on no list any
/// more, and a word that stays 0.
const WORDS: usize = 512;
const LABEL: usize = 2;
const GONE: usize = WORDS - 3;
const LONGEST: usize = (GONE - LABEL) * size_of::<u64>();

/// The contents of the file, as a resume reads it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct StoredShape {
    /// `None` if it is unknown: older versions of procpool don't write it.
    pub(crate) shape: Option<OutputShape>,
    /// The job, if it was no longer on a list when its output had to be finished.
    pub(crate) gone: Option<Hash>,
}

/// The flags.
const IS_KNOWN: u64 = 1;
const TAMES_STDOUT: u64 = 2;
const TAMES_STDERR: u64 = 4;
const HAS_LABEL: u64 = 8;

impl OutputShape {
    /// The filter for one of the two outputs.
    #[must_use]
    pub fn passes(&self, source: Source) -> StreamFilter {
        match source {
            Source::Stdout => self.stdout,
            Source::Stderr => self.stderr,
        }
    }
}

impl ShapeFile {
    /// Creates the file, with the shape of the output that an earlier run began, and its job if that is on no
    /// list any more.
    pub(crate) fn create(
        place: &JournalFile,
        before: Option<&OutputShape>,
        gone: Option<Hash>,
    ) -> io::Result<ShapeFile> {
        let words = WordFile::create(place, vec![0; WORDS])?;
        let shape = ShapeFile { words, last: Mutex::default() };
        if let Some(before) = before {
            shape.set(before)?;
        }
        if let Some(gone) = gone {
            shape.words.store(GONE..GONE + 2, |words| words.copy_from_slice(&gone.halves()))?;
        }
        Ok(shape)
    }

    /// Whether the file has this shape now.
    pub(crate) fn is(&self, shape: &OutputShape) -> bool {
        self.last().as_ref() == Some(shape)
    }

    /// Stores the shape of what is printed from now on. No bytes may be counted meanwhile.
    ///
    /// # Errors
    /// If it can't be written.
    pub(crate) fn set(&self, shape: &OutputShape) -> io::Result<()> {
        let label = shape.label.as_deref().unwrap_or_default();
        let mut last = self.last();
        // A label that is too long is stored as an unknown shape.
        let words = if label.len() > LONGEST { vec![0; LABEL] } else { words_of(shape, label) };
        self.words.store(0..words.len(), |before| before.copy_from_slice(&words))?;
        *last = Some(shape.clone());
        Ok(())
    }

    /// Checks that the file is unchanged.
    ///
    /// # Errors
    /// If somebody else has changed it.
    pub(crate) fn check(&self) -> io::Result<()> {
        self.words.check()
    }

    fn last(&self) -> MutexGuard<'_, Option<OutputShape>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the file of an earlier run.
    ///
    /// # Errors
    /// If it can't be read, or has another length.
    pub(crate) fn read(place: &JournalFile) -> io::Result<StoredShape> {
        let words = word_file::read(place, |length| length == WORDS * size_of::<u64>())?;
        Ok(words.map_or_else(StoredShape::default, |words| StoredShape {
            shape: parse(&word_file::bytes(&words)),
            gone: Some(Hash::of_halves([words[GONE], words[GONE + 1]])).filter(|hash| *hash != Hash::NONE),
        }))
    }
}

fn words_of(shape: &OutputShape, label: &[u8]) -> Vec<u64> {
    let flag = |passes: StreamFilter, flag: u64| if passes == StreamFilter::TextAndColour { flag } else { 0 };
    let is_labelled = if shape.label.is_some() { HAS_LABEL } else { 0 };
    let flags = IS_KNOWN | flag(shape.stdout, TAMES_STDOUT) | flag(shape.stderr, TAMES_STDERR) | is_labelled;
    let mut bytes = label.to_vec();
    bytes.resize(label.len().next_multiple_of(size_of::<u64>()), 0);
    [vec![flags, label.len() as u64], word_file::parse(&bytes)].concat()
}

fn parse(bytes: &[u8]) -> Option<OutputShape> {
    let word = |number: usize| {
        let word = bytes.get(number * size_of::<u64>()..)?.first_chunk()?;
        Some(u64::from_ne_bytes(*word))
    };
    let flags = word(0).filter(|flags| flags & IS_KNOWN != 0)?;
    let passes =
        |flag: u64| if flags & flag == 0 { StreamFilter::Everything } else { StreamFilter::TextAndColour };
    let length = usize::try_from(word(1)?).ok()?;
    let label = bytes.get(LABEL * size_of::<u64>()..)?.get(..length)?;
    Some(OutputShape {
        label: (flags & HAS_LABEL != 0).then(|| label.to_vec()),
        stdout: passes(TAMES_STDOUT),
        stderr: passes(TAMES_STDERR),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::folder::Folder;

    fn shape(label: Option<&[u8]>) -> OutputShape {
        OutputShape {
            label: label.map(<[u8]>::to_vec),
            stdout: StreamFilter::TextAndColour,
            stderr: StreamFilter::Everything,
        }
    }

    #[test]
    fn the_last_shape_is_read_back_whatever_the_label() {
        let temporary = tempfile::Builder::new().tempdir().unwrap();
        let (folder, _) = Folder::make(temporary.path()).unwrap();
        let path = folder.shape(1);
        let file = ShapeFile::create(&path, None, None).unwrap();
        assert_eq!(ShapeFile::read(&path).unwrap(), StoredShape::default());
        let long = vec![b'x'; LONGEST];
        for label in [Some(b"key 1\xff".as_slice()), None, Some(b""), Some(&long), Some(b"12345678")] {
            file.set(&shape(label)).unwrap();
            assert_eq!(ShapeFile::read(&path).unwrap().shape, Some(shape(label)));
        }
        file.set(&shape(Some(&vec![b'x'; LONGEST + 1]))).unwrap();
        assert_eq!(ShapeFile::read(&path).unwrap(), StoredShape::default());
        let gone = Hash::of_halves([1, 2]);
        ShapeFile::create(&path, Some(&shape(Some(b"of another run"))), Some(gone)).unwrap();
        let found = StoredShape {
            shape: Some(shape(Some(b"of another run"))),
            gone: Some(gone),
        };
        assert_eq!(ShapeFile::read(&path).unwrap(), found);
    }

    #[test]
    fn where_there_is_no_whole_file_nothing_is_known() {
        let temporary = tempfile::Builder::new().tempdir().unwrap();
        assert_eq!(
            ShapeFile::read(&Folder::make(temporary.path()).unwrap().0.shape(1)).unwrap(),
            StoredShape::default()
        );
        for length in [0, 7, 8, 15, 16, 17] {
            let mut bytes = [IS_KNOWN | HAS_LABEL, 9].map(u64::to_ne_bytes).concat();
            bytes.extend([b'x'; 8]);
            assert_eq!(parse(&bytes[..length]), None, "{length}");
        }
    }
}
