//! Whether procpool's standard output is right: the output of known jobs only, each once, whole, in order,
//! except for what the way procpool ended excuses.

use std::ops::Range;

use anyhow::{Result, anyhow, bail, ensure};

use crate::plan::Order;

/// The whole output of a job. Its first line is that of no other block.
pub(crate) struct Block {
    pub(crate) bytes: Vec<u8>,
    pub(crate) excuse: Excuse,
}

/// Whether procpool itself ended the job before it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Excuse {
    None,
    TimedOut,
}

/// How far procpool got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// It ended by itself: all output is there.
    Complete,
    /// It was asked to end after this many bytes: blocks that begin later may be cut or missing.
    Told { settled: usize },
    /// It was killed: only the last block may be cut.
    Killed,
}

/// Judges the stream `came` against the blocks in the order of the input.
///
/// # Errors
/// Names the first place that is wrong, and why.
pub(crate) fn judge(blocks: &[Block], order: Order, reach: Reach, came: &[u8]) -> Result<()> {
    let mut judge = Judge { blocks, order, reach, came, seen: vec![false; blocks.len()] };
    let mut place = 0;
    let mut next = 0;
    while place < came.len() {
        let Some(number) = judge.block_at(place) else {
            return judge.rest_is_a_torn_head(place);
        };
        ensure!(!judge.seen[number], "the output of job {} came twice, again at {place}", number + 1);
        if order == Order::OfInput {
            ensure!(number >= next, "job {} came at {place}, after job {next}", number + 1);
            judge.may_be_missing(next..number, place)?;
            next = number + 1;
        }
        judge.seen[number] = true;
        place = judge.end_of(number, place)?;
    }
    judge.may_be_missing(0..if reach == Reach::Complete { blocks.len() } else { 0 }, place)
}

struct Judge<'a> {
    blocks: &'a [Block],
    order: Order,
    reach: Reach,
    came: &'a [u8],
    seen: Vec<bool>,
}

impl Judge<'_> {
    /// The block whose first line begins at `place`.
    fn block_at(&self, place: usize) -> Option<usize> {
        self.blocks.iter().position(|block| self.came[place..].starts_with(head(block)))
    }

    /// The last block may have been cut within its first line.
    fn rest_is_a_torn_head(&self, place: usize) -> Result<()> {
        let rest = &self.came[place..];
        let is_torn = |(block, seen): (&Block, &bool)| {
            !seen && head(block).starts_with(rest) && (self.excuses(block, place) || self.may_end_torn())
        };
        if !self.blocks.iter().zip(&self.seen).any(is_torn) {
            let excerpt = &rest[..rest.len().min(60)];
            bail!("no job printed what came at {place}: \"{}\"", excerpt.escape_ascii());
        }
        Ok(())
    }

    /// Where the block ends that begins at `place`.
    fn end_of(&self, number: usize, place: usize) -> Result<usize> {
        let block = &self.blocks[number];
        let common = self.came[place..]
            .iter()
            .zip(&block.bytes)
            .take_while(|(came, expected)| came == expected)
            .count();
        let end = place + common;
        if common == block.bytes.len() || end == self.came.len() && self.may_end_torn() {
            return Ok(end);
        }
        let complaint = || {
            let total = block.bytes.len();
            format!("the output of job {} at {place} is cut after {common} of {total} bytes", number + 1)
        };
        // In input order, a block may have been streamed before its job was asked to end.
        let streamed = self.order == Order::OfInput && self.excuses(block, end);
        ensure!(streamed || self.excuses(block, place), complaint());
        // The first bytes of the next block may happen to be those that would have followed here.
        let least = place + head(block).len();
        let is_end = |end: &usize| *end == self.came.len() || self.block_at(*end).is_some();
        let found = (least..=end).rev().take(16).find(is_end);
        // Or the next block is cut within its first line.
        let found = found.or((self.rest_is_a_torn_head(end).is_ok()).then_some(end));
        found.ok_or_else(|| anyhow!("{}, and no other job's output follows", complaint()))
    }

    fn may_end_torn(&self) -> bool {
        self.reach != Reach::Complete
    }

    /// Whether a block that begins at `place` may be cut or missing.
    fn excuses(&self, block: &Block, place: usize) -> bool {
        let is_after_the_end = matches!(self.reach, Reach::Told { settled } if place >= settled);
        is_after_the_end || block.excuse == Excuse::TimedOut
    }

    fn may_be_missing(&self, numbers: Range<usize>, place: usize) -> Result<()> {
        for number in numbers {
            let is_fine = self.seen[number] || self.excuses(&self.blocks[number], place);
            ensure!(is_fine, "the output of job {} is missing at {place}", number + 1);
        }
        Ok(())
    }
}

fn head(block: &Block) -> &[u8] {
    let end = block.bytes.iter().position(|byte| *byte == b'\n').map_or(block.bytes.len(), |line| line + 1);
    &block.bytes[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "job 1\naaaa";
    const B: &str = "job 2\nbbbb";
    const C: &str = "job 3\n";
    const REACHES: [Reach; 3] = [Reach::Complete, Reach::Told { settled: 1000 }, Reach::Killed];

    fn blocks(excuse: Excuse) -> Vec<Block> {
        [A, B, C].map(|text| Block { bytes: text.into(), excuse }).into()
    }

    fn verdict(order: Order, reach: Reach, parts: &[&str]) -> Result<()> {
        judge(&blocks(Excuse::None), order, reach, parts.concat().as_bytes())
    }

    #[track_caller]
    fn complaint(order: Order, reach: Reach, parts: &[&str]) -> String {
        verdict(order, reach, parts).unwrap_err().to_string()
    }

    #[test]
    fn whole_blocks_pass_in_order_and_in_any_order_where_none_is_kept() {
        for reach in REACHES {
            verdict(Order::OfInput, reach, &[A, B, C]).unwrap();
            verdict(Order::AsTheyEnd, reach, &[C, A, B]).unwrap();
            let error = complaint(Order::OfInput, reach, &[A, C, B]);
            assert!(error.contains("job 2 is missing at 10"), "{error}");
        }
    }

    #[test]
    fn a_block_that_comes_twice_is_found() {
        for reach in [Reach::Complete, Reach::Told { settled: 0 }, Reach::Killed] {
            for order in [Order::OfInput, Order::AsTheyEnd] {
                let error = complaint(order, reach, &[A, B, A]);
                assert!(error.contains("job 1 came twice, again at 20"), "{error}");
            }
        }
    }

    #[test]
    fn a_block_that_is_cut_in_the_middle_is_found() {
        for reach in REACHES {
            for order in [Order::OfInput, Order::AsTheyEnd] {
                let error = complaint(order, reach, &["job 1\naa", B, C]);
                assert!(error.contains("job 1 at 0 is cut after 8 of 10 bytes"), "{error}");
            }
        }
    }

    #[test]
    fn unknown_bytes_are_found_wherever_they_stand() {
        for reach in REACHES {
            for parts in [["x", A, B], [A, "x", B], [A, B, "x"], [A, B, "job 4\n"]] {
                let error = complaint(Order::AsTheyEnd, reach, &parts);
                assert!(error.contains("no job printed what came at "), "{error}");
            }
            let error = complaint(Order::AsTheyEnd, reach, &["job 1\naaxa", B]);
            assert!(error.contains("cut after 8 of 10 bytes"), "{error}");
        }
        let told = Reach::Told { settled: 0 };
        let error = complaint(Order::AsTheyEnd, told, &["job 1\naaxa", B]);
        assert!(error.contains("no other job's output follows"), "{error}");
    }

    #[test]
    fn a_missing_first_job_is_found_where_the_order_is_kept() {
        for reach in REACHES {
            let error = complaint(Order::OfInput, reach, &[B, C]);
            assert!(error.contains("job 1 is missing at 0"), "{error}");
        }
        verdict(Order::AsTheyEnd, Reach::Killed, &[B, C]).unwrap();
        complaint(Order::AsTheyEnd, Reach::Complete, &[B, C]);
    }

    #[test]
    fn only_the_end_of_what_was_killed_may_be_cut_at_any_byte() {
        let whole = [A, B, C].concat();
        for end in 0..whole.len() {
            verdict(Order::OfInput, Reach::Killed, &[&whole[..end]]).unwrap();
            verdict(Order::AsTheyEnd, Reach::Told { settled: 1000 }, &[&whole[..end]]).unwrap();
            complaint(Order::OfInput, Reach::Complete, &[&whole[..end]]);
            complaint(Order::AsTheyEnd, Reach::Complete, &[&whole[..end]]);
        }
    }

    #[test]
    fn what_comes_after_procpool_was_told_to_end_may_be_cut_or_missing_but_not_what_came_before() {
        let parts = [A, "job 2\nb", C];
        verdict(Order::OfInput, Reach::Told { settled: 10 }, &parts).unwrap();
        // The second block was being streamed when procpool was asked to end.
        verdict(Order::OfInput, Reach::Told { settled: 17 }, &parts).unwrap();
        complaint(Order::OfInput, Reach::Told { settled: 18 }, &parts);
        verdict(Order::AsTheyEnd, Reach::Told { settled: 10 }, &parts).unwrap();
        complaint(Order::AsTheyEnd, Reach::Told { settled: 11 }, &parts);
        verdict(Order::OfInput, Reach::Told { settled: 10 }, &[A, C]).unwrap();
        complaint(Order::OfInput, Reach::Told { settled: 11 }, &[A, C]);
        complaint(Order::OfInput, Reach::Told { settled: 0 }, &[B, A]);
    }

    #[test]
    fn a_job_that_timed_out_may_be_cut_or_missing_in_a_complete_run() {
        let blocks = blocks(Excuse::TimedOut);
        for came in ["", "job 1\naajob 2\nbbbbjob 3\n", "job 2\nbjob 3\n", "job 1\naaaa"] {
            judge(&blocks, Order::OfInput, Reach::Complete, came.as_bytes()).unwrap();
        }
        judge(&blocks, Order::OfInput, Reach::Complete, b"job 1\naaxjob 2\nbbbb").unwrap_err();
    }

    #[test]
    fn a_cut_before_a_block_that_goes_on_by_chance_as_the_cut_one_would_have_is_no_fault() {
        let blocks =
            ["job 1\njobless", "job 2\nx"].map(|text| Block { bytes: text.into(), excuse: Excuse::None });
        let told = Reach::Told { settled: 0 };
        judge(&blocks, Order::OfInput, told, b"job 1\njob 2\nx").unwrap();
    }
}
