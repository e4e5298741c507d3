//! The same list run on this machine and on the cluster: the outputs don't differ.

use std::collections::BTreeSet;
use std::fs;

use crate::case::{Case, numbers};
use crate::cluster::{Cluster, Which};

#[test]
#[ignore = "wants a Slurm cluster: cargo xtask cluster test"]
fn a_thousand_jobs_come_out_as_on_this_machine() {
    let case = Case::new(Cluster::shared());
    case.job(
        r#"sleep 0.1
echo "this is $1"; echo "not that" >&2
[ $(($1 % 250)) -ne 0 ] || kill -9 $$
[ $(($1 % 100)) -ne 0 ] || exit 3"#,
    );
    let list = numbers(1000);
    let here = case.end("run -k -j16 --journal here -- sh job {}", &list).exited(1);
    assert_eq!(here.text().lines().count(), 1000);
    let there = case.end("run -k --on slurm --slices 20 -j8 --journal there -- sh job {}", &list).exited(1);
    assert!(here.stdout == there.stdout, "{}", there.describe());
    assert_eq!(case.outcomes("here").difference(&case.outcomes("there")), None);

    let starts = case.starts();
    assert_eq!(starts.len(), 2000);
    let nodes: BTreeSet<&str> = starts.iter().map(|start| start.node.as_str()).collect();
    assert_eq!(nodes, BTreeSet::from(["here", "n1", "n2", "n3", "n4"]));
    assert_eq!(case.arrays(Which::All).len(), 1);
}

#[test]
#[ignore = "wants a Slurm cluster: cargo xtask cluster test"]
fn nothing_but_where_has_to_be_said_and_nothing_is_left() {
    let case = Case::new(Cluster::shared());
    let ended = case.end("run -k --on slurm -- echo {} ::: one two three", "").exited(0);
    assert_eq!(ended.text(), "one\ntwo\nthree\n");
    assert_eq!(ended.error_text(), "");
    let left: Vec<_> = fs::read_dir(case.file("")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(case.arrays(Which::Queued).is_empty());
}

#[test]
#[ignore = "wants a Slurm cluster: cargo xtask cluster test"]
fn outputs_are_delivered_in_each_way_as_on_this_machine() {
    let case = Case::new(Cluster::shared());
    // One output is too long for a record, and none is text.
    case.write("job", "head -c $1 /dev/urandom | tee kept-$PROCPOOL_RUN-$1; echo $1 >&2");
    let values = "3\n300000\n0\n";
    for place in ["--journal here", "--on slurm --slices 2 --journal there"] {
        let run = format!("run -k {place} --results R --joblog L -- sh job {{}}");
        let ended = case.end(&run, values).exited(0);
        let runs = case.records(place.rsplit(' ').next().unwrap(), "run");
        let kept = |size: &str| {
            let name = format!("kept-{}-{size}", runs[0]["run"].as_str().unwrap());
            fs::read(case.file(&name)).unwrap()
        };
        assert!(ended.stdout == ["3", "300000", "0"].map(kept).concat());
        assert_eq!(ended.error_text(), "3\n300000\n0\n");
        assert!(fs::read(case.file("R/300000/stdout")).unwrap() == kept("300000"));
        let log = case.read("L");
        assert_eq!(log.lines().count(), 4, "{log}");
        fs::remove_dir_all(case.file("R")).unwrap();
    }
}

#[test]
#[ignore = "wants a Slurm cluster: cargo xtask cluster test"]
fn what_failed_is_kept_and_named() {
    let case = Case::new(Cluster::shared());
    let ended = case.end("run --on slurm --journal J -- sh -c {} ::: true false", "").exited(1);
    let ended = ended.said("false: exit 1");
    assert_eq!(ended.text(), "");
    assert_eq!(case.outcomes("J").ended(), 2);
}

#[test]
#[ignore = "wants a Slurm cluster: cargo xtask cluster test"]
fn a_list_without_jobs_is_not_submitted() {
    let case = Case::new(Cluster::shared());
    case.end("run --on slurm -- echo {}", "").exited(0);
    assert!(case.arrays(Which::All).is_empty());
}
