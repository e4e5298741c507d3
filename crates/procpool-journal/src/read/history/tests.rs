//! Which attempt of a job counts, of one writer and of several.
//! Does not know where attempts are read.

use super::*;
use crate::format::brief::CameOfIt;
use crate::format::identity::Identity;

fn brief(generation: u32, attempt: u32, came_of_it: CameOfIt, ended: u64) -> Brief {
    let hash = Hash::parse(&[b'1'; 32]).unwrap();
    Brief {
        generation,
        attempt,
        identity: Identity { job: hash, fingerprint: hash },
        came_of_it,
        status: 0,
        ended,
    }
}

/// How a job stands by the attempts of these files.
fn standing(files: &[&[Brief]]) -> Standing {
    let mut standing = Standing::listed();
    for (index, briefs) in files.iter().enumerate() {
        let mut author = Author::of(index);
        for brief in *briefs {
            author.note(brief, &mut standing);
        }
    }
    standing
}

#[test]
fn the_last_attempt_of_the_last_generation_counts() {
    use CameOfIt::{Failed, Stopped, Succeeded};
    let briefs =
        [brief(1, 1, Failed, 1), brief(1, 2, Failed, 2), brief(2, 1, Stopped, 3), brief(2, 2, Succeeded, 4)];
    let outcome = |briefs: &[Brief]| standing(&[briefs]).outcome;
    assert_eq!(outcome(&briefs), Some(Succeeded));
    assert_eq!(outcome(&briefs[..3]), Some(Stopped));
    assert_eq!(outcome(&briefs[..2]), Some(Failed));
    let failed = standing(&[&briefs[..2]]);
    assert!(!failed.lacks(1, 2) && failed.lacks(1, 3) && failed.lacks(2, 1));
}

#[test]
fn of_several_writers_the_first_that_succeeded_counts_whoever_is_read_first() {
    use CameOfIt::{Failed, Succeeded};
    let early = [brief(1, 1, Failed, 2), brief(1, 2, Succeeded, 5)];
    let late = [brief(1, 1, Succeeded, 9)];
    let failed = [brief(1, 1, Failed, 1), brief(1, 2, Failed, 3), brief(1, 3, Failed, 4)];
    let (early, late, failed) = (&early[..], &late[..], &failed[..]);
    for order in [[early, late, failed], [failed, late, early], [late, failed, early], [early, failed, late]]
    {
        let standing = standing(&order);
        assert_eq!((standing.outcome, standing.ended), (Some(Succeeded), 5));
        // Nor is it missed that another one has begun a further attempt.
        assert!(!standing.lacks(1, 4) && standing.lacks(2, 1));
    }
    let both = standing(&[failed, &early[..1]]);
    assert!(!both.lacks(1, 3) && both.lacks(1, 4));
}
