//! Follows the files that slices write while they grow.

use std::collections::BTreeMap;
use std::io::{self, Seek, SeekFrom};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::fs::fstat;

use procpool_journal::files::file::{JournalFile, changed};
use procpool_journal::files::folder::Folder;
use procpool_journal::format::entry::Entry;
use procpool_journal::format::record::Record;
use procpool_journal::read::scan::{Found, Scanner};

/// The files of all slices in a folder.
pub(crate) struct SliceFiles {
    folder: Folder,
    files: BTreeMap<String, SliceFile>,
    listed: Option<Listed>,
}

/// The last listing of the folder.
#[derive(Clone, Copy, Debug)]
struct Listed {
    at: Instant,
    /// When the folder was last changed at that time, in nanoseconds.
    changed: i128,
    /// An earlier listing found the same time. Some file systems give the same time to changes within some
    /// milliseconds, so a single listing may have missed one.
    is_sure: bool,
}

/// On a network file system, what stat(2) returns for a file that is not open may be out of date (nfs(5),
/// close-to-open). So everything is opened again after this time.
const OPEN: Duration = Duration::from_secs(5);

/// How far one of the files was read.
#[derive(Debug, Default)]
struct SliceFile {
    /// How many bytes were read.
    offset: u64,
    /// When it was last opened, and its length then.
    opened: Option<(Instant, u64)>,
    /// It contains the record of a slice's begin.
    is_of_slice: bool,
    /// It contains the record of the end: nothing follows.
    is_over: bool,
}

/// An attempt that a slice has recorded.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) entry: Entry,
    /// The file with its longer outputs.
    pub(crate) outputs: JournalFile,
}

impl SliceFiles {
    /// `known` has the paths of files and the lengths that are known already: that much of each is skipped.
    pub(crate) fn new(folder: Folder, known: impl IntoIterator<Item = (PathBuf, u64)>) -> SliceFiles {
        let known: BTreeMap<PathBuf, u64> = known.into_iter().collect();
        let writers = folder.other_writers().unwrap_or_default();
        let files = writers.into_iter().filter_map(|writer| {
            let offset = *known.get(&folder.files_of(&writer).journal.path())?;
            Some((writer, SliceFile { offset, ..SliceFile::default() }))
        });
        let files = files.collect();
        SliceFiles { folder, files, listed: None }
    }

    /// Adds files that are new since the last listing.
    fn list(&mut self, now: Instant) -> io::Result<()> {
        let stat = fstat(&self.folder)?;
        let changed = changed(&stat);
        let before = self.listed.filter(|listed| listed.changed == changed);
        if before.is_some_and(|listed| listed.is_sure && now < listed.at + OPEN) {
            return Ok(());
        }
        for writer in self.folder.other_writers()? {
            self.files.entry(writer).or_default();
        }
        self.listed = Some(Listed { at: now, changed, is_sure: before.is_some() });
        Ok(())
    }

    /// Passes to `take` all attempts that were recorded since the last call. Returns their number.
    ///
    /// # Errors
    /// A file can't be read, and errors of `take`.
    pub(crate) fn pass(&mut self, mut take: impl FnMut(Seen) -> anyhow::Result<()>) -> anyhow::Result<u64> {
        let now = Instant::now();
        let listed = self.list(now);
        listed.with_context(|| format!("can't read the journals in {:?}", self.folder.path()))?;
        let mut count = 0;
        for (writer, tail) in self.files.iter_mut().filter(|(_, tail)| !tail.is_over) {
            let files = self.folder.files_of(writer);
            if !tail.is_worth_opening(&files.journal, now) {
                continue;
            }
            let read =
                tail.read(&files.journal, |entry| take(Seen { entry, outputs: files.outputs.clone() }));
            // What could not be read has to be read later, even if the length stays the same.
            let read = read.inspect_err(|_| tail.opened = None);
            count += read.with_context(|| format!("{:?}", files.journal))?;
        }
        Ok(count)
    }

    /// The tables of running jobs of all slices of these rounds that have not recorded their end. If a slice
    /// was restarted, only its last table counts: an instance that has died leaves its table behind.
    pub(crate) fn running<'a>(&'a self, tags: &'a [String]) -> impl Iterator<Item = JournalFile> + 'a {
        let is_of_round = |writer: &str| {
            tags.iter().any(|tag| writer.strip_prefix(tag.as_str()).is_some_and(|rest| rest.starts_with('-')))
        };
        let mut last: BTreeMap<&str, u32> = BTreeMap::new();
        for (slice, instance) in self.files.keys().filter_map(|writer| slice_of(writer)) {
            let known = last.entry(slice).or_default();
            *known = instance.max(*known);
        }
        let is_last = move |writer: &str| {
            slice_of(writer).is_none_or(|(slice, instance)| last.get(slice) == Some(&instance))
        };
        let open = self
            .files
            .iter()
            .filter(move |(writer, tail)| !tail.is_over && is_of_round(writer) && is_last(writer));
        open.map(|(writer, _)| self.folder.running_of(writer))
    }

    /// Whether this slice of a round was started, and all its instances have recorded their end.
    pub(crate) fn has_ended(&self, tag: &str, slice: u32) -> bool {
        let beginning = format!("{tag}-{slice:04}-");
        let mut begun = self.files.iter().filter(|(writer, _)| writer.starts_with(&beginning)).peekable();
        begun.peek().is_some() && begun.all(|(_, tail)| tail.is_over)
    }

    /// The number of files that contain the record of an end.
    pub(crate) fn over(&self) -> usize {
        self.files.values().filter(|tail| tail.is_over).count()
    }

    /// Whether all slices that have begun have recorded their end.
    pub(crate) fn are_over(&self) -> bool {
        self.files.values().all(|tail| tail.is_over || !tail.is_of_slice)
    }
}

impl SliceFile {
    /// Whether the file may have grown since it was last opened.
    fn is_worth_opening(&mut self, journal: &JournalFile, now: Instant) -> bool {
        // If stat(2) fails, the attempt to open the file reports why.
        let length = journal.stat().map_or(u64::MAX, |stat| u64::try_from(stat.st_size).unwrap_or_default());
        let is_known = self.opened.is_some_and(|(opened, before)| before == length && now < opened + OPEN);
        if !is_known {
            self.opened = Some((now, length));
        }
        !is_known
    }

    /// Reads up to the last complete line. A line that is incomplete now is read again later.
    fn read(
        &mut self,
        journal: &JournalFile,
        mut take: impl FnMut(Entry) -> anyhow::Result<()>,
    ) -> anyhow::Result<u64> {
        let mut file = journal.open()?;
        if file.metadata()?.len() <= self.offset {
            return Ok(0);
        }
        file.seek(SeekFrom::Start(self.offset))?;
        let begin = self.offset;
        let mut scanner = Scanner::new(file);
        let mut count = 0;
        loop {
            match scanner.next_line()? {
                Found::Line { offset, body } => {
                    if let Some(entry) = Entry::parse(body) {
                        take(entry)?;
                        count += 1;
                    } else {
                        match Record::parse(body) {
                            Some(Record::Slice(_)) => self.is_of_slice = true,
                            Some(Record::End(_)) => self.is_over = true,
                            _ => {}
                        }
                    }
                    self.offset = begin + offset + line_length(body);
                }
                Found::End { .. } | Found::Torn { .. } | Found::Damaged { .. } => return Ok(count),
            }
        }
    }
}

/// The slice, and the number of its instance.
fn slice_of(writer: &str) -> Option<(&str, u32)> {
    let (slice, instance) = writer.rsplit_once('-')?;
    Some((slice, instance.parse().ok()?))
}

/// The length of a line in its file, calculated from its body, which follows the checksum.
fn line_length(body: &[u8]) -> u64 {
    (procpool_journal::format::line::CHECK + body.len() + 1) as u64
}
