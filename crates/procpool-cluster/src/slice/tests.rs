use proptest::prelude::*;

use super::*;

const CLUSTER: Capacity = Capacity { most_elements: 1001, processors: 32, nodes: 4 };

fn slices(jobs: u64, slices: Option<u32>, limit: Option<u32>) -> u64 {
    how_many(jobs, Wish { slices, limit, ..Wish::default() }, CLUSTER)
}

#[test]
fn a_long_list_gives_each_place_three_slices() {
    assert_eq!(slices(1_000_000, None, None), 12);
    assert_eq!(slices(1_000_000, None, Some(8)), 12);
    assert_eq!(slices(1_000_000, None, Some(1)), 96);
}

#[test]
fn no_slice_has_fewer_jobs_than_run_in_it_at_once() {
    assert_eq!(slices(64, None, Some(8)), 8);
    assert_eq!(slices(17, None, None), 3);
    assert_eq!(slices(1, None, None), 1);
}

#[test]
fn more_at_once_than_the_whole_cluster_has_processors_is_one_place() {
    assert_eq!(slices(1_000_000, None, Some(64)), 3);
}

#[test]
fn a_huge_cluster_gets_no_more_than_a_thousand_slices_nor_more_than_an_array_may_have() {
    let huge = Capacity { most_elements: 1001, processors: 1_000_000, nodes: 10_000 };
    assert_eq!(how_many(1_000_000, Wish::default(), huge), 1000);
    assert_eq!(how_many(1_000_000, Wish::default(), Capacity { most_elements: 5, ..huge }), 5);
}

#[test]
fn where_there_may_be_one_array_only_there_are_no_more_slices_than_it_takes() {
    let few = Capacity { most_elements: 5, ..CLUSTER };
    let wish = Wish { slices: Some(12), arrays: Arrays::One, ..Wish::default() };
    assert_eq!(how_many(24, wish, few), 5);
    assert_eq!(how_many(24, Wish { arrays: Arrays::AsManyAsItTakes, ..wish }, few), 12);
}

#[test]
fn a_wish_counts_whatever_speaks_against_it_but_no_slice_is_empty() {
    assert_eq!(slices(1_000_000, Some(5000), Some(8)), 5000);
    assert_eq!(slices(3, Some(5000), None), 3);
}

#[test]
fn a_cluster_that_has_nothing_now_still_gets_slices() {
    let nothing = Capacity { most_elements: 1001, processors: 0, nodes: 0 };
    assert_eq!(how_many(100, Wish::default(), nothing), 3);
}

proptest! {
    #[test]
    fn each_position_is_in_one_slice_in_order_and_sizes_differ_by_one_at_most(
        gaps in proptest::collection::vec((0_u64..4, 1_u64..20), 0..12),
        wanted in 0_u64..40,
    ) {
        let mut end = 1;
        let todo: Vec<Range<u64>> = gaps.into_iter().map(|(gap, length)| {
            let start = end + gap;
            end = start + length;
            start..end
        }).collect();
        let slices = partition(&todo, wanted, 2);
        if wanted > 0 {
            let cut: Vec<u64> = slices.iter().flat_map(Slice::positions).collect();
            prop_assert_eq!(cut, todo.iter().cloned().flatten().collect::<Vec<_>>());
        }
        prop_assert_eq!(slices.len() as u64, wanted.min(count(&todo)));
        let sizes = || slices.iter().map(Slice::jobs);
        prop_assert!(sizes().max().unwrap_or(0) - sizes().min().unwrap_or(0) <= 1);
        prop_assert!(slices.iter().all(|slice| slice.jobs() > 0 && slice.tries == 2));
    }

    #[test]
    fn positions_come_back_from_their_ranges(set in proptest::collection::btree_set(1_u64..200, 0..100)) {
        let cut = ranges(set.iter().copied());
        prop_assert!(cut.windows(2).all(|pair| pair[0].end < pair[1].start));
        prop_assert_eq!(cut.into_iter().flatten().collect::<Vec<_>>(), set.into_iter().collect::<Vec<_>>());
    }
}
