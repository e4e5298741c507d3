//! The Slurm controller goes down and comes back, or procpool needs an administrator, who types the commands
//! that procpool names.

use std::process::{Command, Stdio};

use crate::case::{Case, numbers, printed};
use crate::cluster::Cluster;
use crate::running::{Ended, Running};
use crate::wait_for;

const RUN: &str = "run -k --on slurm --slices 20 -j8 --journal J -- sh job {}";

#[test]
#[ignore = "wants a Slurm cluster: cargo xtask cluster test"]
fn a_controller_that_restarts_is_waited_for() {
    let case = Case::new(Cluster::own(""));
    case.job("sleep 0.1; echo \"this is $1\"");
    let running = case.start(RUN, &numbers(1000));
    case.wait_for_starts(300);
    case.cluster.order("kill-controller --signal TERM");
    let ended = running.end().exited(0).said_nothing_of("lost").said_nothing_of("twice");
    all_came(&case, &ended);
    assert_eq!(case.starts().len(), 1000);
}

#[test]
#[ignore = "wants a Slurm cluster: cargo xtask cluster test"]
fn after_a_crash_of_the_controller_its_administrator_is_told_what_to_type() {
    let case = Case::new(Cluster::own(""));
    case.job("sleep 0.1; echo \"this is $1\"");
    let mut running = case.start(RUN, &numbers(1000));
    case.wait_for_starts(300);
    case.cluster.order("kill-controller --signal KILL");
    let mut administrator = Administrator::default();
    wait_for("the run has ended", || {
        administrator.obey(&running, &case.cluster);
        running.has_ended()
    });
    let ended = running.end().exited(0).said_nothing_of("lost");
    all_came(&case, &ended);
}

#[test]
#[ignore = "wants a Slurm cluster: cargo xtask cluster test"]
fn why_a_node_takes_no_jobs_is_said() {
    let case = Case::new(Cluster::own("--nodes 1"));
    case.cluster.ask("scontrol update nodename=n1 state=drain reason=broken_disk");
    let mut running = case.start("run --on slurm -- echo {} ::: a", "");
    running.says("scontrol update nodename=n1 state=resume");
    assert!(!running.has_ended());
    Administrator::default().obey(&running, &case.cluster);
    let ended = running.end().exited(0).said("broken_disk");
    assert_eq!(ended.text(), "a\n");
}

#[test]
#[ignore = "wants a Slurm cluster: cargo xtask cluster test"]
fn what_does_not_pass_by_itself_is_told_with_what_to_ask_for_otherwise() {
    let case = Case::new(Cluster::own("--nodes 1"));
    for (options, hurt, says, heal) in [
        ("--time 10m", "maxtime=1", "PartitionTimeLimit; it asks for more time", "maxtime=unlimited"),
        ("", "state=down", "PartitionDown; that partition starts nothing", "state=up"),
    ] {
        case.cluster.ask(&format!("scontrol update partitionname=main {hurt}"));
        let mut running = case.start(&format!("run --on slurm {options} -- echo {{}} ::: a"), "");
        running.says(says);
        assert!(!running.has_ended());
        case.cluster.ask(&format!("scontrol update partitionname=main {heal}"));
        assert_eq!(running.end().exited(0).text(), "a\n");
    }
}

#[test]
#[ignore = "wants a Slurm cluster: cargo xtask cluster test"]
fn elements_that_are_held_are_named() {
    let case = Case::new(Cluster::own("--nodes 1"));
    case.job("until [ -e go ]; do sleep 0.1; done");
    let mut running = case.start("run --on slurm --slices 2 -j8 --journal J -- sh job {}", &numbers(16));
    // There is room for one slice.
    case.wait_for_starts(8);
    wait_for("an array", || !case.records("J", "array").is_empty());
    let array = case.records("J", "array")[0]["id"].clone();
    let array = array.as_str().map_or_else(|| array.to_string(), str::to_owned);
    case.cluster.ask(&format!("scontrol hold {array}"));
    // Otherwise the running slice would run all jobs, and the other one would not be missed.
    running.says("scontrol release");
    assert!(!running.has_ended());
    Administrator::default().obey(&running, &case.cluster);
    case.write("go", "");
    running.end().exited(0);
    assert_eq!(case.starts().len(), 16);
}

#[track_caller]
fn all_came(case: &Case, ended: &Ended) {
    let expected = printed(1000);
    assert!(ended.text() == expected, "{}", ended.describe());
    case.outcomes("J").all_succeeded(1000);
}

/// An administrator who types each command that procpool names, each time it is named.
#[derive(Default)]
struct Administrator {
    obeyed: usize,
}

impl Administrator {
    fn obey(&mut self, running: &Running, cluster: &Cluster) {
        let commands = commands(&running.error_text());
        for line in &commands[self.obeyed..] {
            let mut command = Command::new("scontrol");
            command.args(line.split(' ').skip(1)).env("SLURM_CONF", &cluster.configuration);
            // Slurm may refuse it, because it is no longer needed by now.
            let _ = command.stdin(Stdio::null()).output();
        }
        self.obeyed = commands.len();
    }
}

/// The commands that a text names, each in backquotes or up to the end of its line.
fn commands(text: &str) -> Vec<String> {
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let found = whole.match_indices("scontrol ").map(|(start, _)| {
        let rest = &whole[start..];
        rest.split(['`', '\'', '"', '\n', ';', ')']).next().unwrap_or(rest).trim().to_owned()
    });
    found.collect()
}

#[test]
fn commands_are_read_off_a_text() {
    let text =
        "procpool: held: type `scontrol release 7_1`; or\nas root: scontrol update a=b c=d\nscontrol rel";
    assert_eq!(commands(text), ["scontrol release 7_1", "scontrol update a=b c=d"]);
}
