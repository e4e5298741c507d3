//! Reads a file of lines that have their own length and checksum in them, and tells a torn end from damage.

use std::io::{self, Read};
use std::ops::Range;

use memchr::memchr;

use crate::format::line;

/// Reads lines one by one and checks them, whatever the length of the file.
pub struct Scanner<R> {
    source: R,
    lines: LineBuffer,
}

/// Bytes of a file that are cut into lines, without a check whether those are whole.
#[derive(Default)]
pub(crate) struct LineBuffer {
    bytes: Vec<u8>,
    /// The part of `bytes` that was read from the file and is not in a line that was returned.
    unread: Range<usize>,
    /// The offset in the file at which that part begins.
    offset: u64,
}

/// What comes next in the file.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// A whole line: its offset, and its body without the length and checksum.
    Line { offset: u64, body: &'a [u8] },
    /// The end of the file, right after the last line.
    End { offset: u64 },
    /// There is no whole line from here on: this was being written when the process or the machine ended.
    Torn { offset: u64 },
    /// No whole line begins here, but whole ones follow.
    Damaged { offset: u64 },
}

/// How much is read at a time.
const PIECE: usize = 1024 * 1024;

impl<R: Read> Scanner<R> {
    /// Reads from the beginning of a file.
    pub fn new(source: R) -> Scanner<R> {
        Scanner { source, lines: LineBuffer::default() }
    }

    /// The next line. Once this returns anything else, there is nothing more to read.
    ///
    /// # Errors
    /// If the source can't be read.
    pub fn next_line(&mut self) -> io::Result<Found<'_>> {
        let offset = self.lines.offset;
        let Some(line) = self.take_line()? else {
            let is_empty = self.lines.unread.is_empty();
            return Ok(if is_empty { Found::End { offset } } else { Found::Torn { offset } });
        };
        if line::open(self.lines.get(line.clone())).is_none() {
            return self.judge(offset);
        }
        // Its checksum was right just now; it is not computed twice.
        Ok(Found::Line { offset, body: &self.lines.get(line)[line::CHECK..] })
    }

    /// Whether the invalid line at `offset` is a torn end, or damage because a whole line follows.
    fn judge(&mut self, offset: u64) -> io::Result<Found<'_>> {
        while let Some(line) = self.take_line()? {
            if line::open(self.lines.get(line)).is_some() {
                return Ok(Found::Damaged { offset });
            }
        }
        Ok(Found::Torn { offset })
    }

    /// The next line, as a range of the buffer. `None` if there is no further newline. Of a line that is too
    /// long, only the end is returned.
    fn take_line(&mut self) -> io::Result<Option<Range<usize>>> {
        let mut searched = 0;
        loop {
            if let Some(line) = self.lines.take(searched) {
                return Ok(Some(line));
            }
            searched = self.lines.unread.len();
            if searched > line::LONGEST {
                self.lines.drop_all();
                searched = 0;
            }
            if self.fill()? == 0 {
                return Ok(None);
            }
        }
    }

    fn fill(&mut self) -> io::Result<usize> {
        // Small at first, because most lists are.
        let piece = PIECE.min(self.lines.bytes.len().max(PIECE / 64));
        loop {
            match self.lines.fill(piece, |buffer| self.source.read(buffer)) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }
}

impl LineBuffer {
    /// The next line, without its newline; `None` if there is none among the bytes that were read. The first
    /// `searched` bytes are known to have no newline.
    pub(crate) fn take(&mut self, searched: usize) -> Option<Range<usize>> {
        let unread = &self.bytes[self.unread.clone()];
        let length = searched + memchr(b'\n', &unread[searched..])?;
        let start = self.unread.start;
        self.unread.start += length + 1;
        self.offset += length as u64 + 1;
        Some(start..start + length)
    }

    pub(crate) fn get(&self, line: Range<usize>) -> &[u8] {
        &self.bytes[line]
    }

    /// Reads more bytes, with room for at least `room`. Returns how many were read.
    pub(crate) fn fill(
        &mut self,
        room: usize,
        read: impl FnOnce(&mut [u8]) -> io::Result<usize>,
    ) -> io::Result<usize> {
        if self.unread.start > 0 {
            self.bytes.copy_within(self.unread.clone(), 0);
            self.unread = 0..self.unread.len();
        }
        if self.bytes.is_empty() {
            // The system hands out zeros without writing them; `resize` would write them.
            self.bytes = vec![0; room];
        }
        if self.bytes.len() - self.unread.end < room {
            self.bytes.resize(self.unread.end + room, 0);
        }
        let count = read(&mut self.bytes[self.unread.end..])?;
        self.unread.end += count;
        Ok(count)
    }

    /// The offset in the file of the first byte that was not read yet.
    pub(crate) fn end(&self) -> u64 {
        self.offset + self.unread.len() as u64
    }

    /// Continues at this place of the file.
    pub(crate) fn jump(&mut self, offset: u64) {
        self.unread = 0..0;
        self.offset = offset;
    }

    fn drop_all(&mut self) {
        self.jump(self.end());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(count: u32) -> Vec<u8> {
        (0..count).flat_map(|number| line::seal(format!("{{\"number\":{number}}}").as_bytes())).collect()
    }

    /// How many whole lines there are, and what comes after them.
    fn scan(bytes: &[u8]) -> (u32, Found<'static>) {
        let mut scanner = Scanner::new(bytes);
        let mut count = 0;
        loop {
            match scanner.next_line().unwrap() {
                Found::Line { body, .. } => {
                    assert_eq!(body, format!("\"number\":{count}}}").as_bytes());
                    count += 1;
                }
                Found::End { offset } => return (count, Found::End { offset }),
                Found::Torn { offset } => return (count, Found::Torn { offset }),
                Found::Damaged { offset } => return (count, Found::Damaged { offset }),
            }
        }
    }

    #[test]
    fn what_was_cut_anywhere_has_all_whole_lines_before_the_cut() {
        let bytes = lines(20);
        let ends: Vec<usize> = memchr::memchr_iter(b'\n', &bytes).map(|at| at + 1).collect();
        for cut in 0..=bytes.len() {
            let whole = ends.partition_point(|end| *end <= cut);
            let offset = whole.checked_sub(1).map_or(0, |last| ends[last]) as u64;
            let rest = if offset == cut as u64 { Found::End { offset } } else { Found::Torn { offset } };
            assert_eq!(scan(&bytes[..cut]), (u32::try_from(whole).unwrap(), rest), "cut at {cut}");
        }
    }

    #[test]
    fn a_bit_that_was_flipped_anywhere_is_found_and_the_last_line_is_torn() {
        let mut bytes = lines(20);
        let ends: Vec<usize> = memchr::memchr_iter(b'\n', &bytes).map(|at| at + 1).collect();
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            let line = ends.partition_point(|end| *end <= bit / 8);
            let offset = line.checked_sub(1).map_or(0, |last| ends[last]) as u64;
            // A newline that became something else joins this line and the next, so both are lost.
            let is_newline = ends.contains(&(bit / 8 + 1));
            let is_last = line == 19 || line == 18 && is_newline;
            let rest = if is_last { Found::Torn { offset } } else { Found::Damaged { offset } };
            assert_eq!(scan(&bytes), (u32::try_from(line).unwrap(), rest), "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }

    #[test]
    fn a_line_without_an_end_takes_no_memory_to_speak_of_and_is_damage_where_others_follow() {
        let mut bytes = lines(2);
        let end = bytes.len() as u64;
        bytes.extend(std::iter::repeat_n(b'x', line::LONGEST * 2));
        let mut scanner = Scanner::new(&bytes[..]);
        while matches!(scanner.next_line().unwrap(), Found::Line { .. }) {}
        assert!(scanner.lines.bytes.len() < line::LONGEST + 4 * PIECE);
        assert_eq!(scan(&bytes), (2, Found::Torn { offset: end }));
        bytes.push(b'\n');
        bytes.extend(lines(1));
        assert_eq!(scan(&bytes), (2, Found::Damaged { offset: end }));
    }
}
