//! One word of a command: a sequence of literal text and placeholders.
//! Keys and tags are a single word each, so they use the same parser.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt;

use crate::template::names::{Names, Placeholder};
use crate::template::path::Form;

/// What placeholders may refer to besides values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JobContext<'a> {
    pub(crate) key: &'a OsStr,
    pub(crate) seq: u64,
    /// From 1, or [`SLOT_NOT_KNOWN`].
    pub(crate) slot: usize,
}

/// In a command that is made before its slot is known, [`SLOT_MARK`] replaces the slot.
pub(crate) const SLOT_NOT_KNOWN: usize = 0;

/// No argument can contain this byte (execve(2)), so it is unambiguous.
pub(crate) const SLOT_MARK: u8 = 0;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word(pub(crate) Vec<WordPart>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WordPart {
    Literal(Vec<u8>),
    Placeholder(Placeholder),
}

impl Word {
    /// # Errors
    /// If it has a placeholder for something that no job has.
    pub(crate) fn parse(text: &[u8], names: &Names) -> anyhow::Result<Word> {
        let mut pieces = Vec::new();
        let mut rest = text;
        let mut from = 0;
        while from < rest.len() {
            match placeholder_at(&rest[from..], names)? {
                Some((placeholder, length)) => {
                    if from > 0 {
                        pieces.push(WordPart::Literal(rest[..from].to_vec()));
                    }
                    pieces.push(WordPart::Placeholder(placeholder));
                    rest = &rest[from + length..];
                    from = 0;
                }
                None => from += 1,
            }
        }
        if !rest.is_empty() {
            pieces.push(WordPart::Literal(rest.to_vec()));
        }
        Ok(Word(pieces))
    }

    pub(crate) fn placeholders(&self) -> impl Iterator<Item = Placeholder> {
        self.0.iter().filter_map(|piece| match piece {
            WordPart::Placeholder(placeholder) => Some(*placeholder),
            WordPart::Literal(_) => None,
        })
    }

    /// Whether it has a placeholder for all values.
    pub(super) fn holds_all_values(&self) -> bool {
        self.placeholders().any(|placeholder| matches!(placeholder, Placeholder::Values(_)))
    }

    /// The word with `these` for all values, joined by spaces. `all` are the job's values, for positions.
    pub(super) fn render(&self, these: &[OsString], all: &[OsString], job: JobContext<'_>) -> Vec<u8> {
        let mut bytes = Vec::new();
        for piece in &self.0 {
            match piece {
                WordPart::Literal(literal) => bytes.extend_from_slice(literal),
                WordPart::Placeholder(placeholder) => placeholder.append(&mut bytes, these, all, job),
            }
        }
        bytes
    }
}

impl Placeholder {
    fn append(self, bytes: &mut Vec<u8>, these: &[OsString], all: &[OsString], job: JobContext<'_>) {
        match self {
            Placeholder::Values(form) => {
                for (value, index) in these.iter().zip(0..) {
                    if index > 0 {
                        bytes.push(b' ');
                    }
                    bytes.extend_from_slice(form.of(value.as_bytes()));
                }
            }
            Placeholder::Position(position, form) => {
                // With -n the last command may have fewer values than the others.
                if let Some(value) = all.get(position) {
                    bytes.extend_from_slice(form.of(value.as_bytes()));
                }
            }
            Placeholder::Seq => write!(bytes, "{}", job.seq).expect("BUG: a vector takes all"),
            Placeholder::Slot if job.slot == SLOT_NOT_KNOWN => bytes.push(SLOT_MARK),
            Placeholder::Slot => write!(bytes, "{}", job.slot).expect("BUG: a vector takes all"),
            Placeholder::Key => bytes.extend_from_slice(job.key.as_bytes()),
        }
    }
}

/// The placeholder that `text` begins with, and its length.
fn placeholder_at(text: &[u8], names: &Names) -> anyhow::Result<Option<(Placeholder, usize)>> {
    if let Names::Only(own) = names {
        let values = Placeholder::Values(Form::Whole);
        return Ok(text.starts_with(own).then_some((values, own.len())));
    }
    let Some(inner) = text.strip_prefix(b"{") else { return Ok(None) };
    let Some(end) = inner.iter().position(|byte| *byte == b'}') else { return Ok(None) };
    Ok(names.find(&inner[..end])?.map(|placeholder| (placeholder, end + 2)))
}
