//! `--on slurm` when something fails between the head, the folder and the cluster, with imitations of Slurm's
//! commands (`slurm.sh`). The real commands are used by the tests in `tests/cluster`.

use rustix::process::Signal;
use sleeper::needs;
use sleeper::needs::Need;

use crate::cluster::SLURM;
use crate::{Folder, wait_for};

/// An sbatch that refuses the array whose name ends with this shell pattern.
const REFUSING: &str = r#". ./slurm; mv bin/sbatch bin/sbatch-once; sed -i s/1001/2/ bin/scontrol
command sbatch <<END
case "\$*" in *-$refused) echo 'sbatch: error: Batch job submission failed: Invalid account' >&2; exit 1 ;; esac
exec $PWD/bin/sbatch-once "\$@"
END
procpool run --on slurm --slices 1 -j1 $once --journal j -- sh -c 'echo {} >> starts
    [ $refused = 1 ] || [ {} != b ] || [ -e ended ] || {
        : > ended; until grep -q attempt j/journal-*; do sleep 0.01; done; kill -9 $PPID; }; echo {}' ::: a b c d"#;

#[test]
fn a_run_whose_terminal_is_lost_is_left_and_says_how_to_come_back() {
    for (options, signal) in [("--journal j", Signal::HUP), ("--on-term leave --journal k", Signal::TERM)] {
        let folder = Folder::new();
        folder.write("slurm", SLURM);
        folder.write_program("sbatch", "#!/bin/sh\ncat > taken; echo 1\n");
        folder.write_program("squeue", "#!/bin/sh\n: > asks\nexec sleep 100\n");
        let line =
            format!(". ./slurm; cp sbatch squeue bin; exec procpool run --on slurm {options} true ::: 1");
        let running = folder.sh(&line).start();
        wait_for("a question", || folder.has("asks"));
        running.signal(signal);
        let ended = running.end().died_of(signal);
        let journal = options.split(' ').next_back().unwrap();
        ended
            .said("array 1 goes on without this process; 1 job has no outcome yet")
            .said(&format!("procpool resume {journal}"));
        assert_eq!(folder.read(&format!("{journal}/halt-1-1")), "go on    \n");
    }
}

#[test]
fn jobs_of_slices_that_have_died_are_in_every_total() {
    let folder = Folder::new();
    folder.write("slurm", SLURM);
    // The slice is killed in the middle of two jobs, and no other slice is accepted.
    folder.write_program(
        "dying",
        "#!/bin/sh\n[ ! -e once ] || { echo 'sbatch: error: no more' >&2; exit 1; }\n: > once; cat > script\n\
         SLURM_ARRAY_JOB_ID=1 SLURM_ARRAY_TASK_ID=0 sh script > slice 2>&1 < /dev/null & \n\
         until [ -e b ] && [ -e c ] && grep -q '\"seq\":1' j/journal-1-1-*.jsonl; do sleep 0.1; done 2> /dev/null\n\
         kill -9 $!; wait $! 2> /dev/null; echo 1\n",
    );
    let line = ". ./slurm; cp dying bin/sbatch; procpool run --on slurm --slices 1 --retries 1 --journal j --events said \
                -- sh -c '[ {} = a ] || { : > {}; sleep 1000; }' ::: a b c";
    let ended = folder.sh(line).end().exited(3);
    ended.said("procpool: 3 jobs: 1 succeeded, 2 not run");
    let events = folder.read("said");
    let last = events.lines().last().unwrap_or_default();
    assert!(last.contains("\"jobs\":3") && last.contains("\"unrun\":2"), "{last}");
}

#[test]
fn a_folder_that_can_not_be_used_for_a_while_is_waited_for() {
    needs!(Modes);
    let folder = Folder::new();
    folder.write("slurm", SLURM);
    // By then the slices have ended, and the head has begun to poll.
    folder.write_program(
        "away",
        "#!/bin/sh\nbin/sbatch-once \"$@\"\nchmod 000 j\nuntil grep -q waiting err; do sleep 0.1; done\nchmod 700 j\n",
    );
    let line = ". ./slurm; mv bin/sbatch bin/sbatch-once; mv away bin/sbatch; \
        procpool run --on slurm -k --journal j echo ::: a b c 2> err; echo $?; cat err";
    let mut words = Need::Modes.wrapper().into_iter();
    let trial = folder.command(words.next().unwrap()).args(words).args(["sh", "-c", line]);
    let ended = trial.end().exited(0);
    let lines: Vec<&str> = ended.text().lines().collect();
    let [a, b, c, status, away, back] = lines[..] else { panic!("{lines:?}") };
    assert_eq!([a, b, c, status, back], ["a", "b", "c", "0", "procpool: the folder can be used again"]);
    let says = |word| away.contains(word);
    assert!(says("j can't be used now (Permission denied") && says("waiting for it"), "{away}");
}

#[test]
fn a_round_that_was_refused_has_lost_nothing_and_a_resume_runs_it() {
    // In the second case the first slice is killed, and a second round is refused that would run what it has
    // left.
    for (refused, once, status, unrun, starts) in
        [("1", "--at-most-once", 2, 4, "abcd"), ("2", "", 3, 3, "abbcd")]
    {
        let folder = Folder::new();
        folder.write("slurm", SLURM);
        let ended = folder.sh(REFUSING).env("refused", refused).env("once", once).end().exited(status);
        ended.said("Slurm: Batch job submission failed: Invalid account");
        let resumed = folder
            .sh(". ./slurm; procpool ls j | grep -c 'not run'; procpool resume j; sort starts | tr -d '\\n'")
            .env("refused", refused)
            .end()
            .exited(0);
        assert!(resumed.text().starts_with(&format!("{unrun}\n")), "{refused}: {}", resumed.text());
        assert!(resumed.text().ends_with(starts), "{refused}: {}\n{}", resumed.text(), resumed.error_text());
        assert!(!resumed.error_text().contains("lost"), "{refused}: {}", resumed.error_text());
    }
}

#[test]
fn fewer_slices_are_handed_in_where_slurm_takes_no_more_of_a_user() {
    let folder = Folder::new();
    folder.write("slurm", SLURM);
    folder.write_program(
        "strict",
        "#!/bin/sh\ncase \"$*\" in *--array=0-0*) exec bin/sbatch-once \"$@\" ;; esac\n\
         echo 'sbatch: error: AssocMaxSubmitJobLimit' >&2\n\
         echo 'sbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit)' >&2\nexit 1\n",
    );
    let line = ". ./slurm; mv bin/sbatch bin/sbatch-once; mv strict bin/sbatch; \
                procpool run --on slurm --slices 4 -k echo ::: 1 2 3 4 5 6 7 8";
    let ended = folder.sh(line).end().exited(0);
    assert_eq!(ended.text(), "1\n2\n3\n4\n5\n6\n7\n8\n");
    ended
        .said("Slurm takes no 4 slices now (AssocMaxSubmitJobLimit; ")
        .said("2 slices instead")
        .said("1 slice instead");
}
