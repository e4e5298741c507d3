//! Files that were made for a run that may still be refused, and then go again.
//! Knows nothing of what stands in them.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::files::file::JournalFile;
use crate::files::folder::Folder;

/// What goes when this is dropped, unless the run has begun. By default that is nothing.
#[derive(Debug, Default)]
pub struct CreatedFiles {
    files: Vec<JournalFile>,
    folder: Option<PathBuf>,
    is_kept: AtomicBool,
}

impl CreatedFiles {
    /// The folder was made for it.
    pub fn add_folder(&mut self, folder: &Folder) {
        self.folder = Some(folder.path().to_owned());
    }

    /// A file will be.
    pub fn add(&mut self, file: JournalFile) {
        self.files.push(file);
    }

    /// The run begins: all of it stays.
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
            // Some were never made.
            let _ = file.remove();
        }
        if let Some(folder) = &self.folder {
            // Not where somebody has put something else there.
            let _ = fs::remove_dir(folder);
        }
    }
}
