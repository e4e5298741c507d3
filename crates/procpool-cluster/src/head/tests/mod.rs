//! What follows from each way in which an array can end.

mod chance;
mod cluster;
mod fewer;
mod following;
mod taking;
mod trial;

use std::collections::BTreeMap;

use self::cluster::{Cluster, Submission, ended, running, waiting};
use self::trial::{Trial, all, settings};
use super::Head;
use crate::engine::{ArrayId, CancelScope, Cause, State};
use crate::outcomes::Holder;
use crate::piece::Piece;
use crate::plan::{Earlier, Manner, Round, Settings};

#[test]
fn a_run_in_which_all_goes_well_is_one_array_and_two_lines() {
    let mut trial = Trial::new();
    trial.run();
    assert_eq!(trial.head.status().running.len(), 4);
    trial.end_well(0..4);
    trial.pass(5);
    assert_eq!(trial.over, 1);
    assert_eq!(trial.said, ["array 1: 4 slices for 40 jobs"]);
    assert_eq!(trial.rounds.len(), 1);
    let round = &trial.rounds[0];
    assert_eq!((round.name.as_str(), round.elements, round.manner), ("run-1", 4, Manner::Full));
    assert_eq!(trial.tries(0), BTreeMap::from([(0, all(1..41))]));
}

#[test]
fn a_list_without_jobs_needs_no_engine() {
    let trial = Trial::of(Head::new(settings(), Vec::new()), Cluster::default());
    assert_eq!((trial.over, trial.said.len()), (1, 0));
}

#[test]
fn what_a_lost_element_has_left_is_run_again_and_nothing_else() {
    let mut trial = Trial::new();
    trial.run();
    trial.end_well(0..3);
    trial.end(3, ended("NODE_FAIL", Cause::Other), 6);
    trial.pass(5);
    assert_eq!(trial.tries(1), BTreeMap::from([(1, all(35..41))]));
    assert_eq!(trial.rounds[1].name, "run-2");
    assert_eq!(trial.said[1], "6 jobs without an outcome, tried again: slice 3 ended on n2: NODE_FAIL");
    assert_eq!(trial.said[2], "array 2: 4 slices for 6 jobs");
    trial.run();
    trial.end_well(0..4);
    trial.pass(5);
    assert_eq!((trial.over, trial.lost.len()), (1, 0));
}

#[test]
fn a_job_without_an_outcome_in_three_arrays_is_lost_with_node_and_reason_and_alone_in_the_last() {
    let mut trial = Trial::new();
    trial.run();
    trial.end_well(0..3);
    trial.end(3, ended("NODE_FAIL", Cause::Other), 10);
    trial.pass(5);
    trial.run();
    trial.end_well(0..3);
    trial.end(3, ended("NODE_FAIL", Cause::Other), 2);
    trial.pass(5);
    assert_eq!(trial.tries(2), BTreeMap::from([(2, all(39..41))]));
    let round = &trial.rounds[2];
    assert_eq!((round.manner, round.pieces.len(), round.elements), (Manner::OneByOne, 2, 2));
    trial.run();
    trial.end_well(0..1);
    trial.end(1, ended("exit 127", Cause::Other), 1);
    trial.pass(5);
    let why = "slice 1 ended on n2: exit 127, the last of 3 tries".to_owned();
    assert_eq!(trial.lost, [(all(40..41), why)]);
    assert_eq!((trial.over, trial.rounds.len()), (1, 3));
}

#[test]
fn an_engine_that_is_away_is_told_of_once_and_loses_nothing() {
    let mut trial = Trial::new();
    trial.run();
    trial.end_well(0..4);
    trial.cluster.script().away = 3;
    trial.pass(5);
    assert_eq!((trial.over, trial.said.len()), (0, 2));
    assert!(trial.head.status().unreachable);
    trial.pass(10);
    let away = "Slurm doesn't answer (Unable to contact slurm controller): waiting for it";
    assert_eq!(trial.said[1..], [away, "Slurm answers again"]);
    assert_eq!((trial.over, trial.rounds.len()), (1, 1));
}

#[test]
fn an_engine_that_is_away_from_the_start_is_waited_for() {
    let cluster = Cluster::default();
    cluster.script().away = 4;
    let mut trial = Trial::of(Head::new(settings(), all(1..41)), cluster);
    trial.pass(10);
    assert_eq!(trial.said.len(), 3);
    assert_eq!(trial.cluster.script().arrays.len(), 1);
}

#[test]
fn an_array_whose_id_got_lost_is_found_by_its_name() {
    let cluster = Cluster::default();
    cluster.script().next_submission = Submission::Unanswered;
    let mut trial = Trial::of(Head::new(settings(), all(1..41)), cluster);
    trial.cluster.script().away = 1;
    trial.pass(8);
    trial.run();
    trial.end_well(0..4);
    trial.pass(5);
    assert_eq!(trial.said[1..], ["array 1: 4 slices for 40 jobs", "Slurm answers again"]);
    assert_eq!((trial.cluster.script().arrays.len(), trial.rounds.len(), trial.over), (1, 1, 1));
}

#[test]
fn an_array_that_nobody_has_got_is_handed_in_again_under_the_same_name() {
    let cluster = Cluster::default();
    cluster.script().next_submission = Submission::Swallowed;
    let mut trial = Trial::of(Head::new(settings(), all(1..41)), cluster);
    trial.pass(5);
    // It may still be on its way.
    assert_eq!((trial.cluster.script().arrays.len(), trial.rounds.len()), (0, 1));
    trial.pass(10);
    assert_eq!(trial.cluster.script().arrays.len(), 1);
    assert_eq!(trial.rounds.len(), 2);
    assert_eq!(trial.rounds[0], trial.rounds[1]);
}

#[test]
fn an_array_that_is_refused_ends_the_run_in_the_engines_words() {
    let cluster = Cluster::default();
    let words = "Batch job submission failed: Invalid partition name specified".to_owned();
    cluster.script().next_submission = Submission::Refused(words.clone());
    let trial = Trial::of(Head::new(settings(), all(1..41)), cluster);
    assert_eq!((trial.refused, trial.over), (vec![words], 1));
}

#[test]
fn a_remedy_is_told_once_and_again_where_it_has_become_another() {
    let mut trial = Trial::new();
    let held = |remedy| waiting("JobHeldUser", Some(remedy));
    trial.cluster.script().all(&running("n1"));
    trial.cluster.script().element(1, held("scontrol release 1_1"));
    trial.pass(20);
    trial.cluster.script().element(1, held("scontrol release 1_[1-2]"));
    trial.cluster.script().element(2, held("scontrol release 1_[1-2]"));
    trial.pass(20);
    let first = "array 1: 1 slice waits: JobHeldUser; an administrator would type: scontrol release 1_1";
    let second = "array 1: 2 slices wait: JobHeldUser; an administrator would type: scontrol release 1_[1-2]";
    assert_eq!(trial.said[1..], [first, second]);
}

#[test]
fn a_hold_that_comes_back_is_told_again() {
    let mut trial = Trial::new();
    let held = waiting("JobHeldAdmin", Some("scontrol release 1"));
    for state in [&held, &running("n1"), &held] {
        trial.cluster.script().all(state);
        trial.pass(30);
    }
    assert_eq!(trial.said.len(), 3);
}

#[test]
fn want_of_room_is_worth_a_line_only_while_nothing_runs_for_long() {
    let mut trial = Trial::new();
    trial.cluster.script().element(0, running("n1"));
    trial.pass(30);
    assert_eq!(trial.said.len(), 1);
    let mut trial = Trial::new();
    trial.pass(30);
    assert_eq!(trial.said[1..], ["array 1: 4 slices wait: Priority"]);
    assert_eq!(trial.head.status().reason, Some("Priority"));
}

#[test]
fn an_array_has_no_more_elements_than_it_may_and_all_of_the_jobs() {
    let cluster = Cluster::default();
    cluster.script().most_elements = Some(3);
    let trial = Trial::of(Head::new(settings(), all(1..41)), cluster);
    assert_eq!((trial.rounds[0].elements, trial.rounds[0].jobs()), (3, 40));
}

#[test]
fn a_round_has_elements_for_all_nodes_that_were_ever_there() {
    let mut trial = Trial::of(Head::new(Settings::new("run", "Slurm"), all(1..1001)), Cluster::default());
    trial.run();
    trial.cluster.script().nodes = Some(0);
    (0..4).for_each(|index| trial.end(index, ended("NODE_FAIL", Cause::Other), 50));
    trial.pass(5);
    assert_eq!(trial.rounds.iter().map(|round| round.elements).collect::<Vec<_>>(), [4, 4]);
}

#[test]
fn a_slice_whose_time_is_over_each_time_gets_through_as_long_as_it_gets_on() {
    let mut trial = Trial::new();
    trial.run();
    trial.end_well(0..3);
    trial.end(3, ended("TIMEOUT", Cause::Evicted), 9);
    for _ in 0..3 {
        trial.pass(5);
        trial.run();
        let elements = trial.head.round().unwrap().elements;
        trial.end_well(1..elements);
        trial.end(0, ended("TIMEOUT", Cause::Evicted), 1);
    }
    trial.pass(5);
    assert_eq!(trial.lost.len(), 0);
    assert!(trial.rounds.iter().flat_map(|round| &round.pieces).all(|piece| piece.tries <= 2));
}

#[test]
fn an_element_that_somebody_else_cancelled_is_left() {
    let mut trial = Trial::new();
    trial.run();
    trial.end_well(0..2);
    trial.end(2, ended("CANCELLED", Cause::Cancelled), 4);
    trial.end(3, ended("NODE_FAIL", Cause::Other), 1);
    trial.pass(5);
    let left = |ranges: &[std::ops::Range<u64>]| crate::ranges(ranges.iter().cloned().flatten());
    assert_eq!(trial.left.len(), 1);
    assert_eq!(
        (left(&trial.left[0].0), trial.left[0].1.as_str()),
        (all(27..31), "its slice was cancelled in Slurm")
    );
    assert_eq!(trial.tries(1), BTreeMap::from([(1, all(40..41))]));
}

#[test]
fn an_array_that_somebody_else_cancelled_does_not_come_back_as_another() {
    let cluster = Cluster::default();
    cluster.script().most_elements = Some(2);
    let mut trial = Trial::of(Head::new(settings(), all(1..41)), cluster);
    // Those that had not begun are no longer listed separately.
    trial.cluster.script().arrays[0].elements.clear();
    let State::Ended(fate) = ended("CANCELLED", Cause::Cancelled) else { unreachable!() };
    trial.cluster.script().arrays[0].others = Some(fate);
    trial.pass(5);
    assert_eq!(trial.left.iter().map(|(ranges, _)| crate::count(ranges)).sum::<u64>(), 40);
    assert_eq!((trial.over, trial.rounds.len()), (1, 1));
}

#[test]
fn a_run_that_is_cancelled_cancels_what_waits_at_once_and_the_rest_when_its_time_is_over() {
    let mut trial = Trial::new();
    trial.cluster.script().element(0, running("n1"));
    trial.pass(2);
    trial.head.cancel(trial.now);
    trial.next_question();
    let cancelled = |trial: &Trial| trial.cluster.script().cancelled.clone();
    assert_eq!(cancelled(&trial), [("1".to_owned(), CancelScope::Waiting)]);
    trial.pass(9);
    assert_eq!((cancelled(&trial).len(), trial.over), (1, 0));
    trial.pass(5);
    assert_eq!(cancelled(&trial)[1..], [("1".to_owned(), CancelScope::All)]);
    assert_eq!((trial.over, trial.left.len(), trial.lost.len()), (1, 0, 0));
}

#[test]
fn a_cancel_that_nobody_hears_is_tried_again() {
    let mut trial = Trial::new();
    trial.run();
    trial.cluster.script().away = 4;
    trial.head.cancel(trial.now);
    trial.pass(30);
    assert_eq!(trial.cluster.script().cancelled.last().unwrap().1, CancelScope::All);
    assert_eq!(trial.over, 1);
}

#[test]
fn a_run_that_is_cancelled_before_anything_was_handed_in_is_over() {
    let cluster = Cluster::default();
    cluster.script().away = 1;
    let mut trial = Trial::of(Head::new(settings(), all(1..41)), cluster);
    trial.head.cancel(trial.now);
    trial.next_question();
    assert_eq!((trial.over, trial.rounds.len()), (1, 0));
}

#[test]
fn a_run_whose_jobs_are_all_finished_cancels_what_still_waits_and_waits_for_nobody() {
    let mut trial = Trial::new();
    trial.cluster.script().element(0, running("n1"));
    trial.pass(2);
    trial.head.finish();
    trial.next_question();
    assert_eq!(trial.cluster.script().cancelled, [("1".to_owned(), CancelScope::Waiting)]);
    assert_eq!(trial.over, 1);
}

#[test]
fn a_finished_run_does_not_wait_for_an_engine_that_is_away() {
    let mut trial = Trial::new();
    trial.cluster.script().away = u32::MAX;
    trial.pass(5);
    trial.head.finish();
    trial.next_question();
    assert_eq!(trial.over, 1);
}

fn earlier(id: Option<&str>) -> Earlier {
    let pieces = vec![Piece { ranges: all(1..11), tries: 0 }, Piece { ranges: all(11..21), tries: 0 }];
    let round = Round {
        number: 3,
        name: "run-3".into(),
        elements: 2,
        manner: Manner::Full,
        pieces,
    };
    Earlier { round, id: id.map(ArrayId::new) }
}

fn still_out() -> Cluster {
    let cluster = Cluster::default();
    let elements = (0..2).map(|index| (index, running("n1"))).collect();
    cluster.script().arrays.push(cluster::Made { name: "run-3".into(), elements, others: None });
    cluster
}

#[test]
fn a_head_in_place_of_a_dead_one_goes_on_with_its_array_and_then_with_the_rest() {
    for id in [Some("1"), None] {
        let mut trial = Trial::of(Head::resume(settings(), earlier(id), all(21..41)), still_out());
        trial.facts.holders = (0..2).map(Holder::Element).collect();
        assert_eq!(trial.said, ["array 1 is still there: going on with it"]);
        trial.pass(5);
        assert_eq!(trial.rounds.len(), 0);
        trial.end_well(0..2);
        trial.pass(5);
        assert_eq!(trial.rounds[0].name, "run-4");
        assert_eq!(trial.rounds[0].jobs(), 20);
    }
}

#[test]
fn an_array_that_the_engine_has_forgotten_is_judged_by_its_outcomes() {
    for id in [Some("7"), None] {
        let mut trial = Trial::of(Head::resume(settings(), earlier(id), Vec::new()), Cluster::default());
        trial.facts.holders = (0..2).map(Holder::Element).collect();
        trial.facts.finished.extend(1..19);
        trial.pass(15);
        assert_eq!(trial.tries(0), BTreeMap::from([(1, all(19..21))]));
        let why =
            "2 jobs without an outcome, tried again: slice 1 ended unseen: Slurm doesn't know it any more";
        assert_eq!(trial.said[0], why);
    }
}

#[test]
fn nobody_is_asked_for_outcomes_before_they_have_had_time_to_be_seen() {
    let mut trial = Trial::new();
    trial.run();
    trial.cluster.script().all(&ended("exit 0", Cause::Other));
    trial.pass(2);
    // What the last slice has written becomes visible only now.
    trial.facts.finished.extend(1..41);
    trial.pass(3);
    assert_eq!((trial.over, trial.rounds.len()), (1, 1));
}

#[test]
fn an_element_that_is_started_again_is_not_gone() {
    let mut trial = Trial::new();
    trial.run();
    trial.end_well(0..3);
    trial.end(3, ended("NODE_FAIL", Cause::Other), 10);
    trial.pass(1);
    trial.cluster.script().element(3, waiting("BeginTime", None));
    trial.pass(10);
    assert_eq!((trial.over, trial.rounds.len()), (0, 1));
    trial.end_well(3..4);
    trial.pass(30);
    assert_eq!((trial.over, trial.rounds.len()), (1, 1));
}

#[test]
fn an_engine_without_news_is_asked_less_and_less_and_soon_again_where_there_may_be_some() {
    let mut trial = Trial::new();
    trial.run();
    let polls = |trial: &Trial| trial.cluster.script().polls;
    trial.pass(60);
    let before = polls(&trial);
    trial.pass(200);
    assert_eq!(polls(&trial) - before, 10);
    trial.head.look(trial.now);
    trial.pass(3);
    assert_eq!(polls(&trial) - before, 11);
    trial.cluster.script().element(0, waiting("BeginTime", None));
    trial.pass(30);
    assert!(polls(&trial) - before >= 15);
}
