//! An engine that accepts fewer elements from a user than there is room for.

use super::cluster::{Cluster, running};
use super::trial::{Trial, all, settings};
use crate::head::Head;

fn trial(most: u32) -> Trial {
    let cluster = Cluster::default();
    cluster.script().most_submitted = Some(most);
    Trial::of(Head::new(settings(), all(1..41)), cluster)
}

#[test]
fn half_as_many_elements_are_handed_in_until_they_are_taken_and_do_all_of_it() {
    let mut trial = trial(1);
    trial.pass(5);
    let words =
        ["4 slices now (AssocMaxSubmitJobLimit): 2 slices", "2 slices now (AssocMaxSubmitJobLimit): 1 slice"];
    let expected = words.map(|words| format!("Slurm takes no {words} instead"));
    assert_eq!(trial.said, [&expected[..], &["array 1: 1 slice for 40 jobs".to_owned()]].concat());
    trial.cluster.script().all(&running("n1"));
    trial.pass(1);
    trial.end_well(0..1);
    trial.pass(5);
    assert_eq!((trial.over, trial.refused.len(), trial.lost.len()), (1, 0, 0));
}

#[test]
fn where_not_even_one_is_taken_the_run_is_refused() {
    let mut trial = trial(0);
    trial.pass(5);
    assert_eq!((trial.refused, trial.over), (vec!["AssocMaxSubmitJobLimit".to_owned()], 1));
}
