//! How slices share a round by claims, also if one of them dies or has to end. `slurm.sh` imitates Slurm's
//! commands; the real ones are used by the tests in `tests/cluster`.

use std::collections::BTreeSet;
use std::fs;

use rustix::process::Signal;
use serde_json::Value;
use sleeper::needs;

use crate::cluster::SLURM;
use crate::journal::touched::reseal;
use crate::{Folder, Trial, wait_for};

/// An sbatch that accepts a round and runs nothing of it.
const TAKE: &str = "#!/bin/sh\ncat > taken; echo 1\n";

/// A job that records its start.
const STAMP: &str = "echo {} >> starts";

/// An sbatch that returns once an element has recorded its array, while the elements go on running. A squeue
/// that reports the first element as running, and as `NODE_FAIL` once the file `gone` exists.
const AT_ONCE: &str = r#". ./slurm
mv bin/sbatch bin/sbatch-once
command sbatch <<'END'
cat > script
name=$(printf '%s\n' "$@" | sed -n 's/^--job-name=//p')
echo "$name" > name
setsid bin/sbatch-once "$@" < script > /dev/null 2>&1 &
until [ -e j/array-${name##*-}-1 ] || ls j | grep -q '^array-1-'; do sleep 0.01; done
echo 1
END
command squeue <<'END'
echo >> asks
state='RUNNING'
[ ! -e gone ] || state='NODE_FAIL'
printf '%-12s%-20s%-12s%-100s%-160s%-160s\n' 0 $state 0 n0 None "$(cat name)"
END
"#;

impl Folder {
    /// Submits a round for this command line to an sbatch that runs nothing of it.
    fn round_for(&self, words: &str) {
        self.write("slurm", SLURM);
        self.write_program("sbatch", TAKE);
        let line = format!(". ./slurm; cp sbatch bin; procpool run --on slurm --detach --journal j {words}");
        self.sh(&line).end().exited(0);
    }

    fn slice_of(&self, prefix: &str, index: u32) -> Trial {
        self.sh(&format!("exec {prefix} procpool slice j --round 1-1 --index {index}"))
    }

    fn on_slurm(&self, before: &str, words: &str) -> Trial {
        self.write("slurm", SLURM);
        self.sh(&format!(". ./slurm; {before} exec procpool run --on slurm --journal j {words}"))
    }

    /// The jobs that have started, in this order.
    fn begun(&self) -> Vec<String> {
        let starts = fs::read_to_string(self.file("starts")).unwrap_or_default();
        starts.lines().map(ToOwned::to_owned).collect()
    }

    fn lines_of(&self, name: &str) -> Vec<Value> {
        let text = fs::read_to_string(self.file(&format!("j/{name}"))).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// The numbers of the jobs that a slice recorded when it was started for the nth time.
    fn recorded_by(&self, slice: u32, nth: u32) -> Vec<u64> {
        let records = self.lines_of(&format!("journal-1-1-{slice:04}-{nth}.jsonl"));
        let attempts = records.iter().filter(|record| record["record"] == "attempt");
        attempts.filter_map(|record| record["seq"].as_u64()).collect()
    }

    fn claims(&self) -> usize {
        let names = fs::read_dir(self.file("j")).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_string_lossy().starts_with("claim-")).count()
    }
}

fn numbers(range: std::ops::RangeInclusive<u64>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

/// Each job has started exactly once, in any order.
#[track_caller]
fn assert_each_once(mut begun: Vec<String>, range: std::ops::RangeInclusive<u64>) {
    begun.sort_by_key(|number| number.parse::<u64>().unwrap());
    assert_eq!(begun, numbers(range));
}

#[test]
fn a_slice_that_is_begun_again_first_does_what_it_had_taken_and_then_takes_more() {
    let folder = Folder::new();
    // With 40 jobs for two slices, the first pieces are jobs 1 to 5 and 6 to 9.
    let job = format!(
        "{STAMP}; case {{}} in 2|6) [ -e again{{}} ] || {{ : > again{{}}; kill -KILL $PPID; }} ;; esac"
    );
    folder.round_for(&format!("--slices 2 -j1 sh -c '{job}' ::: $(seq 40)"));
    folder.slice_of("", 0).end().died_of(Signal::KILL);
    folder.slice_of("", 1).end().died_of(Signal::KILL);
    assert_eq!(folder.claims(), 2);
    folder.slice_of("", 0).end().exited(0).silent();
    assert_eq!(folder.recorded_by(0, 2), (1..=5).chain(10..=40).collect::<Vec<_>>());
    folder.slice_of("", 1).end().exited(0).silent();
    assert_eq!(folder.recorded_by(1, 2), [6, 7, 8, 9]);
    assert_eq!((folder.recorded_by(0, 1), folder.recorded_by(1, 1)), (vec![], vec![]));
}

#[test]
fn what_a_dead_slice_has_taken_is_handed_out_by_the_head_once_it_is_known_to_be_gone() {
    let folder = Folder::new();
    let job =
        format!("{STAMP}; [ {{}} != 2 ] || [ -e killed ] || {{ echo $PPID > killed; kill -KILL $PPID; }}");
    folder.write("slurm", SLURM);
    let line = format!(
        "{AT_ONCE} exec procpool run --on slurm --slices 1 -j1 -k --journal j -- sh -c '{job}; echo {{}}' ::: $(seq 8)"
    );
    let running = folder.sh(&line).start();
    wait_for("the slice's end", || folder.has("killed"));
    let asks = || folder.read("asks").lines().count();
    wait_for("a question", || folder.has("asks"));
    let before = asks();
    wait_for("more questions", || asks() >= before + 2);
    assert!(!folder.has("j/slices-1-2.jsonl"), "it may still run, as far as anybody knows");
    assert_eq!(folder.begun(), ["1", "2"]);
    folder.write("gone", "");
    let ended = running.end().exited(0);
    ended.said("2 jobs without an outcome, tried again: slice 0 ended on n0: NODE_FAIL");
    assert_eq!(folder.begun(), ["1", "2", "1", "2", "3", "4", "5", "6", "7", "8"]);
}

#[test]
fn a_piece_whose_claim_is_torn_or_empty_is_run_by_nobody_before_the_next_round() {
    let folder = Folder::new();
    // Simulates two slices that were killed while they claimed the first pieces, jobs 1 and 2, and 3 and 4.
    let torn = "mv bin/sbatch bin/sbatch-once; printf '%s\\n' '#!/bin/sh' \
                '[ -e once ] || { : > once; : > j/claim-1-1-00000; printf \"{\\\"check\\\":\\\"00\" > j/claim-1-1-00001; }' \
                'exec bin/sbatch-once \"$@\"' > bin/sbatch; chmod +x bin/sbatch;";
    let words = format!("--slices 1 -j1 -- sh -c '{STAMP}' ::: $(seq 10)");
    let ended = folder.on_slurm(torn, &words).end().exited(0);
    ended.said(
        "4 jobs without an outcome, tried again: a slice ended before it had written down which one it is",
    );
    assert_eq!(folder.begun(), [numbers(5..=10), numbers(1..=4)].concat());
    // With --at-most-once they are lost, because they may have been started.
    let once = Folder::new();
    let ended = once.on_slurm(torn, &format!("--at-most-once {words}")).end().exited(3);
    ended.said("10 jobs: 6 succeeded, 4 lost");
    assert_eq!(once.begun(), numbers(5..=10));
}

#[test]
fn a_slice_that_can_not_write_a_claim_leaves_the_piece_to_whoever_comes() {
    needs!(Strace);
    let folder = Folder::new();
    folder.round_for(&format!("--slices 1 -j1 sh -c '{STAMP}' ::: $(seq 10)"));
    let claim = folder.file("j/claim-1-1-00001");
    let full = format!("strace -f -o log -P {} --inject=write:error=ENOSPC:when=1", claim.display());
    let ended = folder.slice_of(&full, 0).end().exited(3);
    ended.said("can't take more of the list: No space left on device");
    assert_eq!((folder.begun(), folder.claims()), (numbers(1..=2), 1));
    assert_eq!(folder.recorded_by(0, 1), [1, 2], "what it has done it has recorded");
    folder.slice_of("", 0).end().exited(0);
    assert_eq!(folder.begun(), numbers(1..=10));
}

#[test]
fn where_nothing_is_begun_twice_what_was_taken_is_lost_and_the_rest_runs_in_the_next_round() {
    let folder = Folder::new();
    // 40 jobs for one slice are at least four pieces, the first of which is jobs 1 to 10.
    let words = format!(
        "--at-most-once --slices 1 -j1 -- sh -c '{STAMP}; [ {{}} != 2 ] || kill -KILL $PPID' ::: $(seq 40)"
    );
    let ended = folder.on_slurm("", &words).end().exited(3);
    ended.said("40 jobs: 30 succeeded, 10 lost");
    assert_eq!(folder.begun(), [numbers(1..=2), numbers(11..=40)].concat());
}

#[test]
fn a_slice_whose_time_is_over_starts_and_takes_nothing_more_and_what_is_left_was_no_try() {
    let folder = Folder::new();
    let words = format!("--slices 1 -j1 -- sh -c '{STAMP}' ::: $(seq 12)");
    folder.round_for(&words);
    let ending = folder.slice_of("", 0).env("SLURM_JOB_ID", "1").env("SLURM_JOB_END_TIME", "1");
    ending.end().exited(0).silent();
    // The duration of the first job can't be known in advance.
    assert_eq!((folder.begun(), folder.claims()), (numbers(1..=1), 1));
    // The head sees that the slice has ended by itself.
    let folder = Folder::new();
    let before = "mv bin/sbatch bin/sbatch-once; printf '%s\\n' '#!/bin/sh' \
                  'printf \"%s\\n\" \"$@\" | sed -n s/^--job-name=//p > name' \
                  '[ -e once ] || { : > once; export SLURM_JOB_ID=1 SLURM_JOB_END_TIME=1; }' \
                  'exec bin/sbatch-once \"$@\"' > bin/sbatch; \
                  printf '%s\\n' '#!/bin/sh' 'printf \"%-12s%-20s%-12s%-100s%-160s%-160s\\n\" 0 COMPLETED 0 n0 None \"$(cat name)\"' > bin/squeue; \
                  chmod +x bin/sbatch bin/squeue;";
    folder.on_slurm(before, &words).end().exited(0);
    assert_eq!(folder.begun(), numbers(1..=12));
    let pieces = folder.lines_of("slices-1-2.jsonl");
    assert!(pieces.len() > 2 && pieces[1..].iter().all(|piece| piece["tries"] == 0), "{pieces:?}");
}

#[test]
fn output_comes_in_order_while_later_pieces_run() {
    let folder = Folder::new();
    let job = "until [ -e go{} ]; do sleep 0.05; done; echo {}";
    let words = format!("--slices 2 -j1 -k -- sh -c '{job}' ::: 1 2 3 4 5 6");
    folder.write("slurm", SLURM);
    let line = format!("export at_once=yes; {AT_ONCE} exec procpool run --on slurm --journal j {words}");
    let running = folder.sh(&line).start();
    let mut expected = String::new();
    // The second job ends before the first, and the last one before those in the middle.
    for (go, comes) in
        [("go2", ""), ("go6", ""), ("go1", "1\n2\n"), ("go3", "3\n"), ("go4", "4\n"), ("go5", "5\n6\n")]
    {
        folder.write(go, "");
        expected += comes;
        running.has_printed(&expected);
    }
    folder.write("gone", "");
    running.end().exited(0).printed("1\n2\n3\n4\n5\n6\n");
}

#[test]
fn slices_take_more_while_the_head_is_away_and_a_resume_brings_all() {
    let folder = Folder::new();
    folder.write("slurm", SLURM);
    let job = format!("{STAMP}; until [ -e go ]; do sleep 0.05; done; echo {{}}");
    let line = format!(
        "export at_once=yes; {AT_ONCE} exec procpool run --no-guard --on slurm --slices 2 -j1 -k --journal j -- sh -c '{job}' ::: $(seq 12)"
    );
    let running = folder.sh(&line).start();
    wait_for("a question", || folder.has("asks") && folder.begun().len() == 2);
    running.signal(Signal::KILL);
    running.end().died_of(Signal::KILL);
    folder.write("go", "");
    wait_for("the last start", || folder.begun().len() == 12);
    folder.write("gone", "");
    let resumed = folder.sh("PATH=$PWD/bin:$PATH; procpool resume j").end().exited(0);
    assert_eq!(resumed.text(), numbers(1..=12).join("\n") + "\n");
    assert_each_once(folder.begun(), 1..=12);
}

/// Rewrites the round as an older procpool would have written it: each of two slices has a piece of its own.
fn write_first_version(folder: &Folder) {
    let lines = folder.read("j/slices-1-1.jsonl");
    let first = lines.lines().next().unwrap();
    let old = first.replace("\"version\":2", "\"version\":1");
    let old = old.replace(",\"slices\":2,\"manner\":\"full\"", "");
    assert!(!old.contains("manner") && old.contains("\"version\":1"), "{old}");
    let list = folder.read("j/list-1.jsonl");
    let third: usize = list.lines().take(2).map(|line| line.len() + 1).sum();
    let slice = |index: u32, at: u64, offset: usize| {
        let check = "{\"check\":\"0000000000000000\",";
        format!("{check}\"record\":\"slice\",\"slice\":{index},\"tries\":0,\"parts\":[[{at},2,{offset}]]}}")
    };
    let all = [old, slice(0, 1, 0), slice(1, 3, third)];
    folder.write("j/slices-1-1.jsonl", all.map(|line| reseal(&line)).concat());
}

#[test]
fn a_round_of_an_older_procpool_is_run_and_gone_on_with_as_it_was() {
    let folder = Folder::new();
    folder.round_for(&format!("--slices 2 -j1 sh -c '{STAMP}; echo {{}}' ::: 1 2 3 4"));
    write_first_version(&folder);
    // Only the second piece is run.
    folder.slice_of("", 1).end().exited(0).silent();
    assert_eq!((folder.begun(), folder.claims()), (numbers(3..=4), 0));
    folder.slice_of("", 2).end().exited(2).said("round 1-1 has no slice 2");
    let resumed = folder.sh("rm -r bin; . ./slurm; exec procpool resume j").end().exited(0);
    let resumed = resumed.said("2 jobs without an outcome, tried again: slice 0 ended");
    assert_eq!(folder.begun(), ["3", "4", "1", "2"]);
    assert_eq!(resumed.text().lines().collect::<BTreeSet<_>>(), BTreeSet::from(["1", "2", "3", "4"]));
}

#[test]
fn a_round_of_a_version_that_is_not_known_is_refused_by_its_version() {
    let folder = Folder::new();
    folder.round_for("--slices 1 true ::: 1");
    let lines = folder.read("j/slices-1-1.jsonl");
    let later = lines.lines().map(|line| reseal(&line.replace("\"version\":2", "\"version\":7,\"news\":{}")));
    folder.write("j/slices-1-1.jsonl", later.collect::<String>());
    let refused = folder.slice_of("", 0).end().exited(2);
    refused.said("slices-1-1.jsonl\" has version 7, and this procpool reads versions 1 and 2");
}

#[test]
fn jobs_that_are_shuffled_are_each_run_once_however_many_there_are() {
    let order = |seed: u32| {
        let folder = Folder::new();
        let words =
            format!("--shuffle --seed {seed} --slices 1 -j2 -k -- sh -c '{STAMP}; echo {{}}' ::: $(seq 40)");
        let ended = folder.on_slurm("", &words).end().exited(0);
        assert_eq!(ended.text(), numbers(1..=40).join("\n") + "\n");
        assert_eq!(ended.error_text(), "");
        assert_each_once(folder.begun(), 1..=40);
        folder.recorded_by(0, 1)
    };
    assert!(!order(1).is_sorted());
}

#[test]
fn a_slice_that_can_not_read_its_list_takes_no_more_of_it() {
    let folder = Folder::new();
    folder.round_for(&format!("--slices 1 -j1 sh -c '{STAMP}' ::: $(seq 40)"));
    let list = folder.read("j/list-1.jsonl");
    let damaged = list.lines().zip(1..).map(|(line, number)| match number {
        3.. => line.replace("\"record\"", "\"rec0rd\"").replace("\"check\":\"0", "\"check\":\"1") + "\n",
        _ => line.to_owned() + "\n",
    });
    folder.write("j/list-1.jsonl", damaged.collect::<String>());
    folder.slice_of("", 0).end().exited(3);
    assert_eq!((folder.begun(), folder.claims()), (numbers(1..=2), 1));
}

#[test]
fn on_the_last_try_who_kills_a_slice_loses_nobody_else_their_success() {
    let folder = Folder::new();
    let words = format!("--slices 1 -j1 -- sh -c '{STAMP}; [ {{}} != 2 ] || kill -KILL $PPID' ::: 1 2 3");
    let ended = folder.on_slurm("", &words).end().exited(3);
    ended.said("3 jobs: 2 succeeded, 1 lost");
}

#[test]
fn jobs_that_were_tried_more_often_keep_their_places_among_others() {
    let folder = Folder::new();
    // The pieces of a round may interleave: one has the jobs of a slice that died, another those of a slice
    // that ended by itself.
    folder.round_for(&format!("--slices 1 -j1 sh -c '{STAMP}' ::: $(seq 4)"));
    let lines = folder.read("j/slices-1-1.jsonl");
    let list = folder.read("j/list-1.jsonl");
    let offsets: Vec<usize> = list
        .lines()
        .scan(0, |at, line| {
            let begins = *at;
            *at += line.len() + 1;
            Some(begins)
        })
        .collect();
    let piece = |number: u32, positions: [usize; 2]| {
        let parts = positions.map(|at| format!("[{at},1,{}]", offsets[at - 1])).join(",");
        reseal(&format!(
            "{{\"check\":\"0000000000000000\",\"record\":\"piece\",\"piece\":{number},\"tries\":{number},\"parts\":[{parts}]}}"
        ))
    };
    let first = lines.lines().next().unwrap().to_owned() + "\n";
    folder.write("j/slices-1-1.jsonl", first + &piece(0, [1, 4]) + &piece(1, [2, 3]));
    folder.slice_of("", 0).end().exited(0);
    assert_eq!(folder.begun(), ["1", "4", "2", "3"]);
    assert_eq!(folder.recorded_by(0, 1), [1, 4, 2, 3]);
}
