//! Splits a stream into blocks of whole records, one block for each job's standard input. It reads no further
//! than needed for the next block.

use std::io::{self, Read};

use memchr::{memchr, memmem, memrchr};

/// The blocks of a stream in order; together they contain all its bytes. Each block ends at the end of a
/// record, but the last record may lack its terminator.
pub(crate) struct Blocks<R> {
    /// `None` once the stream has ended. A terminal could be read again after its end, and its user would
    /// have to end it again.
    reader: Option<R>,
    /// The size of a block in bytes. Only a single record that is longer exceeds it.
    size: usize,
    /// The record terminator.
    end: Vec<u8>,
    /// Bytes that were read and are in no block yet; they begin with a record.
    rest: Vec<u8>,
}

impl<R: Read> Blocks<R> {
    /// # Panics
    /// If the record terminator is empty.
    pub(crate) fn new(reader: R, size: usize, end: Vec<u8>) -> Blocks<R> {
        assert!(!end.is_empty(), "BUG: every byte would end a record");
        Blocks { reader: Some(reader), size, end, rest: Vec::new() }
    }

    fn read(&mut self) -> io::Result<Option<Vec<u8>>> {
        // One byte more shows whether anything follows.
        self.read_up_to(self.size.saturating_add(1))?;
        if self.rest.is_empty() {
            return Ok(None);
        }
        let length = if self.rest.len() <= self.size { self.rest.len() } else { self.length_of_block()? };
        let after = self.rest.split_off(length);
        Ok(Some(std::mem::replace(&mut self.rest, after)))
    }

    /// Reads until `rest` has this many bytes, or until the stream ends.
    fn read_up_to(&mut self, bytes: usize) -> io::Result<()> {
        let missing = bytes.saturating_sub(self.rest.len());
        let Some(reader) = self.reader.as_mut().filter(|_| missing > 0) else { return Ok(()) };
        let limit = u64::try_from(missing).unwrap_or(u64::MAX);
        if reader.take(limit).read_to_end(&mut self.rest)? < missing {
            self.reader = None;
        }
        Ok(())
    }

    /// The length of the next block, which `rest` begins with: it ends after the last record that fits, or
    /// after the first record if none fits.
    fn length_of_block(&mut self) -> io::Result<usize> {
        if let Some(length) = last_end(&self.rest[..self.size], &self.end) {
            return Ok(length);
        }
        let mut searched = self.size;
        loop {
            // A terminator may have begun in the part that was searched.
            let from = searched.saturating_sub(self.end.len() - 1);
            if let Some(length) = first_end(&self.rest[from..], &self.end) {
                return Ok(from + length);
            }
            searched = self.rest.len();
            self.read_up_to(searched.saturating_add(self.size))?;
            if self.rest.len() == searched {
                return Ok(searched);
            }
        }
    }
}

/// The length of the records that end in this slice.
fn last_end(records: &[u8], end: &[u8]) -> Option<usize> {
    match end {
        [byte] => memrchr(*byte, records).map(|place| place + 1),
        // Searches from the front: of `;;;` the first two bytes end a record.
        _ => memmem::find_iter(records, end).last().map(|place| place + end.len()),
    }
}

/// The length of the first record, if it ends in this slice.
fn first_end(records: &[u8], end: &[u8]) -> Option<usize> {
    match end {
        [byte] => memchr(*byte, records).map(|place| place + 1),
        _ => memmem::find(records, end).map(|place| place + end.len()),
    }
}

impl<R: Read> Iterator for Blocks<R> {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<io::Result<Vec<u8>>> {
        self.read().transpose()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn blocks(text: &[u8], size: usize, end: &[u8]) -> Vec<Vec<u8>> {
        Blocks::new(text, size, end.to_vec()).collect::<io::Result<_>>().unwrap()
    }

    #[test]
    fn a_block_has_as_many_records_as_fit() {
        assert_eq!(blocks(b"1\n2\n3\n4\n5", 4, b"\n"), [&b"1\n2\n"[..], b"3\n4\n", b"5"]);
        assert_eq!(blocks(b"1\n2\n3\n4\n5\n", 5, b"\n"), [&b"1\n2\n"[..], b"3\n4\n", b"5\n"]);
        assert_eq!(blocks(b"1\n\n\n", 1, b"\n"), [&b"1\n"[..], b"\n", b"\n"]);
        assert!(blocks(b"", 1, b"\n").is_empty());
    }

    #[test]
    fn a_record_that_does_not_fit_is_a_block() {
        assert_eq!(blocks(b"1\n23456\n7\n", 3, b"\n"), [&b"1\n"[..], b"23456\n", b"7\n"]);
        assert_eq!(blocks(b"123456", 2, b"\n"), [b"123456"]);
        assert_eq!(blocks(b"12345;;6", 2, b";;"), [&b"12345;;"[..], b"6"]);
    }

    #[test]
    fn an_end_of_several_bytes_is_found_from_the_front() {
        assert_eq!(blocks(b"a;;;b;;", 5, b";;"), [&b"a;;"[..], b";b;;"]);
    }

    /// A stream that is read in pieces of these lengths.
    struct Pieces<'a>(&'a [u8], std::iter::Cycle<std::vec::IntoIter<usize>>);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.1.next().unwrap_or(1).min(buffer.len());
            (&mut self.0).take(length as u64).read(buffer)
        }
    }

    /// The records by their definition, split off from the front one by one.
    fn records<'a>(text: &'a [u8], end: &[u8]) -> Vec<&'a [u8]> {
        let (mut records, mut rest) = (Vec::new(), text);
        while !rest.is_empty() {
            let length =
                rest.windows(end.len()).position(|window| window == end).map(|place| place + end.len());
            let (record, after) = rest.split_at(length.unwrap_or(rest.len()));
            records.push(record);
            rest = after;
        }
        records
    }

    proptest! {
        #[test]
        fn every_byte_is_in_one_block_and_every_block_has_as_many_whole_records_as_fit(
            text in "[ab;]{0,60}",
            size in 1..20_usize,
            end in "(;|;;|;a;|ab)",
            pieces in proptest::collection::vec(1..8_usize, 1..4),
        ) {
            let (text, end) = (text.as_bytes(), end.as_bytes());
            let mut expected: Vec<Vec<u8>> = Vec::new();
            for record in records(text, end) {
                match expected.last_mut() {
                    Some(block) if block.len() + record.len() <= size => block.extend(record),
                    _ => expected.push(record.to_vec()),
                }
            }
            let pieces = Pieces(text, pieces.into_iter().cycle());
            let blocks: Vec<Vec<u8>> =
                Blocks::new(pieces, size, end.to_vec()).collect::<io::Result<_>>().unwrap();
            prop_assert_eq!(blocks, expected);
        }
    }
}
