//! `--on slurm` with imitations of Slurm's commands (`slurm.sh`): everything that can be tested without a
//! cluster. The real commands are used by the tests in `tests/cluster`.

use rustix::process::Signal;

use crate::processes::lives;
use crate::{Folder, Trial, wait_for};

/// Imitations of the cluster's commands.
pub(crate) const SLURM: &str = include_str!("slurm.sh");

fn on_slurm(folder: &Folder, line: &str) -> Trial {
    folder.write("slurm", SLURM);
    folder.sh(&format!(". ./slurm; {line}"))
}

#[test]
fn without_slurm_nothing_is_begun() {
    let folder = Folder::new();
    let ended = folder.run("--on slurm true ::: 1").env("PATH", "/nowhere").end().exited(2);
    ended.said("--on slurm: sbatch is not in PATH");
    assert!(folder.files("procpool-").is_empty());
}

#[test]
fn a_list_that_is_refused_leaves_no_folder() {
    for line in [
        r"printf 'a\n\0\n' | procpool run --on slurm echo",
        "procpool run --on slurm --csv echo {nn} < /dev/null",
        "procpool run --on slurm --output raw echo ::: 1",
        "procpool run --on slurm --slices 0 echo ::: 1",
        "procpool run --on slurm --sbatch-arg=--wrap=true echo ::: 1",
        "procpool run --on local --detach echo ::: 1",
        "procpool run --on slurm --detach --joblog l echo ::: 1",
        "procpool run --on slurm --detach --results r echo ::: 1",
        "procpool run --on slurm --sbatch-arg --test-only echo ::: 1",
    ] {
        let folder = Folder::new();
        let ended = on_slurm(&folder, line).end().exited(2);
        assert!(!ended.error_text().contains("--journal"), "{line}: {}", ended.error_text());
        assert!(folder.files("procpool-").is_empty(), "{line}");
    }
}

#[test]
fn no_jobs_leave_nothing_behind() {
    for options in ["", "--detach"] {
        let folder = Folder::new();
        on_slurm(&folder, &format!("procpool run --on slurm {options} true < /dev/null"))
            .end()
            .exited(0)
            .silent();
        assert!(folder.files("procpool-").is_empty() && !folder.has("asked"), "{options}");
    }
}

#[test]
fn what_can_not_be_started_is_told_as_here() {
    for command in ["./nothing", "/etc/passwd", "./script", "--retries 1 ./no-program"] {
        let folder = Folder::new();
        folder.write_program("script", "#!/no/such interpreter\n");
        folder.write("no-program", "");
        let told = |place: &str| {
            let line = format!(
                "procpool run {place} -j1 --summary never --joblog log --events said {command} ::: a; cut -f7 log"
            );
            let ended = on_slurm(&folder, &line).end();
            let events = folder.read("said");
            let errors = events.lines().filter_map(|line| {
                Some(line.split_once("\"error\":")?.1.split_once("\"errno\"")?.0.to_owned())
            });
            (ended.text().to_owned(), errors.collect::<Vec<_>>())
        };
        let here = told("");
        std::fs::remove_dir_all(folder.file("bin")).unwrap();
        assert_eq!(told("--on slurm"), here, "{command}");
    }
}

#[test]
fn a_front_that_is_killed_is_no_halt_of_what_runs_elsewhere() {
    let folder = Folder::new();
    folder.write("slurm", SLURM);
    // An sbatch that accepts a round and runs nothing of it, and a squeue that hangs.
    folder.write_program("sbatch", "#!/bin/sh\ncat > taken; echo 1\n");
    folder.write_program("squeue", "#!/bin/sh\n: > asks\nexec sleep 100\n");
    let running = folder
        .sh(". ./slurm; cp sbatch squeue bin; exec procpool run --on slurm --journal j true ::: 1")
        .start();
    wait_for("a question", || folder.has("j/asks") || folder.has("asks"));
    let pool = running.pool();
    running.signal(Signal::KILL);
    running.end().died_of(Signal::KILL);
    wait_for("the pool's end", || !lives(&pool));
    assert_eq!(folder.read("j/halt-1-1"), "go on    \n");
}

#[test]
fn a_second_array_for_the_same_round_runs_nothing() {
    let folder = Folder::new();
    let line = "procpool run --on slurm --journal j -- sh -c 'echo start >> starts' ::: a; \
                export SLURM_ARRAY_TASK_ID=0; SLURM_ARRAY_JOB_ID=2 procpool slice j --round 1-1 --index-from-env";
    let ended = on_slurm(&folder, line).end().exited(2);
    ended.said("round 1-1 is not for array 2: 1 has taken it");
    // The same array may come again, and finds nothing to do.
    folder
        .sh("SLURM_ARRAY_JOB_ID=1 SLURM_ARRAY_TASK_ID=0 procpool slice j --round 1-1 --index-from-env")
        .end()
        .exited(0)
        .silent();
    assert_eq!(folder.read("starts"), "start\n");
}

#[test]
fn why_slices_end_at_once_is_told() {
    let folder = Folder::new();
    folder.write("slurm", SLURM);
    folder.write_program("sbatch", "#!/bin/sh\nfor word; do case $word in --chdir=*) cd \"${word#--chdir=}\";; --job-name=*-*-?) n=${word##*-};; esac; done\necho no such node > log-1-$n-0; echo 1\n");
    let ended =
        folder.sh(". ./slurm; cp sbatch bin; procpool run --on slurm --journal j true ::: 1").end().exited(3);
    let left = "1 job is left: 3 arrays have ended without having begun anything: slice 0 ended unseen";
    for said in ["tried again: slice 0 ended", "log-1-1-0 ends with: no such node", left] {
        assert!(ended.error_text().contains(said), "{said}: {}", ended.error_text());
    }
    let listed = folder.sh("procpool ls j").end().exited(0);
    assert!(!listed.text().contains(" lost "), "nothing was begun: {}", listed.text());
}

#[test]
fn a_job_that_has_ended_twice_is_told_once_and_counted() {
    let folder = Folder::new();
    folder.write("slurm", SLURM);
    // Simulates a slice that ran on both sides of a broken network: its records exist twice.
    folder.write_program(
        "twice",
        "#!/bin/sh\nbin/sbatch-once \"$@\" && cp j/journal-1-1-0000-1.jsonl j/journal-1-1-0000-2.jsonl && cp j/outputs-1-1-0000-1 j/outputs-1-1-0000-2\n",
    );
    let ended = folder
        .sh(". ./slurm; mv bin/sbatch bin/sbatch-once; mv twice bin/sbatch; procpool run --on slurm -k --journal j sh -c 'echo {}; exit {}' ::: 0 3")
        .end()
        .exited(1);
    assert_eq!(ended.text(), "0\n3\n");
    assert!(
        ended.error_text().contains("2 jobs ended twice; their first outcomes count\n"),
        "{}",
        ended.error_text()
    );
    let listed = folder
        .sh("PATH=$PWD/bin:$PATH; procpool export j --all --format jsonl | wc -l; procpool resume j --unrun")
        .end()
        .exited(1);
    assert_eq!(listed.text(), "4\n");
}

#[test]
fn slices_understand_every_option_that_a_run_was_given() {
    let options = [
        "--durable --journal j",
        "--resume --changed rerun --durable --journal j",
        "--timeout 300% --retries 2 --retry-delay 1ms --retry-max-delay 1s --retry-on exit",
        "--halt soon,fail=50% --delay 1ms --load 1000000 --mem-free 1k --shuffle --seed 3",
        "-j50% --fail-fast",
        "-jauto --on-leak keep --grace 1s --no-guard --nice 1",
        "--tag --raw-control --progress plain --color always --summary never",
        "--tag-with {} --env A=B --env-clear --cwd . --exit-code max",
        "--joblog l --junit u --events e --results r --output lines",
        "--slices 2 --nodes 1 --sbatch-arg=-A --sbatch-arg lab --time 2m --at-most-once",
    ];
    for options in options {
        let folder = Folder::new();
        let line = format!(
            "PROCPOOL_RETRIES=1 procpool run --on slurm -k {options} /bin/echo ::: a b c > out; echo $?; sort out"
        );
        let ended = on_slurm(&folder, &line).end();
        let lines = ended.text().lines().collect::<Vec<_>>();
        let is_right =
            matches!(lines[..], ["0", a, b, c] if a.ends_with('a') && b.ends_with('b') && c.ends_with('c'));
        assert!(is_right, "{options}: {lines:?}\n{}", ended.error_text());
    }
}

#[test]
fn an_output_that_is_seen_later_than_its_record_is_waited_for() {
    let folder = Folder::new();
    folder.write("slurm", SLURM);
    // Simulates a shared file system on which the outputs appear only after the head has looked for them in
    // vain. The head is stopped until they are hidden; otherwise it might find them before.
    folder.write_program(
        "late",
        "#!/bin/sh\nkill -STOP $PPID; bin/sbatch-once \"$@\" && mv j/outputs-1-1-0000-1 hidden && { (until [ -e looked ]; do sleep 0.1; done; mv hidden j/outputs-1-1-0000-1) > /dev/null 2>&1 & }; kill -CONT $PPID\n",
    );
    // The second job is retried: the output of its first attempt appears late, that of its last one doesn't.
    let job = "seq {}; [ {} != 5000 ] || [ $PROCPOOL_ATTEMPT = 2 ] || exit 3";
    let job = job.replace("seq {};", "[ $PROCPOOL_ATTEMPT = 2 ] || seq {};");
    let line = format!(
        ". ./slurm; mv bin/sbatch bin/sbatch-once; mv late bin/sbatch; \
         exec procpool run --no-guard --on slurm -k --retries 1 --journal j --joblog log sh -c '{job}' ::: 3 5000 2500"
    );
    let running = folder.sh(&line).start();
    // The short output is inside its record.
    running.has_printed("1\n2\n3\n");
    folder.write("looked", "");
    let numbers = [3, 2500].into_iter().flat_map(|last| 1..=last);
    let expected = numbers.fold(String::new(), |text, number| text + &number.to_string() + "\n");
    let ended = running.end().exited(0);
    assert_eq!(ended.error_text(), "");
    assert!(ended.text() == expected);
    assert_eq!(folder.read("log").lines().count(), 1 + 3);
}

#[test]
fn where_each_attempt_ran_is_told_wherever_it_is_told_of() {
    let folder = Folder::new();
    // Two slices of one job each, on n0 and n1. On n1 both attempts fail.
    folder.write_program("job", "#!/bin/sh\n[ $SLURMD_NODENAME = n0 ] || { : > begun; echo >&2 no; exit 3; }\nuntil [ -e begun ]; do sleep 0.01; done\n");
    let line = "export at_once=yes; procpool run --on slurm --slices 2 -j1 --retries 1 --retry-delay 1ms --journal j --joblog log \
                --events events --junit junit --results r -- ./job ::: a b; cut -f1,2 log; procpool ls j; procpool show j b; \
                procpool export j --format joblog | cut -f2; procpool export j --format csv | grep -o 'n[01],' ; \
                procpool export j --all --format jsonl | grep -o '\"node\":\"n.\"'; procpool export j --format junit";
    let ended = on_slurm(&folder, line).end().exited(0);
    let text = ended.text().to_owned();
    let ended = ended.said("  b: exit 3, ");
    assert!(ended.error_text().contains(", on n1\n    | no\n"), "{}", ended.error_text());
    for expected in [
        "Seq\tHost\n1\tn0\n2\tn1\n",
        "  TRIES   PEAK  NODE\n",
        "  node       n1\n",
        "Host\nn0\nn1\nn0,\nn1,\n\"node\":\"n0\"\n\"node\":\"n1\"\n\"node\":\"n1\"\n",
        "message=\"exit 3, on n1\"",
    ] {
        assert!(text.contains(expected), "{expected:?} in {text}");
    }
    let listed = text.lines().filter(|line| line.contains("succeeded") || line.contains("  exit 3 "));
    let nodes: Vec<_> = listed.map(|line| line.rsplit(' ').next().unwrap()).collect();
    assert_eq!(nodes, ["n0", "n1"], "{text}");
    let events = folder.read("events");
    let on =
        |node: &str| events.lines().filter(|line| line.contains(&format!("\"node\":\"{node}\""))).count();
    // A start and an end for each attempt, and an output for each on n1.
    assert_eq!((on("n0"), on("n1")), (2, 6), "{events}");
    assert!(folder.read("junit").contains("message=\"exit 3, on n1\""));
    assert!(folder.read("r/b/meta.json").contains("\"node\": \"n1\""));
    // A local run has no node.
    let line = "procpool run -j1 --journal here --joblog log ./job ::: a; cut -f2 log; procpool ls here; cat here/journal.jsonl";
    let told = folder.sh(line).env("SLURMD_NODENAME", "n0").end().exited(0);
    assert!(told.text().contains("Host\n:\n"), "{}", told.text());
    assert!(!told.text().contains("node\"") && !told.text().contains("NODE\n"), "{}", told.text());
}

#[test]
fn jobs_of_a_slice_find_the_gpus_of_their_slots_and_those_of_a_run_here_are_left_alone() {
    let folder = Folder::new();
    let job = "sh -c 'echo $PROCPOOL_SLOT:$CUDA_VISIBLE_DEVICES' sh {} ::: a b";
    let run = |given: &str, options: &str| {
        // `sort -u`, because with -j2 both jobs may run in the same slot, one after the other.
        let line = format!(
            "rm -rf j bin; . ./slurm; sed -i '1a export {given}' bin/sbatch; export {given}; \
             procpool run {options} --journal j {job} | sort -u"
        );
        folder.write("slurm", SLURM);
        folder.sh(&line).end().exited(0).text().to_owned()
    };
    assert_eq!(run("SLURM_JOB_GPUS=4,5,6,7 CUDA_VISIBLE_DEVICES=0,1,2,3", "--on slurm -j1"), "1:0,1,2,3\n");
    let shared = run("SLURM_JOB_GPUS=0-3", "--on slurm -j2 --delay 1ms");
    assert!(shared.lines().all(|line| ["1:0,1", "2:2,3"].contains(&line)) && !shared.is_empty(), "{shared}");
    let own = run("SLURM_JOB_GPUS=0,1", "--on slurm -j1 --env CUDA_VISIBLE_DEVICES=7");
    assert_eq!(own, "1:7\n");
    assert_eq!(run("CUDA_VISIBLE_DEVICES=0,1", "--on slurm -j1"), "1:0,1\n");
    // A local run leaves the variable alone, also inside a Slurm job.
    assert_eq!(run("SLURM_JOB_ID=1 SLURM_JOB_GPUS=4,5 CUDA_VISIBLE_DEVICES=0,1", "-j1"), "1:0,1\n");
}

/// The files of the journal `j` that exist only while jobs run, for readers.
fn live_files(folder: &Folder) -> Vec<String> {
    let all = std::fs::read_dir(folder.file("j")).into_iter().flatten();
    let names = all.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut live: Vec<String> = names.filter(|name| name.starts_with("live-")).collect();
    live.sort();
    live
}

#[test]
fn what_a_job_has_written_so_far_is_shown_while_it_runs_and_no_file_of_it_is_left() {
    let folder = Folder::new();
    folder.write("slurm", SLURM);
    let job = "echo $1 so far; echo trouble >&2; until [ -e go ]; do sleep 0.1; done; echo end";
    let line = format!(". ./slurm; exec procpool run --on slurm -j2 -k --journal j sh -c '{job}' sh ::: a b");
    let running = folder.sh(&line).start();
    let files = || live_files(&folder);
    let show = |line: &str| folder.sh(line).end().exited(0).text().to_owned();
    wait_for("what both have written", || files().iter().filter(|name| !name.contains(".new")).count() == 4);
    let shown = show("procpool show j b");
    for part in [
        "runs now",
        "node         n0",
        "--- standard output so far, 9 bytes\nb so far\n",
        "--- standard error so far, 8 bytes\ntrouble\n",
    ] {
        assert!(shown.contains(part), "{part:?} in {shown}");
    }
    assert_eq!(show("procpool show j a --stdout; procpool show j b --stderr"), "a so far\ntrouble\n");
    folder.write("go", "");
    assert_eq!(running.end().exited(0).text(), "a so far\nend\nb so far\nend\n");
    assert_eq!(files(), [""; 0]);
    // A slice that was killed leaves some of them, and its successor deletes them.
    for name in ["live-1-1-0000-1.1.1.stdout", "live-1-1-0000-1.1.1.stdout.new", "live-1-1-0001-1.1.1.stdout"]
    {
        folder.write(&format!("j/{name}"), "x");
    }
    folder
        .sh("SLURM_ARRAY_JOB_ID=1 SLURM_ARRAY_TASK_ID=0 procpool slice j --round 1-1 --index-from-env")
        .end()
        .exited(0);
    assert_eq!(files(), ["live-1-1-0001-1.1.1.stdout"]);
    folder.sh("procpool resume j --on local").end().exited(0);
    assert_eq!(files(), [""; 0]);
}
