//! Which jobs a resume runs, what it says first, and its exit status.

use std::fs;

use rustix::process::Signal;

use crate::journal::killed;
use crate::processes::{kill, pids};
use crate::{Folder, PROCPOOL, wait_for};

/// Fails until a file exists whose name is the value.
const WAITS_FOR_FILE: &str = "echo $1; [ -e $1 ]";

/// A journal of three jobs, the second of which has failed.
fn one_failed() -> Folder {
    let folder = Folder::new();
    folder.write("a", "").write("c", "");
    let ended = folder.record("-k sh -c").args([WAITS_FOR_FILE, "sh", ":::", "a", "b", "c"]).end();
    ended.exited(1).printed("a\nb\nc\n");
    folder
}

const ONE_FAILED: &str = "3 jobs: 2 succeeded, 1 failed, 0 interrupted, 0 new, 0 changed\n";

#[test]
fn what_has_failed_is_run_again_and_the_exit_status_is_that_of_the_whole_list() {
    let folder = one_failed();
    folder.resume("").end().exited(1).printed("b\n").said(ONE_FAILED).said("  b: exit 1, ");
    folder.write("b", "").resume("").end().exited(0).printed("b\n").said(ONE_FAILED);
    let ended = folder.resume("").end().exited(0).printed("");
    assert_eq!(
        ended.error_text(),
        "procpool: 3 jobs: 3 succeeded, 0 failed, 0 interrupted, 0 new, 0 changed\n"
    );
}

#[test]
fn where_only_what_never_ran_is_wanted_failures_stay_and_the_status_tells_of_them() {
    let folder = one_failed();
    folder.write("b", "");
    let again = "--resume=unrun -k sh -c";
    let list = [WAITS_FOR_FILE, "sh", ":::", "a", "b", "c"];
    let says = "1 more failed in an earlier run, and were left as they are";
    folder.resume("--unrun").end().exited(1).printed("").said(ONE_FAILED).said(says);
    folder.record(again).args(list).end().exited(1).printed("").said(ONE_FAILED).said(says);
    folder.write("d", "").record(again).args(list).arg("d").end().exited(1).printed("d\n").said(says);
    folder.record("--resume -k sh -c").args(list).arg("d").end().exited(0).printed("b\n");
}

#[test]
fn a_run_that_was_killed_goes_on_with_what_ran_and_what_did_not() {
    let folder = Folder::new();
    folder.write("1", "").write("2", "");
    let script = "echo $1 >> starts; echo $1; until [ -e $1 ]; do sleep 0.01; done";
    let running =
        folder.record("-k -j2 sh -c").args([script, "sh", ":::"]).args(["1", "2", "3", "4", "5", "6"]);
    let running = running.start();
    // Jobs are recorded as running once their processes are known.
    wait_for("two to have ended and two to run", || {
        let table = fs::read_to_string(folder.file("J/running")).unwrap_or_default();
        [" 3 1 ", " 4 1 "].iter().all(|job| table.contains(job))
            && folder.has("starts")
            && folder.read("starts").lines().count() == 4
    });
    running.has_printed("1\n2\n");
    killed(running).printed("1\n2\n");
    for name in ["3", "4", "5", "6"] {
        folder.write(name, "");
    }
    let ended = folder.resume("").end().exited(0).printed("3\n4\n5\n6\n");
    ended.said("6 jobs: 2 succeeded, 0 failed, 2 interrupted, 2 not run, 0 new, 0 changed\n");
    assert_eq!(folder.read("starts").lines().count(), 8);
}

#[test]
fn what_was_stopped_by_a_signal_was_interrupted_and_is_run_again_also_where_only_that_is_wanted() {
    for words in ["", "--unrun"] {
        let folder = Folder::new();
        let script = "echo $$ > pid; until [ -e go ]; do sleep 0.01; done; echo $1";
        let running = folder.record("-j1 sh -c").args([script, "sh", ":::", "a", "b"]).start();
        wait_for("the first to run", || folder.has("pid"));
        running.signal(Signal::TERM);
        running.end().died_of(Signal::TERM).printed("");
        folder.write("go", "");
        let ended = folder.resume(words).end().exited(0).printed("a\nb\n");
        ended.said("2 jobs: 0 succeeded, 0 failed, 1 interrupted, 1 not run, 0 new, 0 changed\n");
    }
}

#[test]
fn what_was_ended_one_by_one_together_with_procpool_was_interrupted() {
    // The signal goes to the job's own process, or to one that it waits for: the shell makes an exit status
    // of it.
    let itself = "echo $$ > pid; exec sleep 60";
    let child = "sleep 60 & echo $! > pid; wait $!; exit $?";
    for (script, signal) in
        [(itself, Signal::TERM), (child, Signal::TERM), (itself, Signal::KILL), (child, Signal::KILL)]
    {
        let folder = Folder::new();
        let script = format!("[ -e go ] || {{ {script}; }}");
        let running = folder.record("--retries 3 sh -c").args([&script, "sh", ":::", "a"]).start();
        let job = pids(&folder, "pid", 1).remove(0);
        wait_for("its start to be noted", || {
            let table = fs::read(folder.file("J/running")).unwrap_or_default();
            table.windows(5).any(|word| word == b" 1 1 ")
        });
        // As when a cgroup is ended: one by one, in an undefined order.
        let all = [job, running.pool(), running.keeper(), running.pid().to_string()];
        for pid in all {
            kill(&pid, signal);
        }
        running.end().died_of(signal);
        folder.write("go", "");
        let ended = folder.resume("--unrun").end().exited(0);
        ended.said("1 job: 0 succeeded, 0 failed, 1 interrupted, 0 new, 0 changed\n");
    }
}

#[test]
fn what_a_stranger_has_ended_while_procpool_goes_on_has_failed() {
    let folder = Folder::new();
    let script = "kill -$1 $$; kill -s $1 $$";
    folder.record("-k sh -c").args([script, "sh", ":::", "TERM", "KILL", "SEGV"]).end().exited(1);
    let ended = folder.resume("--unrun").end().exited(1);
    ended.said("3 jobs: 0 succeeded, 3 failed, 0 interrupted, 0 new, 0 changed\n");
}

#[test]
fn after_a_halt_what_was_not_run_is() {
    let folder = Folder::new();
    let ended =
        folder.record("-j1 --fail-fast sh -c").args([WAITS_FOR_FILE, "sh", ":::", "a", "b", "c"]).end();
    ended.exited(1).printed("a\n");
    folder.write("a", "").write("b", "").write("c", "");
    let ended = folder.resume("").end().exited(0).printed("a\nb\nc\n");
    ended.said("3 jobs: 0 succeeded, 1 failed, 0 interrupted, 2 not run, 0 new, 0 changed\n");
}

#[test]
fn a_job_with_another_command_is_refused_until_it_is_said_what_to_do_about_it() {
    let folder = Folder::new();
    folder.record("echo ::: a b").end().exited(0);
    let journal = fs::read(folder.file("J/journal.jsonl")).unwrap();
    let ended = folder.record("--resume touch ::: a c").end().exited(2).printed("");
    ended.said("\"a\" (job 1): recorded with another command").said("--changed rerun").said("--changed skip");
    assert!(!folder.has("a") && !folder.has("c"));
    assert!(fs::read(folder.file("J/journal.jsonl")).unwrap() == journal, "it is left as it is");

    let ended = folder.record("--resume --changed skip touch ::: a c").end().exited(0);
    ended.said(
        "2 jobs: 0 succeeded, 0 failed, 0 interrupted, 1 new, 1 changed; 1 more no longer in the input\n",
    );
    assert!(!folder.has("a") && folder.has("c"));
    folder
        .record("--resume --changed rerun touch ::: a c")
        .end()
        .exited(0)
        .said("1 succeeded, ")
        .said(" 1 changed;");
    assert!(folder.has("a"));
    // The job's identity is now its new command.
    folder.record("--resume touch ::: a c").end().exited(0).said("2 jobs: 2 succeeded, ");
    folder.record("--resume echo ::: b").end().exited(0).printed("").said("1 job: 1 succeeded, ");
}

#[test]
fn what_was_said_of_changed_jobs_holds_for_who_goes_on_by_the_journal_alone() {
    for (changed, printed) in [("rerun", "a\nb\nc\n"), ("skip", "c\n")] {
        let folder = Folder::new();
        folder.record("echo ::: a b").end().exited(0);
        let script = ": > runs; until [ -e go ]; do sleep 0.01; done; echo $1";
        let words = format!("--resume --changed {changed} -k -j1 sh -c");
        let running = folder.record(&words).args([script, "sh", ":::", "a", "b", "c"]).start();
        wait_for("a job to run", || folder.has("runs"));
        killed(running).printed("");
        folder.write("go", "").resume("").end().exited(0).printed(printed);
        folder.resume("").end().exited(0).printed("");
    }
}

#[test]
fn a_job_that_failed_with_another_command_counts_as_failed_where_it_is_left() {
    let folder = Folder::new();
    folder.record("false ::: a").end().exited(1);
    let ended = folder.record("--resume=unrun --changed skip true ::: a").end().exited(1);
    ended.said("1 job: 0 succeeded, 0 failed, 0 interrupted, 0 new, 1 changed\n");
    folder.record("--resume --changed skip true ::: a").end().exited(1);
    folder.record("--resume --changed rerun true ::: a").end().exited(0);
}

#[test]
fn all_that_makes_a_job_what_it_is_makes_it_another_one() {
    let folder = Folder::new();
    folder.sh("mkdir sub").end().exited(0);
    folder.record("sh -c true ::: a").end().exited(0);
    for words in
        ["--cwd sub sh -c true", "--env A=1 sh -c true", "--env-clear sh -c true", "sh -c : ", "sh -c true x"]
    {
        let ended = folder.record(&format!("--resume {words} ::: a")).end().exited(2);
        ended.said("\"a\" (job 1): recorded with another command, directory, variables or input");
    }
    for words in ["-j1", "--timeout 9s", "--retries 3", "--tag", "--output lines", "-k"] {
        let ended = folder.record(&format!("--resume {words} sh -c true ::: a")).end().exited(0);
        ended.said("1 job: 1 succeeded, ");
    }
}

#[test]
fn neither_order_nor_place_matters_and_who_is_new_or_gone_is_said() {
    let folder = one_failed();
    folder.write("b", "").write("z", "");
    let list = [WAITS_FOR_FILE, "sh", ":::", "z", "c", "b"];
    let ended = folder.record("--resume -k sh -c").args(list).end().exited(0).printed("z\nb\n");
    ended.said(
        "3 jobs: 1 succeeded, 1 failed, 0 interrupted, 1 new, 0 changed; 1 more no longer in the input\n",
    );
    // Jobs that are no longer in the input are still on record.
    let list = [WAITS_FOR_FILE, "sh", ":::", "a", "b", "c", "z"];
    folder.record("--resume sh -c").args(list).end().exited(0).printed("").said("4 jobs: 4 succeeded, ");
}

#[test]
fn keys_that_repeat_are_told_apart_by_their_order() {
    let folder = Folder::new();
    let script = "echo $PROCPOOL_KEY; [ -e \"$PROCPOOL_KEY\" ]";
    let list = |words: &str| folder.record(words).args([script, "sh", ":::", "a", "b", "a", "a"]);
    folder.write("a", "").write("b", "").write("a#3", "");
    list("-k sh -c").end().exited(1).printed("a\nb\na#2\na#3\n").said("  a#2: exit 1, ");
    folder.write("a#2", "");
    list("--resume sh -c").end().exited(0).printed("a#2\n").said("4 jobs: 3 succeeded, 1 failed, ");
    folder.resume("").end().exited(0).printed("");
}

#[test]
fn where_there_is_no_journal_yet_resume_begins_one_with_all_of_the_list() {
    let folder = Folder::new();
    folder.record("--resume -k echo ::: a b").end().exited(0).printed("a\nb\n").silent();
    folder.record("--resume -k echo ::: a b").end().exited(0).printed("").said("2 jobs: 2 succeeded, ");
    let empty = Folder::new();
    fs::create_dir(empty.file("J")).unwrap();
    empty.record("--resume echo ::: a").end().exited(0).printed("a\n").silent();
}

#[test]
fn by_the_journal_alone_there_has_to_be_one() {
    let folder = Folder::new();
    folder.resume("").end().exited(2).said("\"J\"").said("No such file or directory");
    fs::create_dir(folder.file("J")).unwrap();
    folder
        .resume("")
        .end()
        .exited(2)
        .said("\"J\": no run is recorded there; `procpool run --journal DIR …` begins one");
    assert_eq!(fs::read_dir(folder.file("J")).unwrap().count(), 0);
}

#[test]
fn without_a_word_on_it_a_journal_is_not_gone_on_with() {
    let folder = one_failed();
    let ended = folder.record("echo ::: x").end().exited(2).printed("");
    ended.said(
        "--journal \"J\": a run is recorded there; add --resume to go on with it, or name another folder",
    );
}

#[test]
fn an_empty_list_is_recorded_and_gone_on_with() {
    let folder = Folder::new();
    folder.record("echo").input("").end().exited(0).printed("").silent();
    folder.resume("").end().exited(0).printed("").said("0 jobs: 0 succeeded, ");
}

#[test]
fn two_runs_on_one_journal_are_one_too_many() {
    let folder = Folder::new();
    let script = "echo $$ > pid; until [ -e go ]; do sleep 0.01; done; echo $1";
    let running = folder.record("sh -c").args([script, "sh", ":::", "a"]).start();
    wait_for("the job to run", || folder.has("pid"));
    let says = format!("in use by another procpool, process {} on ", running.pool().trim());
    folder.resume("").end().exited(2).printed("").said(&says).said("/J\": ");
    folder.record("--resume echo ::: x").end().exited(2).printed("").said(&says);
    folder.write("go", "");
    running.end().exited(0).printed("a\n").silent();
    folder.resume("").end().exited(0).printed("").said("1 job: 1 succeeded, ");
}

#[test]
fn a_folder_that_somebody_else_is_about_to_begin_in_is_left_as_it_is() {
    let folder = Folder::new();
    folder.sh("mkdir -m 700 J; : > J/running").end().exited(0);
    let held = folder.sh("flock J/running procpool run --journal J -- touch ::: made").end();
    held.exited(2).printed("").said("in use by another procpool; wait until that has ended");
    assert!(folder.has("J/running") && !folder.has("made"));
    folder.sh("procpool run --journal J -- touch ::: made").end().exited(0);
    assert!(folder.has("made"));
}

#[test]
fn a_front_that_is_killed_lets_the_journal_go_with_its_pool() {
    let folder = Folder::new();
    let script = "[ -e pid ] || { echo $$ > pid; sleep 1000; }; echo $1";
    let running = folder.record("sh -c").args([script, "sh", ":::", "a"]).start();
    wait_for("the job to run and to be noted", || {
        folder.has("pid") && folder.read("J/running").contains(" 1 1 ")
    });
    kill(&running.pid().as_raw_nonzero().to_string(), Signal::KILL);
    // A resume at this moment waits until the pool has noticed the kill.
    let ended = folder.resume("").end().exited(0).printed("a\n");
    assert!(
        ended.error_text().contains("1 job: 0 succeeded, 0 failed, 1 interrupted, "),
        "{}",
        ended.describe()
    );
    running.end().died_of(Signal::KILL);
}

#[test]
fn options_that_are_typed_win_over_those_that_were() {
    let folder = Folder::new();
    let script = "echo $1; [ -e go ]";
    folder
        .record("-k -j3 --tag sh -c")
        .args([script, "sh", ":::", "a", "b"])
        .end()
        .exited(1)
        .printed("a\ta\nb\tb\n");
    folder.resume("-j1").end().exited(1).printed("a\ta\nb\tb\n");
    folder.write("go", "").resume("--tag-with {#}").end().exited(0).printed("1\ta\n2\tb\n");
}

#[test]
fn a_list_is_run_in_the_directory_where_it_was_given_whoever_resumes_it_from_where() {
    let folder = Folder::new();
    folder.sh("mkdir there elsewhere").end().exited(0);
    let script = "cd there && procpool run --journal ../J sh -c 'pwd; cat here' ::: a";
    folder.sh(script).end().exited(1);
    folder.write("there/here", "found\n");
    let there = fs::canonicalize(folder.file("there")).unwrap();
    let ended = folder.sh("cd elsewhere && procpool resume ../J").end().exited(0);
    ended.printed(format!("{}\nfound\n", there.display()));
    fs::remove_dir_all(there).unwrap();
    folder.resume("").end().exited(2).said("the run was started in ").said("which can't be entered now");
}

#[test]
fn numbers_are_those_of_the_list_and_slots_those_of_today() {
    let folder = Folder::new();
    let script = "echo $1 $2 $3 $PROCPOOL_SEQ $PROCPOOL_SLOT; [ $3 != c ] || [ -e go ]";
    let list = [script, "sh", "{#}", "{%}", "{key}", ":::", "a", "b", "c", "d"];
    folder
        .record("-j1 -k sh -c")
        .args(list)
        .end()
        .exited(1)
        .printed("1 1 a 1 1\n2 1 b 2 1\n3 1 c 3 1\n4 1 d 4 1\n");
    folder.resume("").end().exited(1).printed("3 1 c 3 1\n");
    // A job's number is part of its identity if it is part of its command.
    let list = [script, "sh", "{#}", "{%}", "{key}", ":::", "c"];
    folder
        .record("--resume sh -c")
        .args(list)
        .end()
        .exited(2)
        .said("\"c\" (job 1): recorded with another command");
}

#[test]
fn what_is_wrong_with_the_words_is_said_before_anything_is_touched() {
    let folder = one_failed();
    for (words, says) in [
        ("run --resume echo", "--journal"),
        ("run --durable echo", "--journal"),
        ("run --journal J --changed skip echo", "--resume"),
        ("run --journal J --resume=done echo", "'done'"),
        ("run --journal J --resume --changed maybe echo", "'maybe'"),
        ("resume", "DIR"),
        ("resume J echo", "'echo'"),
        ("resume J --resume", "--resume"),
        ("resume J --journal K", "--journal"),
    ] {
        let ended = folder.command(PROCPOOL).args(words.split(' ')).end().exited(2).printed("");
        assert!(ended.error_text().contains(says), "{words}: {}", ended.describe());
    }
    folder.resume("--unrun").end().exited(1).said(ONE_FAILED);
}
