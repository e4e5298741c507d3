//! Whether all outputs came whole and once, across procpools that were killed and resumed. After a kill a
//! short piece may come twice where procpool can't see what was already written.

use std::collections::HashMap;

use anyhow::{Context, Result, bail, ensure};

use crate::plan::Order;

/// How many pieces may come twice: one for each kill between a write and its record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowance {
    pub(crate) repeats: u64,
    /// The most bytes of each piece.
    pub(crate) longest: usize,
}

/// For files, whose length a resume can see.
pub(crate) const NO_REPEATS: Allowance = Allowance { repeats: 0, longest: 0 };

/// The length of the beginning by which outputs are told apart.
const HEAD: usize = 16;

/// After a cut, up to this many bytes may happen to be those that would have followed.
const CHANCE: usize = 8;

/// Checks the stream `came` against the outputs in input order, and returns how many pieces came twice.
/// Empty outputs are skipped; the others are at least [`HEAD`] long.
///
/// # Errors
/// Names the first wrong place and what is wrong there.
pub(crate) fn judge(outputs: &[Vec<u8>], order: Order, allowance: Allowance, came: &[u8]) -> Result<u64> {
    let numbers = (0..).zip(outputs).filter(|(_, output)| !output.is_empty());
    let by_head = numbers.map(|(number, output)| (head(output), number)).collect();
    let mut reader = DeliveryReader { outputs, by_head, allowance, came, place: 0, repeats: 0 };
    let mut last = None;
    while reader.place < came.len() {
        let number = reader.next_output()?;
        if order == Order::OfInput {
            ensure!(last < Some(number), "job {} came after job {}", number + 1, last.unwrap_or(0) + 1);
        }
        last = Some(number);
        reader.read(number)?;
    }
    if let Some(missing) = reader.by_head.values().min() {
        let count = reader.by_head.len();
        bail!("the outputs of {count} jobs are missing, the first of job {}", missing + 1);
    }
    Ok(reader.repeats)
}

struct DeliveryReader<'a> {
    outputs: &'a [Vec<u8>],
    /// The outputs that have not come yet, by their beginning.
    by_head: HashMap<&'a [u8], usize>,
    allowance: Allowance,
    came: &'a [u8],
    place: usize,
    repeats: u64,
}

fn head(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(HEAD)]
}

impl DeliveryReader<'_> {
    fn rest(&self) -> &[u8] {
        &self.came[self.place..]
    }

    /// The output that begins here; it is no longer expected afterwards.
    fn next_output(&mut self) -> Result<usize> {
        let place = self.place;
        let rest = &self.came[place..];
        self.by_head.remove(head(rest)).with_context(|| {
            let excerpt = rest[..rest.len().min(60)].escape_ascii();
            format!("no output that is yet to come begins as what came at {place}: \"{excerpt}\"")
        })
    }

    /// Moves past an output and past the pieces of it that come twice.
    fn read(&mut self, number: usize) -> Result<()> {
        let output = &self.outputs[number];
        let mut read = 0;
        loop {
            let same = self.rest().iter().zip(&output[read..]).take_while(|(came, due)| came == due).count();
            read += same;
            self.place += same;
            let is_over = read == output.len();
            if is_over && (self.rest().is_empty() || self.by_head.contains_key(head(self.rest()))) {
                return Ok(());
            }
            let Some((back, length)) = self.repeat(&output[..read]) else {
                // The next call finds that what follows belongs to no output.
                ensure!(
                    is_over,
                    "the output of job {} is cut after {read} of {} bytes, at {}",
                    number + 1,
                    output.len(),
                    self.place
                );
                return Ok(());
            };
            self.repeats += 1;
            ensure!(
                self.repeats <= self.allowance.repeats,
                "{} pieces came twice, and {} may; the last is of job {}, at {}",
                self.repeats,
                self.allowance.repeats,
                number + 1,
                self.place
            );
            self.place -= back;
            read -= back + length;
        }
    }

    /// The piece that comes again here or a few bytes before: how many bytes before, and its length.
    fn repeat(&self, read: &[u8]) -> Option<(usize, usize)> {
        let candidates = (0..CHANCE.min(read.len())).flat_map(|back| {
            let longest = self.allowance.longest.min(read.len() - back);
            (1..=longest).map(move |length| (back, length))
        });
        let comes_again = |(back, length): &(usize, usize)| {
            let end = read.len() - back;
            self.came[self.place - back..].starts_with(&read[end - length..end])
        };
        candidates.filter(comes_again).max_by_key(|(back, length)| (*length, CHANCE - back))
    }
}

#[cfg(test)]
mod tests {
    use sleeper::bytes::{Stream, all};

    use super::*;

    const ONE: Allowance = Allowance { repeats: 1, longest: 4096 };

    fn outputs() -> Vec<Vec<u8>> {
        [100, 0, 10_000, 16]
            .into_iter()
            .zip(0..)
            .map(|(count, seed)| all(seed, Stream::Stdout, count))
            .collect()
    }

    /// Joins pieces of outputs: the job's number, first and last byte.
    fn stream(pieces: &[(usize, usize, usize)]) -> Vec<u8> {
        let outputs = outputs();
        pieces.iter().flat_map(|(job, from, to)| outputs[*job][*from..*to].to_vec()).collect()
    }

    fn verdict(order: Order, allowance: Allowance, pieces: &[(usize, usize, usize)]) -> Result<u64> {
        judge(&outputs(), order, allowance, &stream(pieces))
    }

    #[track_caller]
    fn complaint(order: Order, allowance: Allowance, pieces: &[(usize, usize, usize)]) -> String {
        verdict(order, allowance, pieces).unwrap_err().to_string()
    }

    const A: (usize, usize, usize) = (0, 0, 100);
    const B: (usize, usize, usize) = (2, 0, 10_000);
    const C: (usize, usize, usize) = (3, 0, 16);

    #[test]
    fn whole_outputs_pass_in_order_and_in_any_where_none_is_kept() {
        for allowance in [NO_REPEATS, ONE] {
            assert_eq!(verdict(Order::OfInput, allowance, &[A, B, C]).unwrap(), 0);
            assert_eq!(verdict(Order::AsTheyEnd, allowance, &[C, A, B]).unwrap(), 0);
            assert!(complaint(Order::OfInput, allowance, &[B, A, C]).contains("job 1 came after job 3"));
        }
    }

    #[test]
    fn what_is_missing_or_foreign_is_found() {
        for allowance in [NO_REPEATS, ONE] {
            let missing = complaint(Order::OfInput, allowance, &[A, C]);
            assert!(missing.contains("1 jobs are missing, the first of job 3"), "{missing}");
            let cut = complaint(Order::AsTheyEnd, allowance, &[A, (2, 0, 500), C]);
            assert!(cut.contains("job 3 is cut after 500 of 10000 bytes, at 600"), "{cut}");
            let late = complaint(Order::AsTheyEnd, allowance, &[A, (2, 16, 10_000), C]);
            assert!(late.contains("no output that is yet to come begins as what came at 100"), "{late}");
        }
    }

    #[test]
    fn a_piece_may_come_twice_where_a_kill_allows_for_it() {
        for pieces in [
            &[A, (2, 0, 5000), (2, 904, 10_000), C][..],
            &[A, (2, 0, 10_000), (2, 9990, 10_000), C],
            &[A, (2, 0, 10_000), (2, 5904, 10_000), C],
            &[A, A, B, C],
            &[A, B, C, C],
        ] {
            assert_eq!(verdict(Order::OfInput, ONE, pieces).unwrap(), 1, "{pieces:?}");
            complaint(Order::OfInput, NO_REPEATS, pieces);
        }
        let twice = [A, (2, 0, 5000), (2, 904, 5000), (2, 4000, 10_000), C];
        assert!(complaint(Order::OfInput, ONE, &twice).contains("2 pieces came twice, and 1 may"));
        assert_eq!(verdict(Order::OfInput, Allowance { repeats: 2, ..ONE }, &twice).unwrap(), 2);
    }

    #[test]
    fn no_longer_piece_may_nor_one_that_another_job_has_followed() {
        complaint(Order::OfInput, ONE, &[A, (2, 0, 5000), (2, 903, 10_000), C]);
        complaint(Order::AsTheyEnd, ONE, &[A, B, C, A]);
    }
}
