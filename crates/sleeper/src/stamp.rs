//! Stamps: each process notes when it started and ended, so that a test can tell afterwards what ran at the
//! same time.
//!
//! One line for each stamp, `start KEY PID NANOS` or `end KEY PID NANOS`. KEY is percent-encoded, NANOS is
//! read from `CLOCK_MONOTONIC`, which all processes of a machine share. A line is one write to a file
//! opened for appending, so processes need no lock.

use anyhow::{Context, Result, bail};
use rustix::time::{ClockId, clock_gettime};
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

/// When a process ran, in time since the machine's boot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interval {
    /// The key of the process, decoded.
    pub key: Vec<u8>,
    /// The process ID.
    pub pid: u32,
    /// When it started its work.
    pub start: Duration,
    /// When it had finished its work; None if it was killed before, or still runs.
    pub end: Option<Duration>,
}

impl Interval {
    fn starting(key: Vec<u8>, pid: u32, start: Duration) -> Self {
        let end = None;
        Self { key, pid, start, end }
    }

    /// Without an end, only the start is certain.
    fn last_seen(&self) -> Duration {
        self.end.unwrap_or(self.start)
    }
}

/// A stamped start that needs its end. If it is dropped, the process counts as killed.
#[derive(Debug)]
#[must_use = "the end is to be stamped too"]
pub struct Started {
    file: File,
    who: String,
}

/// Stamps the start of this process.
///
/// # Errors
/// The file can't be opened or written.
pub fn start(path: &Path, key: &[u8]) -> Result<Started> {
    let opened = File::options().append(true).create(true).open(path);
    let file = opened.with_context(|| format!("can't open the stamp file {}", path.display()))?;
    let who = format!("{} {}", encode(key), std::process::id());
    let mut started = Started { file, who };
    started.write("start")?;
    Ok(started)
}

impl Started {
    /// Stamps the end of this process.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn end(mut self) -> Result<()> {
        self.write("end")
    }

    fn write(&mut self, what: &str) -> Result<()> {
        let line = format!("{what} {} {}\n", self.who, now().as_nanos());
        let written = self.file.write_all(line.as_bytes());
        written.with_context(|| format!("can't write the {what} stamp"))
    }
}

/// The clock of the stamps, for a test that compares a moment of its own with them.
///
/// # Panics
/// If that clock is negative, which no kernel allows.
#[must_use]
pub fn now() -> Duration {
    let now = clock_gettime(ClockId::Monotonic);
    Duration::try_from(now).expect("BUG: the monotonic clock is negative")
}

/// Reads the stamps of all processes, in the order of their starts.
///
/// # Errors
/// The file can't be read (it doesn't exist if nobody stamped), or a line is no stamp.
pub fn read(path: &Path) -> Result<Vec<Interval>> {
    let shown = path.display();
    let text = fs::read_to_string(path).with_context(|| format!("can't read {shown}"))?;
    let mut intervals: Vec<Interval> = Vec::new();
    let mut running = HashMap::new();
    for (line, number) in text.lines().zip(1..) {
        let place = || format!("{shown}:{number}: no stamp: {line:?}");
        let [what, key, pid, nanos] = line.split(' ').collect::<Vec<_>>()[..] else {
            bail!(place());
        };
        let pid = pid.parse().with_context(place)?;
        let at = Duration::from_nanos(nanos.parse().with_context(place)?);
        match what {
            "start" => {
                running.insert((key, pid), intervals.len());
                let key = decode(key).with_context(place)?;
                intervals.push(Interval::starting(key, pid, at));
            }
            "end" => {
                let started = running.remove(&(key, pid)).with_context(place)?;
                intervals[started].end = Some(at);
            }
            _ => bail!(place()),
        }
    }
    intervals.sort_by_key(|interval| interval.start);
    Ok(intervals)
}

/// How many processes of this key have stamped their start.
///
/// # Errors
/// As [`read`].
pub fn starts(path: &Path, key: &[u8]) -> Result<usize> {
    Ok(read(path)?.iter().filter(|interval| interval.key == key).count())
}

/// The most processes that certainly ran at once.
///
/// A process that ends at the instant in which another one starts does not overlap it. Without an end only
/// the start is certain, so such a process counts for that instant.
#[must_use]
pub fn peak(intervals: &[Interval]) -> usize {
    let instant = Duration::from_nanos(1);
    let mut starts: Vec<_> = intervals.iter().map(|interval| interval.start).collect();
    let end = |interval: &Interval| interval.last_seen().max(interval.start + instant);
    let mut ends: Vec<_> = intervals.iter().map(end).collect();
    starts.sort_unstable();
    ends.sort_unstable();
    let mut ended = 0;
    let running = starts.iter().enumerate().map(|(before, start)| {
        ended += ends[ended..].iter().take_while(|end| *end <= start).count();
        before + 1 - ended
    });
    running.max().unwrap_or(0)
}

/// From the first start to the last end.
#[must_use]
pub fn wall(intervals: &[Interval]) -> Duration {
    let first = intervals.iter().map(|interval| interval.start).min();
    let last = intervals.iter().map(Interval::last_seen).max();
    let (first, last) = (first.unwrap_or_default(), last.unwrap_or_default());
    last.saturating_sub(first)
}

fn encode(key: &[u8]) -> String {
    let encode = |&byte: &u8| match byte {
        b'!'..=b'~' if byte != b'%' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    key.iter().map(encode).collect()
}

fn decode(encoded: &str) -> Option<Vec<u8>> {
    let mut parts = encoded.split('%');
    let mut key = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (digits, plain) = part.split_at_checked(2)?;
        key.push(u8::from_str_radix(digits, 16).ok()?);
        key.extend(plain.as_bytes());
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::{Interval, peak, read, start, wall};
    use std::fs;
    use std::time::Duration;

    fn ran(start: u64, end: impl Into<Option<u64>>) -> Interval {
        let mut interval = Interval::starting(b"a".to_vec(), 1, Duration::from_nanos(start));
        interval.end = end.into().map(Duration::from_nanos);
        interval
    }

    #[test]
    fn what_was_written_is_read_again_with_any_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stamps");
        let keys: [&[u8]; 4] = [b"plain", b"", b"a b\nc%41", b"\xff\0"];
        for key in keys {
            start(&path, key).unwrap().end().unwrap();
        }
        drop(start(&path, b"killed").unwrap());

        let read = read(&path).unwrap();
        assert_eq!(read.len(), 5);
        for (ran, key) in read.iter().zip(keys) {
            assert_eq!((&ran.key[..], ran.pid), (key, std::process::id()));
            assert!(ran.end >= Some(ran.start));
        }
        assert_eq!((&read[4].key[..], read[4].end), (&b"killed"[..], None));
    }

    #[test]
    fn a_line_that_is_no_stamp_is_refused_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stamps");
        for bad in "end a 1 5,start a 1,start a x 5,start a 1 x,start %4 1 5,pause a 1 5".split(',') {
            fs::write(&path, format!("start a 2 3\n{bad}\n")).unwrap();
            let error = format!("{:#}", read(&path).unwrap_err());
            assert!(error.contains("stamps:2: no stamp"), "{bad}: {error}");
        }
    }

    #[test]
    fn an_end_in_the_instant_of_a_start_does_not_overlap_it() {
        assert_eq!(peak(&[ran(0, 5), ran(5, 9), ran(5, 7), ran(7, 8)]), 2);
        assert_eq!(peak(&[ran(0, 9), ran(5, 5), ran(5, 5)]), 3);
        assert_eq!(peak(&[]), 0);
    }

    #[test]
    fn without_an_end_only_the_start_counts() {
        assert_eq!(peak(&[ran(0, None), ran(3, 5), ran(4, None)]), 2);
        let passed = wall(&[ran(3, 5), ran(4, None), ran(9, None)]);
        assert_eq!(passed, Duration::from_nanos(6));
        assert_eq!(wall(&[]), Duration::ZERO);
    }
}
