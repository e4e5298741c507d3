//! Splits what came on one stream in all runs into lines, without what a terminal adds, without procpool's
//! own messages, and without pieces that may come twice.

use std::ops::Range;

use sleeper::lines::Mark;

use crate::journal::own_messages::{OWN_PREFIX, without_own_messages};

/// What one run added to a stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct Segment {
    pub(crate) bytes: Vec<u8>,
    /// Whether the run was killed, so that its last piece may come twice.
    pub(crate) is_killed: bool,
}

/// The lines of a stream.
#[derive(Debug, Default)]
pub(crate) struct StreamLines {
    pub(crate) lines: Vec<Line>,
    /// How many pieces came twice.
    pub(crate) repeats: u64,
}

/// A line that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Without its newline.
    pub(crate) text: Vec<u8>,
    /// The runs in which it began and ended.
    pub(crate) begun: usize,
    pub(crate) ended: usize,
}

/// Which pieces may come twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeats {
    None,
    /// The last piece before a kill, if it has at most this many bytes.
    UpTo(usize),
}

impl Line {
    /// The label before the last tab, and the mark of the line if it is whole.
    pub(crate) fn read(&self) -> (&[u8], Option<Mark>) {
        let tab = self.text.iter().rposition(|byte| *byte == b'\t');
        let (label, rest) = tab.map_or((&[][..], &self.text[..]), |tab| self.text.split_at(tab + 1));
        (label, Mark::read(rest))
    }
}

/// Joins the segments and splits them into lines.
pub(crate) fn read(segments: &[Segment], repeats: Repeats) -> StreamLines {
    let mut came = StreamLines::default();
    // The unfinished line, and where it begins.
    let mut all: Vec<u8> = Vec::new();
    let mut begun = 0;
    let mut start = 0;
    let mut is_killed = false;
    // Where in the unfinished line an earlier run began. Whether a piece came twice there is known only
    // when the line ends.
    let mut loose = None;
    for (run, segment) in segments.iter().enumerate() {
        let bytes = without_controls(&segment.bytes);
        let begins_with_words = bytes.starts_with(OWN_PREFIX) && start < all.len();
        let bytes = without_own_messages(&bytes);
        // A run that was refused prints only messages; the next run finishes the line.
        let is_cut_off = begins_with_words && !bytes.is_empty();
        if is_cut_off {
            // A message of a resume follows, so the line's rest can't be found.
            let text = all.split_off(start);
            came.lines.push(Line { text, begun, ended: run });
        }
        let twice = match repeats {
            Repeats::UpTo(most) if is_killed => {
                let at = loose.filter(|at| *at > start);
                if let Some((at, earlier)) = at.and_then(|at| repeated_earlier(&all, start..at, &bytes, most))
                {
                    all.drain(at..at + earlier);
                    came.repeats += 1;
                }
                repeated(&all, start, &bytes, most)
            }
            _ => 0,
        };
        came.repeats += u64::from(twice > 0);
        let is_within_line = start < all.len() && !bytes.contains(&b'\n');
        loose = is_within_line.then_some(all.len());
        for byte in &bytes[twice..] {
            if start == all.len() {
                begun = run;
            }
            all.push(*byte);
            if *byte == b'\n' {
                let text = all[start..all.len() - 1].to_vec();
                came.lines.push(Line { text, begun, ended: run });
                start = all.len();
            }
        }
        // After a run that prints nothing, the piece before it still counts as the last one of a killed
        // run.
        is_killed = segment.is_killed || is_killed && bytes.is_empty();
    }
    if start < all.len() {
        came.lines.push(Line { text: all[start..].to_vec(), begun, ended: segments.len() });
    }
    came
}

/// How many bytes at the beginning of `next` repeat the end of `all`, such that the line in between, which
/// begins at `start`, is whole without them.
fn repeated(all: &[u8], start: usize, next: &[u8], longest: usize) -> usize {
    whole_without(all, start, next, longest)
        .unwrap_or_else(|| if is_part(all, next, longest) { next.len() } else { 0 })
}

/// Like `repeated`, but a piece of an earlier run, which began at the end of `before`, may have come twice
/// as well: where, and how many bytes, if the line is not whole otherwise.
fn repeated_earlier(all: &[u8], before: Range<usize>, next: &[u8], longest: usize) -> Option<(usize, usize)> {
    let (start, at) = (before.start, before.end);
    if whole_without(all, start, next, longest).is_some() {
        return None;
    }
    let most = longest.min(at).min(all.len() - at);
    let lengths = (1..=most).rev().filter(|length| all[..at].ends_with(&all[at..at + length]));
    let mut whole = lengths.filter(|length| {
        let rest = [&all[..at], &all[at + length..]].concat();
        whole_without(&rest, start, next, longest).is_some()
    });
    whole.next().map(|length| (at, length))
}

fn whole_without(all: &[u8], start: usize, next: &[u8], longest: usize) -> Option<usize> {
    let most = longest.min(all.len()).min(next.len());
    let is_one = |length: &usize| {
        if !all.ends_with(&next[..*length]) {
            return false;
        }
        let rest = &next[*length..];
        let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        let text = [&all[start..], &rest[..end]].concat();
        text.is_empty() || Line { text, begun: 0, ended: 0 }.read().1.is_some()
    };
    (0..=most).rev().find(is_one)
}

/// Whether this whole run is the beginning of a piece that had come before, and was cut again.
fn is_part(all: &[u8], next: &[u8], longest: usize) -> bool {
    let last = &all[all.len() - longest.min(all.len())..];
    !next.is_empty() && last.windows(next.len()).any(|window| window == next)
}

/// Removes a terminal's carriage returns, and lines that begin with ESC [, which are for the terminal only.
fn without_controls(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        match byte {
            b'\r' => {}
            0x1b if rest.next_if_eq(&b'[').is_some() => {
                rest.by_ref().find(|byte| (0x40..=0x7e).contains(byte));
            }
            _ => plain.push(byte),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use sleeper::bytes::Stream;

    use super::*;

    fn line(number: u64) -> Vec<u8> {
        let mark = Mark {
            key: "a".into(),
            pid: 7,
            stream: Stream::Stdout,
            number,
            count: 9,
        };
        mark.line(50)
    }

    fn read_all(segments: &[&[u8]], repeats: Repeats) -> StreamLines {
        let segment = |bytes: &&[u8]| Segment { bytes: bytes.to_vec(), is_killed: true };
        read(&segments.iter().map(segment).collect::<Vec<_>>(), repeats)
    }

    #[test]
    fn a_line_that_was_cut_goes_on_in_the_next_run() {
        let one = line(1);
        let came = read_all(&[&one[..20], b"", &one[20..]], Repeats::None);
        let whole = Line { text: one[..49].to_vec(), begun: 0, ended: 2 };
        assert_eq!((&came.lines[..], came.repeats), (&[whole][..], 0));
        let came = read_all(&[&one[..20], b"procpool: hi\n", &one[20..]], Repeats::None);
        assert_eq!(came.lines.len(), 1);
        let came = read_all(&[&one[..20], &[b"procpool: hi\n", &one[20..]].concat()], Repeats::None);
        assert_eq!(came.lines.len(), 2);
    }

    #[test]
    fn a_line_that_was_cut_twice_may_have_a_piece_twice_at_each() {
        let one = line(1);
        let end = one.len() - 1;
        for (cut, back, next, next_back) in [(24, 5, end - 5, 7), (20, 3, 30, 0), (30, 0, end, 10)] {
            let pieces = [&one[..cut], &one[cut - back..next], &one[next - next_back..]];
            let came = read_all(&pieces, Repeats::UpTo(4096));
            let twice = u64::from(back > 0) + u64::from(next_back > 0);
            assert_eq!((came.lines.len(), came.repeats), (1, twice), "{cut} {back} {next} {next_back}");
            assert!(came.lines[0].read().1.is_some());
        }
    }

    #[test]
    fn a_piece_that_came_twice_is_taken_out_and_counted() {
        let (one, two) = (line(1), line(2));
        for cut in 0..50 {
            let first = [&one[..], &two[..cut]].concat();
            for length in 1..=first.len() {
                let next = [&first[first.len() - length..], &two[cut..]].concat();
                let came = read_all(&[&first, &next], Repeats::UpTo(4096));
                assert_eq!((came.lines.len(), came.repeats), (2, 1), "{cut} {length}");
                assert!(came.lines.iter().all(|line| line.read().1.is_some()), "{cut} {length}");
            }
            let came = read_all(&[&first, &two[cut..]], Repeats::UpTo(4096));
            assert_eq!((came.lines.len(), came.repeats), (2, 0), "{cut}");
        }
        let came = read_all(&[&one, &one], Repeats::None);
        assert_eq!(came.lines.len(), 2);
        let first = [&one[..], &two[..20]].concat();
        let came = read_all(&[&first, &first[..60], &[&first, &two[20..]].concat()], Repeats::UpTo(4096));
        assert_eq!((came.lines.len(), came.repeats), (2, 2));
    }

    #[test]
    fn what_only_a_terminal_sees_is_no_part_of_a_line() {
        let came = read_all(&[b"a\x1b[0mb\r\n\x1b[1;31mc\r\nd"], Repeats::None);
        let texts: Vec<&[u8]> = came.lines.iter().map(|line| &line.text[..]).collect();
        assert_eq!(texts, [&b"ab"[..], b"c", b"d"]);
    }
}
