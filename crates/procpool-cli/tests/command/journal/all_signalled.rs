//! A signal to all processes at once, such as the end of a cgroup sends: jobs that ended just before may have
//! been ended by it.

use rustix::process::Signal;
use serde_json::Value;

use crate::Folder;

/// The first job ends. The second sends TERM to all of procpool's processes one by one, or only to the front,
/// or to its group.
const JOB: &str = r#"trap '' TERM; echo "$1"
[ "$1" = b ] && [ ! -e again ] && {
    : > again
    keeper=$(sed -n 's/^PPid:\t//p' /proc/$PPID/status); front=$(sed -n 's/^PPid:\t//p' /proc/$keeper/status)
    case $2 in
    all) kill -TERM $PPID $keeper $front ;;
    front) kill -TERM $front ;;
    group) kill -TERM -$front ;;
    esac
    until [ -e never ]; do sleep 0.01; done
}
exit 0"#;

/// The last record of a job.
fn last(folder: &Folder, key: &str) -> Value {
    let text = folder.read("j/journal.jsonl");
    let mut records = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    records.rfind(|record| record["record"] == "attempt" && record["key"] == key).unwrap()
}

/// The journal of a run that was signalled in this way, and what the run printed.
fn signalled(whom: &str) -> (Folder, String) {
    let folder = Folder::new();
    folder.write("job", JOB);
    let run = format!("-j1 --grace 1ms --journal j sh job {{}} {whom} ::: a b c");
    let ended = folder.run(&run).own_group().end().died_of(Signal::TERM);
    (folder, ended.error_text())
}

#[test]
fn what_ended_just_before_all_processes_were_told_to_end_is_taken_back_and_runs_again() {
    // A machine may be so busy that more than a second passes in between.
    let mut tries = (0..20).map(|_| signalled("all"));
    let (folder, said) = tries.find(|(folder, _)| last(folder, "a")["outcome"] == "stopped").unwrap();
    assert!(said.contains("1 of the jobs had ended within a second before all its processes"), "{said}");
    let a = last(&folder, "a");
    assert_eq!((&a["success"], &a["status"], &a["stdout"]), (&false.into(), &143.into(), &"a\n".into()));
    folder.sh("procpool resume j").end().exited(0).printed("a\nb\nc\n");
    let failed = folder.sh("procpool ls j --failed").end().exited(0);
    assert_eq!(failed.text().lines().count(), 1, "{}", failed.text());
}

#[test]
fn what_ended_before_the_front_or_its_group_was_told_to_end_stays_as_it_is() {
    for whom in ["front", "group"] {
        let (folder, said) = signalled(whom);
        assert_eq!(last(&folder, "a")["success"], true, "{whom}");
        assert!(!said.contains("within a second"), "{said}");
        folder.sh("procpool resume j").end().exited(0).printed("b\nc\n");
    }
}
