//! Lists that are too long for one array.
//! Does not know where the limits come from.

use crate::case::{Case, numbers, printed};
use crate::cluster::{Cluster, Which};

#[test]
#[ignore = "wants a Slurm cluster: cargo xtask cluster test"]
fn more_slices_than_an_array_may_have_are_submitted_in_rounds() {
    // Indices below 5.
    let case = Case::new(Cluster::own("--nodes 2 --max-array 5"));
    case.job("echo \"this is $1\"");
    let run = "run -k --on slurm --slices 12 -j8 --journal J -- sh job {}";
    let ended = case.end(run, &numbers(24)).exited(0);
    let expected = printed(24);
    assert_eq!(ended.text(), expected);
    assert_eq!(case.starts().len(), 24);
    case.outcomes("J").all_succeeded(24);
    assert!((3..=4).contains(&case.arrays(Which::All).len()), "{:?}", case.arrays(Which::All));
}
