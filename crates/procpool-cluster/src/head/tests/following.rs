//! An array whose elements have begun is the one that counts, even if the answer to its submission was lost.

use super::cluster::{Cluster, Submission};
use super::trial::{Trial, all, settings};
use crate::engine::ArrayId;
use crate::head::Head;

#[test]
fn an_array_that_has_begun_is_followed_whatever_is_known_of_its_submission() {
    let cluster = Cluster::default();
    cluster.script().next_submission = Submission::Swallowed;
    let mut trial = Trial::of(Head::new(settings(), all(1..41)), cluster);
    trial.pass(2);
    trial.head.follow(trial.now, ArrayId::new("77"));
    let array = |trial: &Trial| trial.head.status().array.map(|id| id.as_str().to_owned());
    assert_eq!(array(&trial), Some("77".to_owned()));
    trial.head.follow(trial.now, ArrayId::new("77"));
    // Of the two arrays, the one that the elements name.
    trial.head.follow(trial.now, ArrayId::new("76"));
    assert_eq!((array(&trial), trial.rounds.len()), (Some("76".to_owned()), 1));
}
