//! The jobs of a long run: short, and each prints bytes that no other prints.

use std::path::Path;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sleeper::bytes::{self, Stream};

/// A job.
pub(crate) struct PrintingJob {
    pub(crate) key: String,
    seed: u64,
    nap_milliseconds: u32,
    /// Bytes on standard output; with None it does not even print its key.
    stdout: Option<usize>,
    stderr: usize,
}

/// How many bytes jobs print, each with its share in percent.
const STDOUT: [(u32, Option<usize>); 4] = [(23, None), (50, Some(60)), (25, Some(5_000)), (2, Some(200_000))];
const STDERR: [(u32, usize); 4] = [(80, 0), (14, 60), (5, 5_000), (1, 100_000)];

/// Makes `count` jobs, always the same from the same seed.
pub(crate) fn jobs(count: usize, seed: u64) -> Vec<PrintingJob> {
    let random = &mut StdRng::seed_from_u64(seed);
    let job = |number: usize| PrintingJob {
        key: format!("job-{number:06}"),
        seed: random.random_range(0..1 << 40),
        nap_milliseconds: match random.random_range(0..100) {
            0..50 => 0,
            50..99 => random.random_range(0..20),
            // Long enough that it may still run when the next procpool starts it again.
            _ => 250,
        },
        stdout: choose(&STDOUT, random),
        stderr: choose(&STDERR, random),
    };
    (1..=count).map(job).collect()
}

fn choose<T: Copy>(shares: &[(u32, T)], random: &mut StdRng) -> T {
    let mut chance = random.random_range(0..100);
    let chosen = shares.iter().find(|(share, _)| {
        let is_it = chance < *share;
        chance = chance.saturating_sub(*share);
        is_it
    });
    chosen.expect("BUG: shares that are no hundred").1
}

impl PrintingJob {
    /// The sleeper's arguments, as one word.
    pub(crate) fn words(&self, log: &Path) -> String {
        let PrintingJob { seed, nap_milliseconds, stdout, stderr, .. } = self;
        let log = log.display();
        let told = match stdout {
            None => String::new(),
            Some(count) => format!(" --print-env PROCPOOL_KEY --stdout-bytes {count}"),
        };
        format!(
            "0.{nap_milliseconds:03} --quiet --stamp {log} --byte-seed {seed} --stderr-bytes {stderr}{told}"
        )
    }

    /// All that it prints to this stream.
    pub(crate) fn output(&self, stream: Stream) -> Vec<u8> {
        match (stream, self.stdout) {
            (Stream::Stdout, None) => Vec::new(),
            (Stream::Stdout, Some(count)) => {
                [self.key.as_bytes(), b"\n", &bytes::all(self.seed, stream, count)].concat()
            }
            (Stream::Stderr, _) => bytes::all(self.seed, stream, self.stderr),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn there_are_all_kinds_and_no_two_print_the_same() {
        let jobs = jobs(1000, 7);
        for (stream, sizes) in
            [(Stream::Stdout, [0, 71, 5_011, 200_011]), (Stream::Stderr, [0, 60, 5_000, 100_000])]
        {
            let outputs: Vec<Vec<u8>> = jobs.iter().map(|job| job.output(stream)).collect();
            for size in sizes {
                assert!(outputs.iter().any(|output| output.len() == size), "{stream:?} {size}");
            }
            let filled = outputs.iter().filter(|output| !output.is_empty());
            assert_eq!(filled.clone().collect::<HashSet<_>>().len(), filled.count());
        }
    }

    #[test]
    fn the_same_seed_makes_the_same_jobs() {
        let words = |seed| jobs(50, seed).iter().map(|job| job.words(Path::new("/l"))).collect::<Vec<_>>();
        assert_eq!(words(7), words(7));
        assert_ne!(words(7), words(8));
    }
}
