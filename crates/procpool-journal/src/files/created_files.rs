//! Files that were created for a run that may still be refused: in that case they must not stay in the
//! folder.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::files::file::JournalFile;
use crate::files::folder::Folder;

/// Deletes the files listed here on drop, unless [`keep`](CreatedFiles::keep) was called.
#[derive(Debug, Default)]
pub struct CreatedFiles {
    files: Vec<JournalFile>,
    folder: Option<PathBuf>,
    is_kept: AtomicBool,
}

impl CreatedFiles {
    /// Notes that the folder was created, too.
    pub fn add_folder(&mut self, folder: &Folder) {
        self.folder = Some(folder.path().to_owned());
    }

    /// Notes a file that may be created.
    pub fn add(&mut self, file: JournalFile) {
        self.files.push(file);
    }

    /// The run begins: nothing is deleted.
    pub fn keep(&self) {
        self.is_kept.store(true, Ordering::Relaxed);
    }
}

impl Drop for CreatedFiles {
    fn drop(&mut self) {
        if self.is_kept.load(Ordering::Relaxed) {
            return;
        }
        for file in &self.files {
            // Some were never created.
            let _ = file.remove();
        }
        if let Some(folder) = &self.folder {
            // Fails, rightly, if somebody has put something into it.
            let _ = fs::remove_dir(folder);
        }
    }
}
