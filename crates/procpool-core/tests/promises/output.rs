//! A job's output arrives exactly as written: real processes.

use std::fs::File;
use std::io::{self, Read};

use procpool_core::{Capture, Command, End, Job, Pool, Spool, Status};
use sleeper::bytes::{self, Stream};

use crate::{limit, patient, run, run_by, run_one, said, sh, sleeper};

const MEGABYTE: usize = 1 << 20;

#[test]
fn both_streams_are_kept_apart_and_exact_though_both_are_large() {
    let done = run_one(sleeper("0 --quiet --stdout-bytes 20M --stderr-bytes 20M --byte-seed 5"));
    assert!(done.outcome.is_success(), "{}", done.outcome);
    assert!(done.stdout().to_vec().unwrap() == bytes::all(5, Stream::Stdout, 20 * MEGABYTE));
    assert!(done.stderr().to_vec().unwrap() == bytes::all(5, Stream::Stderr, 20 * MEGABYTE));
}

#[test]
fn a_thousand_jobs_of_any_size_are_all_exact() {
    // 20 MB in all, a few large and many small outputs: cubes of random numbers, around the threshold and
    // above it.
    let random = bytes::all(1, Stream::Stdout, 2_000);
    let size = |index: usize| usize::from(random[index]).pow(3) / 400;
    let sizes: Vec<(usize, usize)> = (0..1_000).map(|n| (size(2 * n), size(2 * n + 1))).collect();
    let total: usize = sizes.iter().map(|(stdout, stderr)| stdout + stderr).sum();
    assert!((18 * MEGABYTE..23 * MEGABYTE).contains(&total), "{total}");

    let jobs = sizes.iter().enumerate().map(|(seed, (stdout, stderr))| {
        let options = format!("0 --quiet --stdout-bytes {stdout} --stderr-bytes {stderr} --byte-seed {seed}");
        Job::new(seed.to_string(), sleeper(&options))
    });
    let pool = Pool::with_runner(limit(8), patient().spool_threshold(10_000));
    let results = pool.run_all(jobs).unwrap();
    for (seed, (done, (stdout, stderr))) in (0..).zip(results.iter().zip(&sizes)) {
        assert!(done.outcome.is_success(), "{}: {}", done.key(), done.outcome);
        assert!(done.stdout().to_vec().unwrap() == bytes::all(seed, Stream::Stdout, *stdout), "{seed}");
        assert!(done.stderr().to_vec().unwrap() == bytes::all(seed, Stream::Stderr, *stderr), "{seed}");
    }
}

#[test]
fn an_output_past_the_threshold_reads_like_any_other() {
    let expected = bytes::all(2, Stream::Stdout, MEGABYTE);
    let command = sleeper("0 --quiet --stdout-bytes 1M --byte-seed 2");
    for threshold in [0, 1, 4_096, 100_000, 2 * MEGABYTE] {
        let done = run_by(patient().spool_threshold(threshold), Job::new("one", command.clone()));
        let spool = done.stdout();
        assert_eq!(spool.len(), 1 << 20);
        assert!(spool.tail(5).unwrap() == expected[MEGABYTE - 5..]);
        assert!(spool.tail(300_000).unwrap() == expected[MEGABYTE - 300_000..]);
        assert!(spool.tail(0).unwrap().is_empty());
        assert!(spool.tail(2 * MEGABYTE).unwrap() == expected);
        let mut copy = Vec::new();
        assert_eq!(spool.copy_to(&mut copy).unwrap(), 1 << 20);
        assert!(copy == expected);
        assert!(read_in_odd_pieces(spool) == expected);
    }
}

fn read_in_odd_pieces(spool: &Spool) -> Vec<u8> {
    let (mut reader, mut read) = (spool.reader(), Vec::new());
    for size in (1..).step_by(7_919) {
        let mut piece = vec![0; size];
        let count = reader.read(&mut piece).unwrap();
        read.extend(&piece[..count]);
        if count == 0 {
            break;
        }
    }
    read
}

#[test]
fn bytes_from_elsewhere_are_kept_like_an_output_and_can_be_moved_out_of_memory() {
    let all = bytes::all(3, Stream::Stdout, MEGABYTE);
    for threshold in [0, 1, 65_536, 2 * MEGABYTE] {
        let runner = patient().spool_threshold(threshold);
        for length in [0, 1, 300, 65_535, 65_536, 65_537, 131_072, 131_073, MEGABYTE] {
            let mut spool = runner.keep(InOddPieces { left: &all[..length], is_interrupted: false }).unwrap();
            assert!(spool.to_vec().unwrap() == all[..length]);
            spool.spill().unwrap();
            assert!(read_in_odd_pieces(&spool) == all[..length]);
        }
    }
}

/// Yields some bytes at a time, and is interrupted before each.
struct InOddPieces<'a> {
    left: &'a [u8],
    is_interrupted: bool,
}

impl Read for InOddPieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.is_interrupted = !self.is_interrupted;
        if self.is_interrupted {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let most = buffer.len().min(7_919);
        self.left.read(&mut buffer[..most])
    }
}

#[test]
fn bytes_from_elsewhere_that_can_not_be_read_or_kept_are_an_error_and_small_ones_need_no_file() {
    let runner = patient().spool_directory("/nonexistent/spool").spool_threshold(1_000);
    assert_eq!(runner.keep(&b"small"[..]).unwrap().to_vec().unwrap(), b"small");
    let error = runner.keep(io::repeat(b'x')).unwrap_err();
    assert!(error.to_string().contains("/nonexistent/spool"), "{error}");
    let folder = File::open("/").unwrap();
    assert_eq!(patient().keep(folder).unwrap_err().kind(), io::ErrorKind::IsADirectory);
}

#[test]
fn an_output_outlives_the_pool_that_made_it() {
    let done = run_one(sleeper("0 --quiet --stdout-bytes 1M"));
    assert!(done.stdout().to_vec().unwrap() == bytes::all(0, Stream::Stdout, MEGABYTE));
}

#[test]
fn output_without_a_last_newline_is_kept_as_it_is() {
    assert_eq!(said(&run_one(Command::new("printf").args(["a\nb"]))), "a\nb");
}

#[test]
fn a_job_that_closes_its_outputs_runs_on_to_its_own_end() {
    let done = run_one(sh("echo said; exec >&- 2>&-; while ! test -e \"$1\"; do :; done; exit 7", "/"));
    assert_eq!(done.outcome.status(), Some(7));
    assert_eq!(done.stdout().to_string_lossy().unwrap(), "said\n");
}

#[test]
fn output_that_is_discarded_goes_nowhere_and_holds_up_nobody() {
    let done = run_one(sleeper("0 --stdout-bytes 1M --stderr-bytes 1M").capture(Capture::Discard));
    assert!(done.outcome.is_success());
    assert!(done.stdout().is_empty() && done.stderr().is_empty());
}

#[test]
fn where_a_large_output_can_not_be_kept_its_job_is_no_success_and_the_others_are() {
    let jobs = [
        Job::new("small", Command::new("echo").arg("small")),
        Job::new("large", sleeper("0 --quiet --stdout-bytes 1M --exit 0")),
        Job::new("other", Command::new("echo").arg("other")),
    ];
    let runner = patient().spool_directory("/nonexistent/spool").spool_threshold(1_000);
    let results = Pool::with_runner(limit(1), runner).run_all(jobs).unwrap();
    assert_eq!(said(&results["small"]), "small\n");
    assert_eq!(said(&results["other"]), "other\n");

    let large = &results["large"];
    let ran = large.outcome.ran().unwrap();
    // The pipe was still read, so the job itself noticed nothing.
    assert_eq!(ran.end, End::Itself(Status::Exited(0)));
    assert!(ran.lost.is_some() && !large.outcome.is_success());
    assert!(large.outcome.to_string().contains("output incomplete"), "{}", large.outcome);
}

#[test]
fn a_large_output_may_lie_in_memory() {
    let runner = patient().spool_directory("/nonexistent/spool").spool_in_memory().spool_threshold(1_000);
    runner.check_spool().unwrap();
    let jobs = [Job::new("large", sleeper("0 --quiet --stdout-bytes 1M"))];
    let results = Pool::with_runner(limit(1), runner).run_all(jobs).unwrap();
    assert!(results["large"].outcome.is_success(), "{}", results["large"].outcome);
    assert_eq!(results["large"].stdout().len(), 1 << 20);
}

#[test]
fn a_directory_that_is_missing_is_seen_before_any_job_has_run() {
    let error = patient().spool_directory("/nonexistent/spool").check_spool().unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("/nonexistent/spool"), "{source}");
    patient().check_spool().unwrap();
}

#[test]
fn the_outputs_of_many_jobs_are_never_mixed() {
    let jobs = (0..32).map(|n| {
        let script = format!("i=0; while [ $i -lt 500 ]; do echo {n}; echo {n}e >&2; i=$((i+1)); done");
        Job::new(n.to_string(), sh(&script, ""))
    });
    for done in &run(jobs) {
        assert_eq!(said(done), format!("{}\n", done.key()).repeat(500));
        assert_eq!(done.stderr().to_string_lossy().unwrap(), format!("{}e\n", done.key()).repeat(500));
    }
}
