//! Logs: what slices, or the cluster on their behalf, wrote to standard output and error. If a slice ends at
//! once, the reason is there.

use std::io::{Read, Seek, SeekFrom};

use crate::terminal::text::last_lines;
use procpool_journal::files::file::JournalFile;
use procpool_journal::files::folder::Folder;

/// At most this many logs are shown, and this many bytes of each are read.
const MOST: usize = 3;
const LAST_BYTES: u64 = 2000;

/// The beginning of the names of a round's logs; each name continues with a number.
pub(super) fn name(tag: &str) -> String {
    format!("log-{tag}-")
}

/// The last lines of the logs of a round, without duplicates, each with the name of the first log that ends
/// with it.
pub(super) fn last_words(folder: &Folder, tag: &str) -> Vec<(String, String)> {
    let mut words: Vec<(String, String)> = Vec::new();
    let beginning = name(tag);
    let mut logs = folder.logs(&beginning).unwrap_or_default();
    logs.sort_by_key(|(number, _)| number.parse::<u32>().unwrap_or(u32::MAX));
    for (number, log) in logs {
        let last = last_line(&log).filter(|line| words.iter().all(|(_, said)| said != line));
        words.extend(last.map(|line| (beginning.clone() + &number, line)));
        if words.len() == MOST {
            break;
        }
    }
    words
}

fn last_line(log: &JournalFile) -> Option<String> {
    let mut file = log.open().ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LAST_BYTES))).ok()?;
    let mut bytes = Vec::new();
    file.take(LAST_BYTES).read_to_end(&mut bytes).ok()?;
    last_lines(&bytes).pop()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn each_last_line_is_told_once() {
        let temporary = tempfile::Builder::new().tempdir().unwrap();
        let (folder, _) = Folder::make(temporary.path()).unwrap();
        for (name, text) in [
            ("log-1-1-0", ""),
            ("log-1-1-10", "first\nprocpool: not found\n\n"),
            ("log-1-1-2", "other\nprocpool: not found\n"),
            ("log-1-1-11", "\x1b[2Jgone"),
            ("log-1-12-1", "of another round"),
        ] {
            fs::write(temporary.path().join(name), text).unwrap();
        }
        let expected = [("log-1-1-2", "procpool: not found"), ("log-1-1-11", "\\u{1b}[2Jgone")];
        assert_eq!(last_words(&folder, "1-1"), expected.map(|(log, line)| (log.to_owned(), line.to_owned())));
    }
}
