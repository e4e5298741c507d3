use proptest::prelude::*;

use super::*;

const CLUSTER: Capacity = Capacity { most_elements: 1001, processors: 32, nodes: 4 };

fn elements(jobs: u64, elements: Option<u32>, limit: Option<u32>) -> u32 {
    how_many(jobs, Sizing { elements, limit, ..Sizing::default() }, CLUSTER)
}

#[test]
fn a_long_list_gives_each_place_an_element() {
    assert_eq!(elements(1_000_000, None, None), 4);
    assert_eq!(elements(1_000_000, None, Some(8)), 4);
    assert_eq!(elements(1_000_000, None, Some(1)), 32);
}

#[test]
fn there_is_no_element_for_which_there_are_fewer_jobs_than_run_in_it_at_once() {
    assert_eq!(elements(24, None, Some(8)), 3);
    assert_eq!(elements(17, None, None), 3);
    assert_eq!(elements(1, None, None), 1);
}

#[test]
fn more_at_once_than_the_whole_cluster_has_processors_is_one_place() {
    assert_eq!(elements(1_000_000, None, Some(64)), 1);
}

#[test]
fn a_huge_cluster_gets_no_more_elements_than_an_array_may_have() {
    let huge = Capacity { most_elements: 1001, processors: 1_000_000, nodes: 10_000 };
    assert_eq!(how_many(1_000_000, Sizing::default(), huge), 1001);
    assert_eq!(how_many(1_000_000, Sizing { at_once: Some(30), ..Sizing::default() }, huge), 30);
}

#[test]
fn a_wish_counts_but_for_what_an_array_may_have_and_the_number_of_jobs() {
    assert_eq!(elements(1_000_000, Some(500), Some(8)), 500);
    assert_eq!(elements(1_000_000, Some(5000), Some(8)), 1001);
    assert_eq!(elements(3, Some(5000), None), 3);
}

#[test]
fn a_cluster_that_has_nothing_now_still_gets_an_element() {
    let nothing = Capacity { most_elements: 1001, processors: 0, nodes: 0 };
    assert_eq!(how_many(100, Sizing::default(), nothing), 1);
}

#[test]
fn a_million_jobs_are_some_hundred_pieces_and_never_too_many_files() {
    let pieces = |jobs: u64, elements, limit| {
        cut(std::slice::from_ref(&(1..jobs + 1)), ArrayShape { elements, limit }, 0).len()
    };
    assert_eq!(pieces(1_000_000, 4, 8), 1344);
    assert_eq!(pieces(1_000_000, 32, 1), 1344);
    assert!(pieces(1_000_000, 100, 8) <= 1500);
    assert!(pieces(1_000_000, 1001, 8) <= 6006);
    // Even so, each element gets some.
    assert!(pieces(1_000_000, 1001, 8) >= 2002);
    assert_eq!(pieces(400, 4, 8), 324);
}

fn todo() -> impl Strategy<Value = Vec<Range<u64>>> {
    proptest::collection::vec((0_u64..4, 1_u64..2000), 0..12).prop_map(|gaps| {
        let mut end = 1;
        let range = |(gap, length)| {
            let start = end + gap;
            end = start + length;
            start..end
        };
        gaps.into_iter().map(range).collect()
    })
}

proptest! {
    #[test]
    fn each_position_is_in_one_piece_in_order_and_pieces_never_grow(todo in todo(), elements in 0_u32..40) {
        let pieces = cut(&todo, ArrayShape { elements, limit: 4 }, 2);
        let positions: Vec<u64> = pieces.iter().flat_map(Piece::positions).collect();
        prop_assert_eq!(positions, todo.iter().cloned().flatten().collect::<Vec<_>>());
        prop_assert!(pieces.iter().all(|piece| piece.jobs() > 0 && piece.tries == 2));
        prop_assert!(pieces.windows(2).all(|pair| pair[0].jobs() >= pair[1].jobs()));
        prop_assert!(pieces.len() as u64 <= MOST_PIECES);
    }

    #[test]
    fn no_piece_has_more_than_its_share_of_what_is_left(jobs in 1_u64..100_000, elements in 1_u32..100) {
        let mut rest = jobs;
        for piece in cut(std::slice::from_ref(&(1..jobs + 1)), ArrayShape { elements, limit: 3 }, 0) {
            prop_assert!(piece.jobs() <= (rest / u64::from(elements)).max(1).max(2 * jobs / MOST_PIECES), "{} of {rest}", piece.jobs());
            rest -= piece.jobs();
        }
        prop_assert_eq!(rest, 0);
    }

    #[test]
    fn one_by_one_each_position_is_a_piece(todo in todo()) {
        let pieces = one_by_one(&todo, 1);
        prop_assert_eq!(pieces.len() as u64, count(&todo));
        prop_assert!(pieces.iter().all(|piece| piece.jobs() == 1));
    }

    #[test]
    fn positions_come_back_from_their_ranges(set in proptest::collection::btree_set(1_u64..200, 0..100)) {
        let cut = ranges(set.iter().copied());
        prop_assert!(cut.windows(2).all(|pair| pair[0].end < pair[1].start));
        prop_assert_eq!(cut.into_iter().flatten().collect::<Vec<_>>(), set.into_iter().collect::<Vec<_>>());
    }
}
