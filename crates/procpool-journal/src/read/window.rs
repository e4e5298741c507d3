//! Reads lines of a file at offsets that are mostly near each other, without a system call for each.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use memchr::memchr;

use crate::format::line::LONGEST;

/// A file, and a part of it in memory.
pub(crate) struct Window {
    file: File,
    offset: u64,
    bytes: Vec<u8>,
}

/// How much is read at once, a quarter of it before the wanted line. Jobs end nearly in the order of their
/// list, so the next wanted lines are close to it, on either side.
const PIECE: usize = 256 * 1024;

impl Window {
    pub(crate) fn new(file: File) -> Window {
        Window { file, offset: 0, bytes: Vec::new() }
    }

    /// The line that begins at this offset, without its newline.
    ///
    /// # Errors
    /// If there is none, or the file can't be read.
    pub(crate) fn line(&mut self, offset: u64) -> io::Result<&[u8]> {
        let range = match self.find(offset) {
            Some(range) => range,
            None => self.look(offset)?,
        };
        Ok(&self.bytes[range])
    }

    fn find(&self, offset: u64) -> Option<std::ops::Range<usize>> {
        let start = usize::try_from(offset.checked_sub(self.offset)?).ok()?;
        let rest = self.bytes.get(start..)?;
        memchr(b'\n', rest).map(|length| start..start + length)
    }

    /// Reads the part of the file around this offset.
    fn look(&mut self, offset: u64) -> io::Result<std::ops::Range<usize>> {
        let mut wanted = PIECE;
        self.offset = offset.saturating_sub((PIECE / 4) as u64);
        self.bytes.clear();
        loop {
            self.fill(wanted)?;
            match self.find(offset) {
                Some(range) => return Ok(range),
                None if self.bytes.len() < wanted || wanted > LONGEST + PIECE => {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, "a record is gone"));
                }
                None => wanted *= 2,
            }
        }
    }

    /// Reads on until there are `wanted` bytes, or the file ends.
    fn fill(&mut self, wanted: usize) -> io::Result<()> {
        let mut filled = self.bytes.len();
        self.bytes.resize(wanted, 0);
        let end = loop {
            match self.file.read_at(&mut self.bytes[filled..], self.offset + filled as u64) {
                Ok(0) => break Ok(()),
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        self.bytes.truncate(filled);
        end
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_line_is_found_wherever_it_is_and_whatever_its_length() {
        let lengths = [0, 1, PIECE - 1, 3 * PIECE, 5, PIECE, 7];
        let mut file = tempfile::tempfile().unwrap();
        let mut places = Vec::new();
        let mut offset = 0;
        for length in lengths {
            file.write_all(&[vec![b'x'; length], vec![b'\n']].concat()).unwrap();
            places.push((offset, length));
            offset += length as u64 + 1;
        }
        file.write_all(b"cut").unwrap();
        let mut window = Window::new(file);
        for (offset, length) in places.iter().chain(places.iter().rev()) {
            assert_eq!(window.line(*offset).unwrap().len(), *length);
        }
        assert!(window.line(offset).is_err());
        assert!(window.line(offset + 100).is_err());
    }
}
