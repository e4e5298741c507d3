//! Spools in memory and in the file, and what comes out of them.

use proptest::prelude::*;

use super::*;

fn spool(threshold: usize) -> Spool {
    Spool::in_file(Arc::new(SpoolFile::new(SpoolPlace::temporary(), threshold)))
}

fn append(spool: &mut Spool, bytes: &[u8]) {
    spool.room().extend_from_slice(bytes);
    spool.settle().unwrap();
}

#[test]
fn what_is_past_the_threshold_is_not_in_memory() {
    let mut spool = spool(1000);
    (0..100).for_each(|_| append(&mut spool, &[b'x'; 300]));
    assert_eq!(spool.len(), 30_000);
    assert!(spool.memory.len() < 1000);
}

#[test]
fn what_is_taken_from_a_reader_passes_through_memory_a_piece_at_a_time() {
    let mut spool = spool(1000);
    spool.fill_from(io::repeat(b'x').take(10_000_000)).unwrap();
    assert_eq!((spool.len(), spool.memory.capacity()), (10_000_000, 0));
}

#[test]
fn a_small_spool_needs_no_file_and_a_directory_that_is_missing_loses_nothing() {
    let mut spool =
        Spool::in_file(Arc::new(SpoolFile::new(SpoolPlace::Directory("/nonexistent".into()), 10)));
    append(&mut spool, b"small");
    spool.room().extend_from_slice(b" no more");
    let error = spool.settle().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    assert_eq!(spool.to_vec().unwrap(), b"small no more");
}

#[test]
fn what_is_forgotten_takes_no_room_and_the_rest_is_still_there() {
    use std::os::unix::fs::MetadataExt as _;
    if sys::only_posix() {
        return println!("skipped, because POSIX gives no part of a file back");
    }
    let mut spool = spool(1000);
    let piece = vec![b'x'; 300_000];
    (0..40).for_each(|_| append(&mut spool, &piece));
    let blocks = |spool: &Spool| spool.system_file().metadata().unwrap().blocks() * 512;
    assert!(blocks(&spool) >= 12_000_000);
    spool.forget(500_000);
    assert!(blocks(&spool) >= 12_000_000, "a small piece is not worth it");
    spool.forget(6_000_000);
    spool.forget(11_000_000);
    assert!(blocks(&spool) < 2_000_000, "{}", blocks(&spool));
    assert_eq!(spool.len(), 12_000_000);
    assert!(spool.tail(900_000).unwrap() == vec![b'x'; 900_000]);
}

#[test]
fn a_spilled_spool_reads_the_same_and_holds_nothing_in_memory() {
    let mut spool = spool(1 << 20);
    let bytes: Vec<u8> = (0..50_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    append(&mut spool, &bytes);
    spool.spill().unwrap();
    assert_eq!(spool.memory.capacity(), 0);
    assert_eq!(spool.to_vec().unwrap(), bytes);
}

proptest! {
    #[test]
    fn what_goes_in_comes_out_whatever_the_sizes(
        threshold in 1_usize..200_000,
        sizes in proptest::collection::vec(0_usize..150_000, 0..12),
        tail in 0_usize..300_000,
    ) {
        let file = Arc::new(SpoolFile::new(SpoolPlace::temporary(), threshold));
        let mut spool = Spool::in_file(Arc::clone(&file));
        let mut other = Spool::in_file(file);
        let mut expected = Vec::new();
        for (round, size) in sizes.into_iter().enumerate() {
            let piece: Vec<u8> = (0..size).map(|n| (n * 31 + round).to_le_bytes()[0]).collect();
            append(&mut spool, &piece);
            // Another spool writes in between, so that extents of the two alternate.
            append(&mut other, &vec![b'-'; size / 2]);
            expected.extend(piece);
        }
        let mut copied = Vec::new();
        prop_assert_eq!(spool.copy_to(&mut copied).unwrap(), expected.len() as u64);
        prop_assert!(copied == expected);
        prop_assert!(spool.to_vec().unwrap() == expected);
        prop_assert!(spool.tail(tail).unwrap() == expected[expected.len().saturating_sub(tail)..]);
        prop_assert!(other.to_vec().unwrap().iter().all(|byte| *byte == b'-'));
    }
}
