//! What a head begins with: a complete list, or what an earlier head has left of one.

use std::ops::Range;

use procpool_cluster::{ArrayId, Earlier, Head, Manner, Piece, Round, ranges};

use crate::cluster::head_config::HeadConfig;
use crate::cluster::order::{self, Sharing};
use crate::cluster::outcome_forwarder::OutcomeForwarder;
use crate::journal::resume_state::ResumeState;
use procpool_journal::files::folder::Folder;
use procpool_journal::format::positions::Positions;

/// A head; and the tag of the round that it goes on with, and how that round's pieces are shared.
pub(super) struct Takeover {
    pub(super) head: Head,
    pub(super) earlier: Option<(String, Sharing)>,
}

/// Creates the head for the jobs that are left. If an earlier head has left a round that may still run, this
/// one goes on with it.
pub(super) fn take_up(
    config: &HeadConfig,
    resume_state: &ResumeState,
    forwarder: &OutcomeForwarder,
    folder: &Folder,
) -> anyhow::Result<Takeover> {
    let all = |forwarder: &OutcomeForwarder, jobs: u64| {
        ranges((1..=jobs).filter(|position| !forwarder.is_finished(*position)))
    };
    let jobs = forwarder.jobs();
    let Some(last) = &resume_state.round else {
        let head = Head::new(config.settings.clone(), all(forwarder, jobs));
        return Ok(Takeover { head, earlier: None });
    };
    let mut again = Positions::default();
    for (position, attempt) in &resume_state.failed {
        if !forwarder.may_be_retried(*position, *attempt, config.retries)? {
            again.add(*position);
        }
    }
    let awaited = |position: &u64| !forwarder.is_finished(*position) && !again.has(*position);
    let mut pieces = Vec::new();
    let mut covered = Positions::default();
    let tag = last.round.tag();
    let kept = |range: Range<u64>| range.filter(awaited);
    let order = order::read(folder, &tag, |parts| {
        let ranges = ranges(parts.ranges().flat_map(kept));
        ranges.iter().cloned().flatten().for_each(|position| covered.add(position));
        pieces.push(Piece { ranges, tries: parts.tries });
    })?;
    let rest = (1..=jobs).filter(|position| !forwarder.is_finished(*position) && !covered.has(*position));
    let round = Round {
        number: last.round.number,
        name: last.round.name.clone(),
        elements: last.round.slices,
        manner: match order.manner {
            order::Manner::Full => Manner::Full,
            order::Manner::OneByOne => Manner::OneByOne,
        },
        pieces,
    };
    let earlier = Earlier { round, id: last.id.as_ref().map(ArrayId::new) };
    let head = Head::resume(config.settings.clone(), earlier, ranges(rest));
    Ok(Takeover { head, earlier: Some((tag, order.sharing())) })
}
