//! Which array has taken a round: recorded in a file that the first element to start creates. A submission
//! whose answer was lost may be repeated, and both may arrive; only one of the two arrays may run the round.

use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Write};
use std::process;

use procpool_journal::files::file::JournalFile;

/// The content of the file if the round was closed, so that no array can take it any more.
pub(crate) const NOBODY: &str = "nobody";

/// Takes a round for this array, if it is free. Returns who has it now.
///
/// # Errors
/// The file can't be created or read.
pub(crate) fn take(file: &JournalFile, array: &str) -> io::Result<String> {
    if let Some(taker) = taker(file)? {
        return Ok(taker);
    }
    // The file gets its name only when it is complete. So nobody reads half of it, and only one of two links
    // succeeds.
    let new = file.with_suffix(&unlike_others());
    let linked = write(&new, array).and_then(|()| new.link_as(file));
    let _ = new.remove();
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => taker(file)?.ok_or_else(|| io::ErrorKind::NotFound.into()),
    }
}

fn write(new: &JournalFile, array: &str) -> io::Result<()> {
    let mut file = new.make()?;
    file.write_all(array.as_bytes())?;
    file.sync_data()
}

/// A suffix that no other element uses: elements of an array may start at the same moment on several
/// machines.
fn unlike_others() -> String {
    let random = RandomState::new().hash_one(process::id());
    format!(".new-{}-{random:016x}", process::id())
}

/// Who has taken a round; `None` if it is free.
///
/// # Errors
/// That can't be read.
pub(crate) fn taker(file: &JournalFile) -> io::Result<Option<String>> {
    let mut taker = String::new();
    match file.open() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        file => file?.read_to_string(&mut taker).map(|_| Some(taker)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use procpool_journal::files::folder::Folder;

    #[test]
    fn who_comes_first_has_it() {
        let temporary = tempfile::Builder::new().tempdir().unwrap();
        let path = Folder::make(temporary.path()).unwrap().0.array("1-1");
        assert_eq!(taker(&path).unwrap(), None);
        let takers = std::thread::scope(|scope| {
            let take = |array: &'static str| scope.spawn(|| take(&path, array).unwrap());
            ["1", "2", "3"].map(take).map(|thread| thread.join().unwrap())
        });
        assert!(takers.iter().all(|taker| *taker == takers[0]), "{takers:?}");
        assert_eq!(take(&path, NOBODY).unwrap(), takers[0]);
        assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 1);
    }
}
