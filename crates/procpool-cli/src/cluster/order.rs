//! What the head tells the slices of a round: a file with one line for all of them, and one line for each
//! piece of the list.

use std::io::{BufWriter, Write};
use std::ops::Range;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

use crate::cluster::list_index::ListIndex;
use procpool_journal::files::folder::Folder;
use procpool_journal::format::line;
use procpool_journal::format::positions::Positions;
use procpool_journal::format::record::{sealed, tag};
use procpool_journal::format::text::Text;
use procpool_journal::read::scan::{Found, Scanner};
use procpool_journal::write::stored_jobs::LineOffset;

/// What applies to all slices of a round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) version: u32,
    pub(crate) generation: u32,
    pub(crate) round: u32,
    /// The name of the run, which jobs get as `PROCPOOL_RUN`.
    pub(crate) run: String,
    /// The number of the list that the pieces are parts of, and its length in bytes.
    pub(crate) list: u32,
    pub(crate) length: u64,
    /// The number of jobs of the whole run.
    pub(crate) jobs: u64,
    /// The directory in which the run was started.
    pub(crate) directory: Text<'static>,
    /// The directory in which the list was written, if its path is a different one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) written_in: Option<Text<'static>>,
    /// The given options that apply to jobs.
    pub(crate) options: Vec<Text<'static>>,
    /// Whether a slice that is restarted goes on with its jobs.
    pub(crate) goes_on: bool,
    /// The number of slices. In version 1 there are as many as pieces.
    #[serde(default)]
    pub(crate) slices: u32,
    #[serde(default)]
    pub(crate) manner: Manner,
}

/// How many jobs a slice runs at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Manner {
    #[default]
    Full,
    OneByOne,
}

/// How the slices of a round share its pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sharing {
    /// Each slice takes the next free piece.
    Claimed,
    /// Each slice has the piece with its own number.
    Fixed,
}

/// The jobs of a piece.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Parts {
    /// The number of the piece in its round, from 0. In version 1 it is also the number of its slice.
    #[serde(alias = "slice")]
    pub(crate) piece: u32,
    /// How many slices have had these jobs before.
    pub(crate) tries: u32,
    /// For each range: the first position, the number of jobs, and the offset of the first line in the list.
    #[serde(rename = "parts")]
    triples: Vec<(u64, u64, u64)>,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
enum OrderLine {
    Slices(Order),
    #[serde(alias = "slice")]
    Piece(Parts),
}

/// The version of the file format.
pub(crate) const VERSION: u32 = 2;

/// The version in which each slice has one piece, that with its own number.
const FIXED: u32 = 1;

impl Order {
    pub(crate) fn sharing(&self) -> Sharing {
        if self.version == FIXED { Sharing::Fixed } else { Sharing::Claimed }
    }

    /// The name of the round in the names of its files.
    pub(crate) fn tag(&self) -> String {
        tag(self.generation, self.round)
    }
}

impl Parts {
    pub(crate) fn new(piece: u32, tries: u32, ranges: &[Range<u64>], index: &ListIndex) -> Parts {
        let part = |range: &Range<u64>| (range.start, range.end - range.start, index.offset(range.start));
        Parts { piece, tries, triples: ranges.iter().map(part).collect() }
    }

    /// The positions of its jobs, as ranges.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = Range<u64>> + '_ {
        self.triples.iter().map(|(first, count, _)| *first..*first + *count)
    }

    pub(crate) fn positions(&self) -> Positions {
        let mut positions = Positions::default();
        self.ranges().flatten().for_each(|position| positions.add(position));
        positions
    }

    /// Where the first line of each range begins.
    pub(crate) fn marks(&self) -> impl DoubleEndedIterator<Item = LineOffset> + '_ {
        self.triples.iter().map(|(position, _, offset)| LineOffset { position: *position, offset: *offset })
    }
}

/// Writes the file for the slices of a round, atomically.
///
/// # Errors
/// It can't be written.
pub(crate) fn write(
    folder: &Folder,
    order: Order,
    pieces: impl Iterator<Item = Parts>,
) -> anyhow::Result<()> {
    let path = folder.slices(&order.tag());
    let new = path.with_suffix(".new");
    let put = || {
        let mut file = BufWriter::new(new.make_anew()?);
        file.write_all(&sealed(&OrderLine::Slices(order)))?;
        for parts in pieces {
            file.write_all(&sealed(&OrderLine::Piece(parts)))?;
        }
        // Synced, because another machine may read it at once.
        file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_data()?;
        new.rename_to(&path)
    };
    put().with_context(|| format!("can't write {path:?}"))
}

/// Reads the file of a round, and passes each piece to `take`.
///
/// # Errors
/// It can't be read.
pub(crate) fn read(folder: &Folder, tag: &str, mut take: impl FnMut(Parts)) -> anyhow::Result<Order> {
    let path = folder.slices(tag);
    let shown = || format!("can't read {path:?}");
    let mut scanner = Scanner::new(path.open().with_context(shown)?);
    let mut order = None;
    while let Found::Line { body, .. } = scanner.next_line().with_context(shown)? {
        match line::parse(body) {
            Some(OrderLine::Slices(found)) if [FIXED, VERSION].contains(&found.version) => {
                order = Some(found);
            }
            // Only the version of a file in a later format is understood, which is in its first line.
            _ if order.is_none() => bail!("{path:?} {}", refusal(body)),
            Some(OrderLine::Piece(parts)) if order.is_some() => take(parts),
            _ => bail!("{path:?} is none that this procpool can read"),
        }
    }
    order.with_context(|| format!("{path:?} is empty"))
}

/// The reason why a file that begins with this line can't be read.
fn refusal(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Versioned {
        version: u32,
    }
    match line::parse(body) {
        Some(Versioned { version }) if ![FIXED, VERSION].contains(&version) => {
            format!("has version {version}, and this procpool reads versions {FIXED} and {VERSION}")
        }
        _ => "is none that this procpool can read".to_owned(),
    }
}
