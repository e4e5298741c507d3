//! The folder of a journal: what its files are called, and that nobody else may read them.
//! Knows nothing of what stands in them.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::libc;

/// A folder, by an absolute path: a resume goes to another directory before it is done with it.
#[derive(Clone, Debug)]
pub(crate) struct Folder(PathBuf);

/// The files of one writer. Each that writes has its own, so that several may, on several machines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WriterFiles {
    pub(crate) journal: PathBuf,
    pub(crate) outputs: PathBuf,
}

/// Whether there is a journal in a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contents {
    /// Nothing at all, or no folder.
    Nothing,
    Journal,
    /// What belongs to a journal, without it.
    JournalGone,
    /// Something else.
    Other,
}

impl Folder {
    pub(crate) fn new(path: &Path) -> io::Result<Folder> {
        std::path::absolute(path).map(Folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The file of this writer.
    pub(crate) fn own_files(&self) -> WriterFiles {
        WriterFiles {
            journal: self.0.join("journal.jsonl"),
            outputs: self.0.join("outputs"),
        }
    }

    /// Who holds the folder, and what runs.
    pub(crate) fn running(&self) -> PathBuf {
        self.0.join("running")
    }

    /// The list of jobs with this number.
    pub(crate) fn list(&self, number: u32) -> PathBuf {
        self.0.join(format!("list-{number}.jsonl"))
    }

    /// Which outputs of its list this generation has printed.
    pub(crate) fn printed(&self, generation: u32) -> PathBuf {
        self.0.join(format!("printed-{generation}"))
    }

    /// In which shape it was printing.
    pub(crate) fn shape(&self, generation: u32) -> PathBuf {
        shape_of(&self.printed(generation))
    }

    /// How far it was with outputs that it printed side by side.
    pub(crate) fn rows(&self, generation: u32) -> PathBuf {
        rows_of(&self.printed(generation))
    }

    /// What is given to jobs of this list on their standard input.
    pub(crate) fn inputs(&self, number: u32) -> PathBuf {
        self.0.join(format!("inputs-{number}"))
    }

    /// The files of a slice, or of any other writer with this name.
    pub(crate) fn files_of(&self, writer: &str) -> WriterFiles {
        WriterFiles {
            journal: self.0.join(format!("journal-{writer}.jsonl")),
            outputs: self.0.join(format!("outputs-{writer}")),
        }
    }

    /// What a slice runs.
    pub(crate) fn running_of(&self, writer: &str) -> PathBuf {
        self.0.join(format!("running-{writer}"))
    }

    /// Which slices a round has.
    pub(crate) fn slices(&self, round: &str) -> PathBuf {
        self.0.join(format!("slices-{round}.jsonl"))
    }

    /// Says to the slices of a round that they are to stop, where it is there.
    pub(crate) fn halt(&self, round: &str) -> PathBuf {
        self.0.join(format!("halt-{round}"))
    }

    /// Which array has taken a round.
    pub(crate) fn array(&self, round: &str) -> PathBuf {
        self.0.join(format!("array-{round}"))
    }

    /// The names of all writers but this one.
    pub(crate) fn other_writers(&self) -> io::Result<Vec<String>> {
        let of_writer =
            |name: &String| name.strip_prefix("journal-")?.strip_suffix(".jsonl").map(ToOwned::to_owned);
        let mut writers: Vec<String> = self.names()?.iter().filter_map(of_writer).collect();
        writers.sort();
        Ok(writers)
    }

    /// The files of all writers, this one's first, the others by name.
    pub(crate) fn writers(&self) -> io::Result<Vec<WriterFiles>> {
        let own = self.own_files();
        let own = own.journal.exists().then_some(own);
        let others = self.other_writers()?;
        Ok(own.into_iter().chain(others.iter().map(|writer| self.files_of(writer))).collect())
    }

    pub(crate) fn contents(&self) -> io::Result<Contents> {
        let names = match self.names() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Contents::Nothing),
            names => names?,
        };
        // What is made before the first record, by who was killed before that.
        let is_made_first = |name: &String| {
            name == "running"
                || name == "journal.jsonl"
                || name == "journal.jsonl.new"
                || ["list-", "printed-", "inputs-"].iter().any(|part| name.starts_with(part))
        };
        // One without a byte is what a power cut may leave of one that was just made.
        let is_there = |file: fs::Metadata| file.len() > 0 || !file.is_file();
        let has_journal = fs::metadata(self.own_files().journal).is_ok_and(is_there);
        Ok(if has_journal {
            Contents::Journal
        } else if names.iter().any(|name| name == "outputs") {
            Contents::JournalGone
        } else if !names.iter().all(is_made_first) {
            Contents::Other
        } else {
            Contents::Nothing
        })
    }

    /// Makes the folder, and says whether it was not there.
    pub(crate) fn make(&self) -> io::Result<bool> {
        if self.0.is_dir() {
            return Ok(false);
        }
        if let Some(parent) = self.0.parent() {
            fs::create_dir_all(parent)?;
        }
        match DirBuilder::new().mode(0o700).create(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && self.0.is_dir() => Ok(false),
            result => result.map(|()| true),
        }
    }

    /// Takes away all lists but this one, and what other generations have printed.
    pub(crate) fn forget_all_but(&self, list: u32, generation: u32) {
        let own = [
            self.list(list),
            self.inputs(list),
            self.printed(generation),
            self.shape(generation),
            self.rows(generation),
        ];
        for name in self.names().unwrap_or_default() {
            let path = self.0.join(&name);
            let is_of_list = ["list-", "printed-", "inputs-"].iter().any(|part| name.starts_with(part));
            if is_of_list && !own.contains(&path) {
                // It takes room, and nothing else.
                let _ = fs::remove_file(path);
            }
        }
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let entries = fs::read_dir(&self.0)?.collect::<io::Result<Vec<_>>>()?;
        Ok(entries.into_iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
    }
}

/// Where the shape stands beside what was printed.
pub(crate) fn shape_of(printed: &Path) -> PathBuf {
    beside(printed, ".shape")
}

/// Where the rows stand beside it.
pub(crate) fn rows_of(printed: &Path) -> PathBuf {
    beside(printed, ".rows")
}

fn beside(printed: &Path, ending: &str) -> PathBuf {
    let mut name = printed.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// How files are opened here: made where they are missing, for the owner alone.
pub(crate) fn private() -> OpenOptions {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    // A link that somebody has put there would have us write to another file; a pipe, wait for its other end.
    options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    options
}

/// Opens one of the files to read it.
///
/// # Errors
/// Where it can't be, or is none.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let file = File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"))
    }
}

/// Whether the same stands in two files.
///
/// # Errors
/// Where one can't be read.
pub(crate) fn are_equal(one: &Path, other: &Path) -> io::Result<bool> {
    let (mut one, mut other) = (open(one)?, open(other)?);
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let mut pieces = [vec![0; PIECE], vec![0; PIECE]];
    loop {
        let count = one.read(&mut pieces[0])?;
        if count == 0 {
            return Ok(true);
        }
        other.read_exact(&mut pieces[1][..count])?;
        if pieces[0][..count] != pieces[1][..count] {
            return Ok(false);
        }
    }
}

/// So much is read at a time.
const PIECE: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_says_what_is_in_it() {
        let temporary = tempfile::Builder::new().tempdir().unwrap();
        let folder = Folder::new(&temporary.path().join("new/journal")).unwrap();
        assert_eq!(folder.contents().unwrap(), Contents::Nothing);
        assert!(folder.make().unwrap());
        assert!(!folder.make().unwrap());
        let expect = |name: &str, contents| {
            fs::write(folder.path().join(name), "x").unwrap();
            assert_eq!(folder.contents().unwrap(), contents, "{name}");
        };
        expect("running", Contents::Nothing);
        expect("list-1.jsonl", Contents::Nothing);
        expect("notes.txt", Contents::Other);
        expect("outputs", Contents::JournalGone);
        expect("journal.jsonl", Contents::Journal);
        expect("journal-b.jsonl", Contents::Journal);
        expect("journal-a.jsonl", Contents::Journal);
        let names: Vec<_> = folder
            .writers()
            .unwrap()
            .into_iter()
            .map(|files| files.outputs.file_name().unwrap().to_owned())
            .collect();
        assert_eq!(names, ["outputs", "outputs-a", "outputs-b"]);
    }
}
