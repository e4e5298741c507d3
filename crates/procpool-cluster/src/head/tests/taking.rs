//! Which element has taken which piece, and what follows from that.

use std::collections::BTreeMap;

use super::cluster::{Cluster, ended};
use super::trial::{Trial, all, settings};
use crate::engine::Cause;
use crate::head::Head;
use crate::outcomes::Holder;
use crate::piece::Piece;

#[test]
fn what_no_element_has_taken_comes_into_the_next_array_and_that_is_no_try() {
    let mut trial = Trial::new();
    trial.untake(20);
    let taken: u64 = trial.rounds[0].pieces[..20].iter().map(Piece::jobs).sum();
    trial.run();
    trial.end_well(0..4);
    trial.cluster.script().element(0, ended("TIMEOUT", Cause::Evicted));
    trial.pass(5);
    assert_eq!(trial.tries(1), BTreeMap::from([(0, all(1 + taken..41))]));
    assert_eq!(trial.said[1..], [format!("array 2: 4 slices for {} jobs", 40 - taken)]);
}

#[test]
fn an_array_that_takes_nothing_is_handed_in_three_times_and_then_its_jobs_are_left() {
    for most_tries in [3, 1] {
        let mut settings = settings();
        settings.most_tries = most_tries;
        let mut trial = Trial::of(Head::new(settings, all(1..41)), Cluster::default());
        for _ in 0..3 {
            trial.untake(0);
            trial.run();
            trial.cluster.script().all(&ended("exit 127", Cause::Other));
            trial.pass(5);
        }
        assert_eq!((trial.over, trial.rounds.len(), trial.lost.len()), (1, 3, 0));
        let why = "3 arrays have ended without having begun anything: slice 0 ended on n2: exit 127";
        assert_eq!(trial.left.len(), 1);
        assert_eq!(trial.left[0].1, why);
        assert_eq!(crate::count(&trial.left[0].0), 40);
    }
}

#[test]
fn a_piece_whose_holder_nobody_can_make_out_was_tried_once() {
    let mut trial = Trial::new();
    trial.facts.holders[0] = Holder::Somebody;
    trial.run();
    trial.end_well(0..4);
    trial.pass(5);
    let first = trial.rounds[0].pieces[0].clone();
    assert_eq!(trial.tries(1), BTreeMap::from([(1, first.ranges)]));
    assert!(
        trial.said[1].contains("a slice ended before it had written down which one it is"),
        "{:?}",
        trial.said
    );
}

#[test]
fn nothing_is_judged_while_nobody_can_read_who_had_what() {
    let mut trial = Trial::new();
    trial.facts.is_unreadable = true;
    trial.run();
    trial.end_well(0..4);
    trial.pass(30);
    assert_eq!(trial.over, 0);
    trial.facts.is_unreadable = false;
    trial.pass(1);
    assert_eq!((trial.over, trial.rounds.len()), (1, 1));
}

#[test]
fn what_may_run_once_only_is_lost_at_once() {
    let mut once = settings();
    once.most_tries = 1;
    let mut trial = Trial::of(Head::new(once, all(1..41)), Cluster::default());
    trial.run();
    trial.end_well(0..2);
    trial.end(2, ended("NODE_FAIL", Cause::Other), 1);
    trial.end(3, ended("TIMEOUT", Cause::Evicted), 2);
    trial.pass(5);
    let why = |slice, words| format!("slice {slice} ended on n2: {words}");
    assert_eq!(trial.lost, [(all(30..31), why(2, "NODE_FAIL")), (all(39..41), why(3, "TIMEOUT"))]);
    assert_eq!((trial.over, trial.rounds.len()), (1, 1));
}

#[test]
fn what_an_element_had_taken_and_not_begun_when_it_ended_is_not_lost_and_that_is_no_try() {
    for most_tries in [3, 1] {
        let mut settings = settings();
        settings.most_tries = most_tries;
        let mut trial = Trial::of(Head::new(settings, all(1..41)), Cluster::default());
        trial.run();
        trial.end_well(0..3);
        trial.end(3, ended("TIMEOUT", Cause::Evicted), 4);
        trial.facts.unbegun.extend([38, 39, 40]);
        trial.pass(5);
        let begun = all(37..38);
        let expected = match most_tries {
            1 => BTreeMap::from([(0, all(38..41))]),
            // It was ended in the middle of its work, which is acceptable for an element that makes progress.
            _ => BTreeMap::from([(0, all(37..41))]),
        };
        assert_eq!(trial.tries(1), expected);
        assert_eq!(
            trial.lost.iter().map(|(ranges, _)| ranges.clone()).collect::<Vec<_>>(),
            vec![begun; usize::from(most_tries == 1)]
        );
    }
}

#[test]
fn elements_that_take_pieces_and_begin_none_do_not_go_on_for_ever() {
    let mut trial = Trial::new();
    trial.facts.unbegun.extend(1..41);
    for _ in 0..3 {
        trial.run();
        trial.cluster.script().all(&ended("exit 3", Cause::Other));
        trial.pass(5);
    }
    assert_eq!((trial.over, trial.rounds.len(), trial.lost.len(), trial.left.len()), (1, 3, 0, 1));
}
