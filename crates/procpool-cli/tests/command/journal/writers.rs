//! A folder with the journals of several writers, such as several machines would write.

use std::fs;

use crate::Folder;

/// Fails if this writer's variable names its value. The variable is not part of the job.
const JOB: &str = "head -c 5000 /dev/zero | tr '\\0' \"$W\"; case \" $FAIL \" in *\" $1 \"*) exit 1;; esac";

impl Folder {
    /// Runs the list with a journal of its own, in which some jobs fail.
    fn write_journal(&self, name: &str, fail: &str, list: &str, options: &str) {
        let words = format!("--journal {name} -j1 --output none {options} sh -c");
        let trial = self.run(&words).args([JOB, "sh", ":::"]).args(list.split(' '));
        trial.env("FAIL", fail).env("W", &name[..1]).end().exited(i32::from(!fail.is_empty()));
    }

    /// Copies the files of one journal into the folder of another.
    fn merge(&self, from: &str, into: &str) {
        for (file, name) in [("journal", ".jsonl"), ("outputs", "")] {
            let copy = self.file(&format!("{into}/{file}-{from}{name}"));
            fs::copy(self.file(&format!("{from}/{file}{name}")), copy).unwrap();
        }
    }
}

#[test]
fn what_one_of_them_has_done_is_done() {
    let folder = Folder::new();
    folder.write_journal("J", "b c", "a b c", "");
    folder.write_journal("other", "a c", "a b c", "");
    folder.merge("other", "J");
    let ended = folder.resume("--output grouped").env("FAIL", "").env("W", "n").end().exited(0);
    ended.printed("n".repeat(5000)).said("3 jobs: 2 succeeded, 1 failed, 0 interrupted, 0 new, 0 changed\n");
}

#[test]
fn a_writer_that_has_tried_in_vain_more_often_does_not_undo_the_success_of_another() {
    for (one, other) in [("", "a"), ("a", "")] {
        let folder = Folder::new();
        folder.write_journal("J", one, "a", "--retries 3 --retry-delay 1ms");
        folder.write_journal("other", other, "a", "--retries 3 --retry-delay 1ms");
        folder.merge("other", "J");
        let ended = folder.resume("").end().exited(0).printed("");
        ended.said("1 job: 1 succeeded, 0 failed, ");
    }
}

#[test]
fn a_torn_end_of_another_writers_file_is_no_fault_and_damage_is_one_that_names_the_file() {
    let folder = Folder::new();
    folder.write_journal("J", "b", "a b", "");
    folder.write_journal("other", "", "a b", "");
    folder.merge("other", "J");
    let other = folder.file("J/journal-other.jsonl");
    let whole = fs::read(&other).unwrap();
    // The last line records how the run ended, the one before it the outcome of b.
    let ends: Vec<usize> = memchr::memchr_iter(b'\n', &whole).collect();
    fs::write(&other, &whole[..ends[ends.len() - 2] - 7]).unwrap();
    let ended = folder.resume("").env("FAIL", "b").end().exited(1);
    ended.said("2 jobs: 1 succeeded, 1 failed, ");
    let mut damaged = whole.clone();
    damaged[ends[2] - 5] ^= 1;
    fs::write(&other, damaged).unwrap();
    let ended = folder.resume("").end().exited(2).printed("");
    ended.said("journal-other.jsonl\" is damaged at byte ").said("nothing was changed");
    fs::write(&other, whole).unwrap();
    // The outcomes of a later run count.
    folder.resume("").env("FAIL", "").end().exited(0);
}
