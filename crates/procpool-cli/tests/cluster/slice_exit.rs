//! The exit status of an array, as jobs that depend on it see it.

use crate::case::{Case, numbers};
use crate::cluster::Cluster;
use crate::wait_for;

/// Runs this detached, with another Slurm job that depends on its array. Returns what became of that one.
fn what_depends_on(options: &str, job: &str) -> &'static str {
    let case = Case::new(Cluster::shared());
    case.job(&format!("until [ -e go ]; do sleep 0.1; done; {job}"));
    let run = format!("run --on slurm --detach --slices 2 -j2 --journal J {options} -- sh job {{}}");
    case.end(&run, &numbers(4)).exited(0);
    let array = case.records("J", "array")[0]["id"].as_str().unwrap().to_owned();
    let after = format!(
        "sbatch --parsable --dependency=afterok:{array} --kill-on-invalid-dep=yes --chdir={} --output=after \
         --wrap=true",
        case.file("").display()
    );
    let after = case.cluster.ask(&after).trim().to_owned();
    case.write("go", "");
    wait_for("the end of what depends on it", || {
        case.cluster.ask(&format!("squeue --noheader --jobs={after} --states=all --format=%T")).contains('C')
            && case.cluster.ask("squeue --noheader --format=%i").lines().all(|id| id != after)
    });
    let has_run = case.file("after").exists();
    // The head goes by the slices' records, whatever the exit statuses of the elements.
    let status = i32::from(job.contains("exit"));
    case.end("resume J --unrun", "").exited(status).said_nothing_of("tried again").said_nothing_of("lost");
    if has_run { "has run" } else { "never ran" }
}

#[test]
#[ignore = "wants a Slurm cluster: cargo xtask cluster test"]
fn what_depends_on_an_array_runs_unless_its_jobs_fail_and_somebody_has_asked() {
    let fails = "[ $1 != 3 ] || exit 7";
    assert_eq!(what_depends_on("", fails), "has run");
    assert_eq!(what_depends_on("--slice-exit", ":"), "has run");
    assert_eq!(what_depends_on("--slice-exit", fails), "never ran");
}
