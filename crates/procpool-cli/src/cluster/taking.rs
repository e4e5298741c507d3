//! Which array has taken a round: a file that its first element makes. A submission whose answer was lost may be repeated, and then
//! come through twice; only one array gets to run the round. Knows nothing of what runs in it.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

/// What stands there where the round is given up, and no array is to take it any more.
pub(crate) const NOBODY: &str = "nobody";

/// Takes a round for this array, if nobody has. Says who has it now.
///
/// # Errors
/// Where the file can't be made or read.
pub(crate) fn take(path: &Path, array: &str) -> io::Result<String> {
    if let Some(taker) = taker(path)? {
        return Ok(taker);
    }
    // It has its name only with all that stands in it: nobody reads half of it, and of two that name it one succeeds.
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix("array-new-").tempfile_in(folder)?;
    file.write_all(array.as_bytes())?;
    file.as_file().sync_data()?;
    match file.persist_noclobber(path) {
        Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => Err(error.error),
        _ => taker(path)?.ok_or_else(|| io::ErrorKind::NotFound.into()),
    }
}

/// Who has taken a round.
///
/// # Errors
/// Where that can't be read.
pub(crate) fn taker(path: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        taker => taker.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_first_has_it() {
        let temporary = tempfile::Builder::new().tempdir().unwrap();
        let path = temporary.path().join("array-1-1");
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
