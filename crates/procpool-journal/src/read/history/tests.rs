//! These tests check which attempt of a job counts, with one writer and with several.

use std::cmp::Reverse;
use std::fs;

use procpool_core::Key;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::format::brief::OutcomeClass;
use crate::format::entry::Entry;
use crate::format::identity::Identity;
use crate::format::line;
use crate::read::outcomes::Outcomes;
use crate::read::places::find_outcomes;
use crate::read::window::Window;
use crate::testing::scripted;

fn brief(generation: u32, attempt: u32, came_of_it: OutcomeClass, ended: u64) -> Brief {
    let hash = Hash::parse(&[b'1'; 32]).unwrap();
    Brief {
        generation,
        attempt,
        identity: Identity { job: hash, fingerprint: hash },
        came_of_it,
        status: 0,
        ended,
    }
}

/// The state of a job that has these attempts in these files.
fn standing(files: &[&[Brief]]) -> Standing {
    let hash = brief(1, 1, OutcomeClass::Failed, 1).identity.job;
    let mut jobs = HashMap::from([(hash, Standing::listed())]);
    for (index, briefs) in files.iter().enumerate() {
        let mut attempts = FileAttempts::of(index);
        for brief in *briefs {
            attempts.note(brief, (), jobs.get_mut(&hash).unwrap());
        }
        attempts.finish(&mut jobs);
    }
    jobs[&hash]
}

#[test]
fn the_last_attempt_of_the_last_generation_counts() {
    use OutcomeClass::{Failed, Stopped, Succeeded};
    let briefs =
        [brief(1, 1, Failed, 1), brief(1, 2, Failed, 2), brief(2, 1, Stopped, 3), brief(2, 2, Succeeded, 4)];
    let outcome = |briefs: &[Brief]| standing(&[briefs]).outcome;
    assert_eq!(outcome(&briefs), Some(Succeeded));
    assert_eq!(outcome(&briefs[..3]), Some(Stopped));
    assert_eq!(outcome(&briefs[..2]), Some(Failed));
    let failed = standing(&[&briefs[..2]]);
    assert!(!failed.lacks(1, 2) && failed.lacks(1, 3) && failed.lacks(2, 1));
}

#[test]
fn of_several_writers_the_first_that_succeeded_counts_whoever_is_read_first() {
    use OutcomeClass::{Failed, Succeeded};
    let early = [brief(1, 1, Failed, 2), brief(1, 2, Succeeded, 5)];
    let late = [brief(1, 1, Succeeded, 9)];
    let failed = [brief(1, 1, Failed, 1), brief(1, 2, Failed, 3), brief(1, 3, Failed, 4)];
    let (early, late, failed) = (&early[..], &late[..], &failed[..]);
    for order in [[early, late, failed], [failed, late, early], [late, failed, early], [early, failed, late]]
    {
        let standing = standing(&order);
        assert_eq!((standing.outcome, standing.ended), (Some(Succeeded), 5));
        // It has succeeded, so it doesn't lack a further attempt that another writer has started.
        assert!(!standing.lacks(1, 4) && standing.lacks(2, 1));
    }
    let both = standing(&[failed, &early[..1]]);
    assert!(!both.lacks(1, 3) && both.lacks(1, 4));
}

/// A record: its job, generation, attempt and outcome, and when it ended.
type Attempted = (u8, u32, u32, u8, u64);

fn key(job: u8) -> Key {
    Key::from(format!("job {job}"))
}

/// The lines of a file. Each record has a fingerprint of its own.
fn lines(file: usize, records: &[Attempted]) -> Vec<u8> {
    let mut lines = Record::header().line();
    for (number, (job, generation, attempt, class, ended)) in records.iter().enumerate() {
        let (outcome, success) =
            [("exited", true), ("exited", false), ("stopped", false)][usize::from(*class)];
        let text = serde_json::to_string(&scripted(&json!({
            "job": Hash::of_key(&key(*job)).to_string(), "fingerprint": fingerprint(file, number).to_string(),
            "generation": generation, "attempt": attempt, "outcome": outcome, "success": success,
            "ended": format!("2026-01-02T03:04:05.{ended:03}Z"),
        })));
        lines.extend(line::seal(text.unwrap().replacen('{', "{\"record\":\"attempt\",", 1).as_bytes()));
    }
    lines
}

fn fingerprint(file: usize, number: usize) -> Hash {
    Hash::of_key(&Key::from(format!("{file} {number}")))
}

/// The record that counts by the rule of docs/journal.md: its file, and its index there.
fn counting(files: &[Vec<Attempted>], job: u8) -> Option<(usize, usize)> {
    let mut best: Option<(usize, usize)> = None;
    for (file, records) in files.iter().enumerate() {
        let own = (0..records.len()).filter(|number| records[*number].0 == job);
        let Some(last) = own.max_by_key(|number| (records[*number].1, records[*number].2)) else { continue };
        let rank = |(file, number): (usize, usize)| {
            let (_, generation, _, class, ended): Attempted = files[file][number];
            (generation, class == 0, Reverse(ended))
        };
        if best.is_none_or(|best| rank((file, last)) > rank(best)) {
            best = Some((file, last));
        }
    }
    best
}

proptest! {
    /// Records in any order, in the files of several writers. The last record of each file may be torn.
    #[test]
    fn the_same_attempt_counts_for_those_who_show_resume_and_print_again(
        files in vec(vec((0..3_u8, 1..4_u32, 1..4_u32, 0..3_u8, 0..6_u64), 0..8), 1..4),
        cuts in vec(0..200_usize, 4),
    ) {
        let temporary = tempfile::Builder::new().tempdir().unwrap();
        let (folder, _) = Folder::make(temporary.path()).unwrap();
        let mut whole = files.clone();
        for (file, records) in files.iter().enumerate() {
            let place = if file == 0 { folder.own_files() } else { folder.files_of(&format!("1-1-000{file}-1")) };
            let mut lines = lines(file, records);
            let cut = cuts[file].saturating_sub(150);
            if cut > 0 && whole[file].pop().is_some() {
                lines.truncate(lines.len() - cut);
            }
            fs::write(place.journal.path(), lines).unwrap();
        }
        let writers = folder.writers().unwrap();
        prop_assert_eq!(writers.len(), files.len());
        let past = Past::read(&folder).unwrap();
        let outcomes = Outcomes::read(&writers).unwrap();
        let wanted = (0..3_u8).map(|job| (Hash::of_key(&key(job)), 0)).collect::<HashMap<_, u64>>();
        let printed = find_outcomes(&writers, &wanted).unwrap();
        for job in 0..3_u8 {
            let hash = Hash::of_key(&key(job));
            let expected = counting(&whole, job).map(|(file, number)| fingerprint(file, number));
            let shown = outcomes.of(&key(job)).map(|noted| {
                let place = outcomes.counting(&noted);
                let mut window = Window::new(writers[usize::from(place.writer)].journal.open().unwrap());
                Entry::parse(line::open(window.line(place.offset).unwrap()).unwrap()).unwrap().fingerprint
            });
            prop_assert_eq!(shown, expected.map(|hash| hash.to_string()));
            let printed = printed.get(&hash).map(|place| place.read(&writers).unwrap().0.fingerprint);
            prop_assert_eq!(printed, expected.map(|hash| hash.to_string()));
            let resumed = past.jobs.get(&hash).zip(expected);
            prop_assert_eq!(resumed.is_some(), expected.is_some());
            let is_same = resumed.is_none_or(|(state, fingerprint)| state.is_of(&Identity { job: hash, fingerprint }));
            prop_assert!(is_same);
        }
    }
}
