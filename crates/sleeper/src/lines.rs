//! Lines that say which process wrote them, which line of how many they are, and whether they are whole. So
//! a test can find lost, doubled, torn and mixed lines in any output.
//!
//! A line is `KEY PID STREAM NUMBER/COUNT CHECK FILL`: the process by its key and ID, `o` or `e`, the
//! number from 1, a checksum of everything around it, and letters up to the wanted length.

use crate::bytes::Stream;

/// Which line it is, and of which process.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark {
    /// The job's key, without spaces.
    pub key: String,
    /// The ID of the process that wrote it.
    pub pid: u32,
    /// The stream that it was written to.
    pub stream: Stream,
    /// From 1 to `count`.
    pub number: u64,
    /// How many lines the process writes to this stream.
    pub count: u64,
}

impl Mark {
    /// The line with this mark, of `length` bytes with its newline, or as many as the mark needs.
    #[must_use]
    pub fn line(&self, length: usize) -> Vec<u8> {
        let start = self.start();
        let filled = length.saturating_sub(start.len() + 11);
        let letters = (0..).map(|place: u64| b'a' + ((place + self.number) % 26) as u8);
        let fill: Vec<u8> = letters.take(filled).collect();
        let check = check(&[start.as_bytes(), &fill]);
        [start.as_bytes(), format!(" {check:08x} ").as_bytes(), &fill, b"\n"].concat()
    }

    /// The mark of a line, given without its newline; `None` if the line is not whole.
    ///
    /// ```
    /// use sleeper::{bytes::Stream, lines::Mark};
    /// let mark = Mark { key: "a".into(), pid: 7, stream: Stream::Stdout, number: 1, count: 2 };
    /// let line = mark.line(50);
    /// assert_eq!(line.len(), 50);
    /// assert_eq!(Mark::read(&line[..49]), Some(mark));
    /// assert_eq!(Mark::read(&line[..48]), None);
    /// ```
    #[must_use]
    pub fn read(line: &[u8]) -> Option<Mark> {
        let text = std::str::from_utf8(line).ok()?;
        let [key, pid, stream, place, sum, fill] = text.split(' ').collect::<Vec<_>>()[..] else {
            return None;
        };
        let (number, count) = place.split_once('/')?;
        let mark = Mark {
            key: key.to_owned(),
            pid: pid.parse().ok()?,
            stream: if stream == "o" { Stream::Stdout } else { Stream::Stderr },
            number: number.parse().ok()?,
            count: count.parse().ok()?,
        };
        let is_whole = sum == format!("{:08x}", check(&[mark.start().as_bytes(), fill.as_bytes()]));
        is_whole.then_some(mark)
    }

    fn start(&self) -> String {
        let stream = match self.stream {
            Stream::Stdout => 'o',
            Stream::Stderr => 'e',
        };
        format!("{} {} {stream} {}/{}", self.key, self.pid, self.number, self.count)
    }
}

/// FNV-1a is enough against cuts and mixtures, which nobody makes on purpose.
fn check(parts: &[&[u8]]) -> u32 {
    parts
        .iter()
        .copied()
        .flatten()
        .fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark() -> Mark {
        Mark {
            key: "job-7".into(),
            pid: 4711,
            stream: Stream::Stderr,
            number: 3,
            count: 12,
        }
    }

    #[test]
    fn a_line_that_is_cut_longer_or_made_of_two_is_not_whole() {
        let line = mark().line(80);
        let line = &line[..79];
        assert_eq!(Mark::read(line), Some(mark()));
        assert_eq!(Mark::read(&[line, b"x"].concat()), None);
        assert_eq!(Mark::read(&line[1..]), None);
        let other = Mark { number: 4, ..mark() }.line(80);
        assert!((1..79).all(|cut| Mark::read(&line[..cut]).is_none()));
        assert!((1..79).all(|cut| {
            Mark::read(&[&line[..cut], &other[cut..79]].concat()).is_none_or(|read| read.number == 4)
        }));
        assert_eq!(Mark::read(b""), None);
    }

    #[test]
    fn one_that_is_too_short_for_its_mark_is_longer() {
        let line = mark().line(1);
        assert_eq!(Mark::read(line.strip_suffix(b"\n").unwrap()), Some(mark()));
    }
}
