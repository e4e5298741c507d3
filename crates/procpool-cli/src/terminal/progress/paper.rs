//! A terminal for indicatif that is only memory: what it draws there, others bring to the real one.
//! Knows nothing of what is drawn.

use std::io;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indicatif::TermLike;

/// So many columns, and what was written. Clones have it in common. Nobody moves on it: all is drawn once.
#[derive(Clone, Debug)]
pub(super) struct Paper {
    columns: u16,
    text: Arc<Mutex<String>>,
}

impl Paper {
    pub(super) fn new(columns: usize) -> Paper {
        // Where there are none indicatif would divide by them.
        let columns = u16::try_from(columns).unwrap_or(u16::MAX).max(1);
        Paper { columns, text: Arc::default() }
    }

    /// What was written, without the spaces that fill its line up.
    pub(super) fn take(&self) -> String {
        let mut text = mem::take(&mut *self.lock());
        text.truncate(text.trim_end().len());
        text
    }

    fn lock(&self) -> MutexGuard<'_, String> {
        self.text.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TermLike for Paper {
    fn width(&self) -> u16 {
        self.columns
    }

    fn height(&self) -> u16 {
        // A line that is wider is not broken, but there as well.
        u16::MAX
    }

    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.lock().push_str(text);
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}
