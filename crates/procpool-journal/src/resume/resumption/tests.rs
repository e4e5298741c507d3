//! Whatever was recorded, and however the list has changed since, a resume runs the right jobs and no others.
//! No processes are needed: a journal and a list are written, and the positions to run are compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use procpool_core::{Command, Job};
use proptest::collection::btree_map;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

use crate::files::inputs::Inputs;
use crate::format::codec::{Defaults, Keep};
use crate::format::line;
use crate::format::record::Record;

/// What was recorded of a job: its command and its outcome.
type Recorded = (u8, &'static str);

const OUTCOMES: [&str; 3] = ["succeeded", "failed", "stopped"];

fn listed(key: u8, command: u8) -> Job<Command> {
    Job::new(format!("key {key}"), Command::new("true").arg(command.to_string()))
}

fn codec(folder: &Folder) -> JobCodec {
    JobCodec {
        here: "/".into(),
        defaults: Defaults::default(),
        values: Keep::Nothing,
        inputs: Inputs::new(folder.inputs(1)),
    }
}

/// Writes a journal in which these jobs have these outcomes.
fn write_journal(folder: &Folder, recorded: &BTreeMap<u8, Recorded>) {
    let mut journal = Record::header().line();
    for (key, (command, outcome)) in recorded {
        let (_, Identity { job, fingerprint }) = codec(folder).line(&listed(*key, *command), 1).unwrap();
        let (word, success) = match *outcome {
            "succeeded" => ("exited", true),
            "failed" => ("exited", false),
            _ => ("stopped", false),
        };
        let record = format!(
            r#"{{"record":"attempt","generation":1,"attempt":1,"job":"{job}","fingerprint":"{fingerprint}","ended":"2026-01-02T03:04:05.678Z","outcome":"{word}","success":{success},"status":1}}"#
        );
        journal.extend(line::seal(record.as_bytes()));
    }
    fs::write(folder.own_files().journal.path(), journal).unwrap();
}

/// The keys of the jobs that a resume runs; `None` if it is refused.
fn runs(recorded: &BTreeMap<u8, Recorded>, list: &[(u8, u8)], wish: Wish) -> Option<BTreeSet<u8>> {
    let temporary = tempfile::Builder::new().tempdir().unwrap();
    let (folder, _) = Folder::make(temporary.path()).unwrap();
    write_journal(&folder, recorded);
    let past = Past::read(&folder).unwrap();
    let mut reckoning = ResumePlanner::new(&past, wish, Noted::default());
    let jobs = list.iter().map(|(key, command)| listed(*key, *command));
    let length = write_list(jobs, &mut Vec::new(), &codec(&folder), &mut reckoning).unwrap();
    let found = reckoning.end(length, true).ok()?;
    assert_eq!(found.counts.jobs(), list.len() as u64);
    let is_run = |position: &usize| found.to_run.has(*position as u64 + 1);
    Some((0..list.len()).filter(is_run).map(|position| list[position].0).collect())
}

/// The expected result of `runs`, by the documented rules.
fn should_run(recorded: &BTreeMap<u8, Recorded>, list: &[(u8, u8)], wish: Wish) -> Option<BTreeSet<u8>> {
    let mut run = BTreeSet::new();
    for (key, command) in list {
        let is_run = match (recorded.get(key), wish.changed) {
            (Some((before, _)), None) if before != command => return None,
            (Some((before, _)), Some(changed)) if before != command => changed == Changed::Rerun,
            (Some((_, "succeeded")), _) => false,
            (Some((_, "failed")), _) => wish.resume == Resume::NotSucceeded,
            (None | Some(_), _) => true,
        };
        if is_run {
            run.insert(*key);
        }
    }
    Some(run)
}

fn wish() -> impl Strategy<Value = Wish> {
    let resume = select(vec![Resume::NotSucceeded, Resume::Unrun]);
    let changed = select(vec![None, Some(Changed::Rerun), Some(Changed::Skip)]);
    (resume, changed).prop_map(|(resume, changed)| Wish { resume, changed, goes_on: None })
}

proptest! {
    /// Some jobs of a list have ended in any way; then the list was shuffled, and has other jobs and other
    /// commands.
    #[test]
    fn of_any_list_and_any_past_just_the_right_jobs_are_run(
        recorded in btree_map(0..12_u8, (0..2_u8, select(OUTCOMES.to_vec())), 0..10),
        list in btree_map(0..16_u8, 0..20_u8, 0..12)
            .prop_map(|list| list.into_iter().collect::<Vec<_>>())
            .prop_shuffle(),
        wish in wish(),
    ) {
        // Most commands stay the same; otherwise nearly all lists would be refused.
        let list: Vec<(u8, u8)> = list
            .into_iter()
            .map(|(key, any)| match recorded.get(&key) {
                Some((before, _)) if any > 0 => (key, *before),
                _ => (key, 7),
            })
            .collect();
        prop_assert_eq!(runs(&recorded, &list, wish), should_run(&recorded, &list, wish));
    }
}
