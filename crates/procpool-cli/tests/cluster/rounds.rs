//! Lists that are too long for one array, and machines without Slurm.

use std::fs;
use std::process::{Command, Stdio};

use crate::case::{Case, numbers, printed};
use crate::cluster::Cluster;
use crate::running::Running;

#[test]
#[ignore = "wants a Slurm cluster: cargo xtask cluster test"]
fn there_are_no_more_slices_than_an_array_may_have() {
    // Indices must be below 5.
    let case = Case::new(Cluster::own("--nodes 2 --max-array 5"));
    case.job("echo \"this is $1\"");
    let run = "run -k --on slurm --slices 12 -j8 --journal J -- sh job {}";
    let ended = case.end(run, &numbers(24)).exited(0);
    let expected = printed(24);
    assert_eq!(ended.text(), expected);
    assert_eq!(case.starts().len(), 24);
    case.outcomes("J").all_succeeded(24);
    assert_eq!(case.records("J", "round")[0]["slices"], 5);
    assert_eq!(case.records("J", "array").len(), 1);
}

#[test]
#[ignore = "wants a Slurm cluster: cargo xtask cluster test"]
fn an_array_that_slurm_refuses_has_lost_nothing() {
    let case = Case::new(Cluster::own("--nodes 1"));
    case.job("echo \"this is $1\"");
    case.cluster.ask("scontrol update partitionname=main state=drain");
    let run = "run -k --on slurm --at-most-once --journal J -- sh job {}";
    case.end(run, &numbers(3)).exited(2).said("partition").said_nothing_of("lost");
    case.cluster.ask("scontrol update partitionname=main state=up");
    let ended = case.end("resume J", "").exited(0).said_nothing_of("lost");
    assert_eq!(ended.text(), printed(3));
    assert_eq!(case.starts().len(), 3);
}

#[test]
fn without_slurm_one_sentence_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut procpool = Command::new(env!("CARGO_BIN_EXE_procpool"));
    procpool.args(["run", "--on", "slurm", "--", "echo", "{}", ":::", "a"]);
    procpool.env("PATH", folder.path()).current_dir(folder.path()).stdout(Stdio::piped());
    let ended = Running::start(&mut procpool, b"").end().exited(2).said("sbatch");
    assert_eq!(ended.text(), "");
    assert_eq!(ended.error_text().trim_end().lines().count(), 1, "{}", ended.describe());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
