//! Finds cycles in a graph of names: the strongly connected components, and the shortest cycle of each.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// From each name to the names that it points at.
pub(crate) type Graph<'name> = BTreeMap<&'name str, BTreeSet<&'name str>>;

/// A strongly connected component: each name leads to each other one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Component<'name> {
    /// The shortest cycle, with its first name again at the end.
    pub(crate) round: Vec<&'name str>,
    /// All names of the component, in this cycle or not.
    pub(crate) names: BTreeSet<&'name str>,
}

/// Finds all components with cycles.
pub(crate) fn components<'name>(graph: &Graph<'name>) -> Vec<Component<'name>> {
    let mut components: Vec<Component> = Vec::new();
    for &start in graph.keys() {
        if components.iter().any(|component| component.names.contains(start)) {
            continue;
        }
        // One search for each name is quadratic, which is fast enough for a few hundred modules.
        let reached = ways(graph, start);
        let comes_back = |name: &&str| *name == start || ways(graph, name).contains_key(start);
        let names: BTreeSet<_> = reached.keys().copied().filter(comes_back).collect();
        let rounds = names.iter().filter_map(|&name| ways(graph, name).remove(name));
        if let Some(round) = rounds.min_by_key(Vec::len) {
            components.push(Component { round, names });
        }
    }
    components
}

/// The shortest path to each name that can be reached from `start`.
fn ways<'name>(graph: &Graph<'name>, start: &'name str) -> BTreeMap<&'name str, Vec<&'name str>> {
    let mut ways: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut queue = VecDeque::from([vec![start]]);
    while let Some(way) = queue.pop_front() {
        for &next in way.last().and_then(|end| graph.get(end)).into_iter().flatten() {
            if !ways.contains_key(next) {
                let longer = [way.as_slice(), &[next]].concat();
                ways.insert(next, longer.clone());
                queue.push_back(longer);
            }
        }
    }
    ways
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds(arrows: &[(&'static str, &'static str)]) -> Vec<String> {
        let mut graph = Graph::new();
        for &(from, to) in arrows {
            graph.entry(from).or_default().insert(to);
        }
        components(&graph)
            .iter()
            .map(|component| format!("{} of {}", component.round.join(">"), component.names.len()))
            .collect()
    }

    #[test]
    fn arrows_that_point_one_way_make_no_knot() {
        assert!(rounds(&[("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")]).is_empty());
    }

    #[test]
    fn two_that_point_at_each_other_are_a_knot() {
        assert_eq!(rounds(&[("x", "a"), ("a", "b"), ("b", "a"), ("b", "y")]), ["a>b>a of 2"]);
    }

    #[test]
    fn the_shortest_way_round_stands_for_its_knot() {
        assert_eq!(rounds(&[("a", "b"), ("b", "c"), ("c", "a"), ("c", "b")]), ["b>c>b of 3"]);
    }

    #[test]
    fn each_knot_is_found_once() {
        let arrows = [("a", "b"), ("b", "a"), ("b", "c"), ("c", "d"), ("d", "c")];
        assert_eq!(rounds(&arrows), ["a>b>a of 2", "c>d>c of 2"]);
    }
}
