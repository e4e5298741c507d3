//! What a head takes up: a list from its beginning, or what an earlier head has left of one.
//! Knows nothing of how it goes on.

use std::ops::Range;

use procpool_cluster::{ArrayId, Earlier, Head, Round, Slice, ranges};

use crate::cluster::courier::Courier;
use crate::cluster::order;
use crate::cluster::outset::Outset;
use crate::cluster::post::Terms;
use crate::journal::folder::Folder;
use crate::journal::positions::Positions;

/// The head for what is to be done, and what the files of the round are called that it goes on with.
pub(super) fn take_up(
    terms: &Terms,
    outset: &Outset,
    courier: &Courier,
    folder: &Folder,
) -> anyhow::Result<(Head, Vec<String>)> {
    let all =
        |courier: &Courier, jobs: u64| ranges((1..=jobs).filter(|position| !courier.is_finished(*position)));
    let jobs = courier.jobs();
    let Some(last) = &outset.round else {
        return Ok((Head::new(terms.settings.clone(), all(courier, jobs)), Vec::new()));
    };
    let mut again = Positions::default();
    for (position, attempt) in &outset.failed {
        if !courier.may_be_retried(*position, *attempt, terms.retries)? {
            again.add(*position);
        }
    }
    let awaited = |position: &u64| !courier.is_finished(*position) && !again.has(*position);
    let mut slices = Vec::new();
    let mut covered = Positions::default();
    let tag = last.round.tag();
    let kept = |range: Range<u64>| range.filter(awaited);
    order::read(folder, &tag, |parts| {
        let ranges = ranges(parts.ranges().flat_map(kept));
        ranges.iter().cloned().flatten().for_each(|position| covered.add(position));
        slices.push(Slice { ranges, tries: parts.tries });
        true
    })?;
    let rest = (1..=jobs).filter(|position| !courier.is_finished(*position) && !covered.has(*position));
    let round = Round {
        number: last.round.number,
        name: last.round.name.clone(),
        slices,
    };
    let earlier = Earlier { round, id: last.id.as_ref().map(ArrayId::new) };
    Ok((Head::resume(terms.settings.clone(), earlier, ranges(rest)), vec![tag]))
}
