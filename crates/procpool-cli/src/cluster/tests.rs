//! Slices read back what the head has written for them, and the head sees what slices record. No process is
//! started.

use std::fs;
use std::io::Write as _;
use std::ops::Range;
use std::sync::Arc;

use procpool_core::{Command, Job};
use proptest::prelude::*;
use tempfile::TempDir;

use super::list_index::ListIndex;
use super::order::{self, Order, Parts};
use super::slice_files::SliceFiles;

use crate::job::work::Work;
use procpool_journal::files::file::JournalFile;
use procpool_journal::files::folder::Folder;
use procpool_journal::files::inputs::Inputs;
use procpool_journal::format::codec::{Defaults, JobCodec, Keep};
use procpool_journal::format::line;
use procpool_journal::format::list::Line;
use procpool_journal::format::record::{End, Record, SliceBegin, sealed};
use procpool_journal::format::text::Text;
use procpool_journal::write::journal_writer::Durability;
use procpool_journal::write::list_file::ListFile;
use procpool_journal::write::stored_jobs::StoredJobs;

fn folder() -> (TempDir, Folder) {
    let temporary = tempfile::Builder::new().tempdir().unwrap();
    let (folder, _) = Folder::make(temporary.path()).unwrap();
    (temporary, folder)
}

fn codec(folder: &Folder) -> JobCodec {
    JobCodec {
        here: "/".into(),
        defaults: Defaults::default(),
        values: Keep::Nothing,
        inputs: Inputs::new(folder.inputs(1)),
    }
}

/// A list of this many jobs, whose keys are their positions.
fn write_list(folder: &Folder, jobs: u64) {
    let mut list = Vec::new();
    for position in 1..=jobs {
        let job = Job::new(position.to_string(), Work::Command(Command::new("true")));
        list.extend(codec(folder).line(&job, position).unwrap().0);
    }
    list.extend(sealed(&Line::End { jobs }));
    fs::write(folder.list(1).path(), list).unwrap();
}

fn order(length: u64) -> Order {
    Order {
        version: order::VERSION,
        generation: 1,
        round: 2,
        run: "run".into(),
        list: 1,
        length,
        jobs: 7,
        directory: Text(b"/with \xff".to_vec().into()),
        written_in: None,
        options: vec![Text(b"--env=A=\xff".to_vec().into())],
        goes_on: true,
        slices: 2,
        manner: order::Manner::Full,
    }
}

/// Ascending ranges of positions; `lengths` has the gap before each, and its length.
fn pieces(lengths: &[(u64, u64)]) -> Vec<Range<u64>> {
    let mut next = 1;
    let piece = |(gap, length): &(u64, u64)| {
        let first = next + gap;
        next = first + length;
        first..next
    };
    lengths.iter().map(piece).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_slice_has_its_own_jobs_and_no_others(lengths in prop::collection::vec((1_u64..20, 1_u64..30), 1..8)) {
        let (_temporary, folder) = folder();
        let ranges = pieces(&lengths);
        let last = ranges.last().unwrap().end;
        write_list(&folder, last + 5);
        let index = ListIndex::read(&folder, 1).unwrap();
        prop_assert_eq!(index.jobs(), last + 5);
        let other = std::slice::from_ref(&(last..last + 3)).to_vec();
        let parts = [Parts::new(0, 0, &other, &index), Parts::new(1, 2, &ranges, &index)];
        order::write(&folder, order(index.length), parts.clone().into_iter()).unwrap();
        let mut read = Vec::new();
        let found = order::read(&folder, "1-2", |parts| read.push(parts)).unwrap();
        prop_assert_eq!(&found, &order(index.length));
        prop_assert_eq!(&read[..], &parts[..]);
        let listing = ListFile::over(folder.list(1), codec(&folder), found.length, Durability::Process).unwrap();
        let jobs = StoredJobs::new(listing, Some(Arc::new(read[1].positions())), None).with_marks(read[1].marks());
        let keys: Vec<String> = jobs.map(|job| format!("{}@{}", job.key, job.position.unwrap())).collect();
        let wanted = ranges.into_iter().flatten().map(|position| format!("{position}@{position}"));
        prop_assert_eq!(keys, wanted.collect::<Vec<_>>());
    }
}

#[test]
fn a_job_is_read_from_the_middle_of_a_list() {
    let (_temporary, folder) = folder();
    write_list(&folder, 12);
    let index = ListIndex::read(&folder, 1).unwrap();
    let listing = ListFile::over(folder.list(1), codec(&folder), index.length, Durability::Process).unwrap();
    for position in [12, 1, 7] {
        let job = listing.job_at(position, index.offset(position)..index.offset(position + 1)).unwrap();
        assert_eq!((job.key.to_string(), job.position), (position.to_string(), Some(position)));
    }
    assert!(listing.job_at(13, index.offset(13)..index.offset(14)).is_err());
}

#[test]
fn a_file_of_slices_that_is_damaged_or_of_another_version_is_refused() {
    let (_temporary, folder) = folder();
    assert!(order::read(&folder, "1-2", drop).is_err());
    order::write(&folder, Order { version: 99, ..order(0) }, std::iter::empty()).unwrap();
    assert!(order::read(&folder, "1-2", drop).is_err());
    fs::write(folder.slices("1-2").path(), "").unwrap();
    assert!(order::read(&folder, "1-2", drop).is_err());
}

/// The record of an attempt with a long key.
fn attempt(position: u64) -> Vec<u8> {
    let entry =
        procpool_journal::testing::scripted(&serde_json::json!({ "seq": position, "key": "k".repeat(300) }));
    let text = serde_json::to_string(&entry).unwrap();
    line::seal(text.replacen('{', "{\"record\":\"attempt\",", 1).as_bytes())
}

fn begin(slice: u32, instance: u32) -> Vec<u8> {
    let begin = SliceBegin {
        generation: 1,
        round: 1,
        slice,
        instance,
        pid: 1,
        host: "n".into(),
        node: None,
        started: "then".into(),
    };
    [Record::header().line(), Record::Slice(begin).line()].concat()
}

fn append(file: &JournalFile, bytes: &[u8]) {
    fs::File::options().append(true).create(true).open(file.path()).unwrap().write_all(bytes).unwrap();
}

fn pass(slice_files: &mut SliceFiles) -> Vec<u64> {
    let mut seen = Vec::new();
    slice_files
        .pass(|attempt| {
            seen.push(attempt.entry.seq);
            Ok(())
        })
        .unwrap();
    seen
}

#[test]
fn records_are_seen_as_they_come_each_once_and_a_torn_one_when_it_is_whole() {
    let (_temporary, folder) = folder();
    let mut slice_files = SliceFiles::new(folder.clone(), []);
    assert_eq!(pass(&mut slice_files), [0; 0]);
    let file = folder.files_of("1-1-0000-1").journal;
    append(&file, &begin(0, 1));
    append(&file, &attempt(4));
    assert_eq!(pass(&mut slice_files), [4]);
    let next = attempt(5);
    for piece in next.chunks(next.len() / 3) {
        assert_eq!(pass(&mut slice_files), [0; 0]);
        append(&file, piece);
    }
    assert_eq!(pass(&mut slice_files), [5]);
    append(&folder.files_of("1-1-0001-1").journal, &[begin(1, 1), attempt(9), attempt(8)].concat());
    append(&file, &attempt(6));
    assert_eq!(pass(&mut slice_files), [6, 9, 8]);
    assert_eq!(pass(&mut slice_files), [0; 0]);
}

#[test]
fn what_was_known_before_is_not_seen_again() {
    let (_temporary, folder) = folder();
    let file = folder.files_of("1-1-0000-1").journal;
    append(&file, &[begin(0, 1), attempt(1)].concat());
    let known = fs::metadata(file.path()).unwrap().len();
    append(&file, &attempt(2));
    let mut slice_files = SliceFiles::new(folder, [(file.path(), known)]);
    assert_eq!(pass(&mut slice_files), [2]);
}

#[test]
fn slices_are_over_when_each_has_said_so() {
    let (_temporary, folder) = folder();
    let mut slice_files = SliceFiles::new(folder.clone(), []);
    let files = ["1-1-0000-1", "1-1-0000-2"].map(|name| folder.files_of(name).journal);
    append(&files[0], &begin(0, 1));
    append(&files[1], &begin(0, 2));
    pass(&mut slice_files);
    assert!(!slice_files.are_over());
    let running = |slice_files: &SliceFiles, tag: &str| slice_files.running(&[tag.to_owned()]).count();
    assert_eq!(
        (running(&slice_files, "1-1"), running(&slice_files, "1"), running(&slice_files, "1-2")),
        (1, 1, 0)
    );
    let end = Record::End(End {
        generation: 1,
        ended: "then".into(),
        status: 0,
        left: Vec::new(),
    })
    .line();
    append(&files[1], &end);
    pass(&mut slice_files);
    assert!(!slice_files.are_over());
    append(&files[0], &end);
    pass(&mut slice_files);
    assert!(slice_files.are_over());
    assert_eq!(running(&slice_files, "1-1"), 0);
}

#[test]
fn what_can_not_be_read_is_tried_again_each_time_and_not_taken_for_known() {
    let (_temporary, folder) = folder();
    let file = folder.files_of("1-1-0000-1").journal;
    // A directory in place of the file: it exists, but can't be read as a file.
    fs::create_dir(file.path()).unwrap();
    let mut slice_files = SliceFiles::new(folder.clone(), []);
    for _ in 0..3 {
        assert!(slice_files.pass(|_| Ok(())).is_err());
    }
}
