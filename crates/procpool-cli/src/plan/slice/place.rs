//! One start of a slice. A cluster may start a slice several times: each process has files of its own, and
//! reads what those before it have done.

use std::collections::HashMap;
use std::process;
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::{Context, bail};
use procpool_core::Outcome;

use crate::cluster::bad_nodes::{Leaves, OnBadNode, OwnNode};
use crate::cluster::claims::{Claims, Taker};
use crate::cluster::order::{Order, Parts, Sharing};
use crate::cluster::slice_jobs::SlicePieces;
use crate::journal::session::leave_nothing;
use crate::plan::engines;
use procpool_journal::files::folder::Folder;
use procpool_journal::files::leftovers;
use procpool_journal::files::live;
use procpool_journal::files::run_lock::{self, RunLock};
use procpool_journal::files::whereabouts::Whereabouts;
use procpool_journal::format::attempt::{Kind, time};
use procpool_journal::format::entry::Entry;
use procpool_journal::format::record::SliceBegin;
use procpool_journal::read::scan::{Found, Scanner};
use procpool_journal::write::list_file::ListFile;

/// This process among all that were started for the slice. Each of them writes files of its own.
pub(super) struct SliceInstance {
    folder: Folder,
    pub(super) name: String,
    pub(super) begin: SliceBegin,
    pub(super) running: RunLock,
}

impl SliceInstance {
    pub(super) fn take(folder: &Folder, order: &Order, slice: u32) -> anyhow::Result<SliceInstance> {
        let name = |instance: u32| format!("{}-{slice:04}-{instance}", order.tag());
        for instance in 1.. {
            let path = folder.running_of(&name(instance));
            let made = RunLock::make(&path).with_context(|| format!("can't write {path:?}"))?;
            let Some(running) = made else { continue };
            let begin = SliceBegin {
                generation: order.generation,
                round: order.round,
                slice,
                instance,
                pid: process::id(),
                host: Whereabouts::own().host,
                node: Some(node()),
                started: time(SystemTime::now()),
            };
            return Ok(SliceInstance { folder: folder.clone(), name: name(instance), begin, running });
        }
        bail!("slice {slice} was begun too often")
    }

    /// The state of its node, as far as it affects the slice.
    pub(super) fn own_node(&self, order: &Order, on_bad_node: OnBadNode) -> Arc<OwnNode> {
        let leaves = match (on_bad_node, order.goes_on) {
            (OnBadNode::Keep, _) => Leaves::Never,
            // No other slice could run its jobs.
            _ if order.slices <= 1 => Leaves::Never,
            (OnBadNode::LeaveOut, true) => Leaves::Anywhere,
            (OnBadNode::LeaveOut, false) => Leaves::BetweenPieces,
        };
        let node = self.begin.node.clone().unwrap_or_default();
        Arc::new(OwnNode::new(self.folder.nodes(&order.tag()), node, leaves))
    }

    /// The pieces of the list that it works on.
    pub(super) fn share(
        &self,
        order: &Order,
        pieces: Vec<Parts>,
        listing: Arc<ListFile>,
        node: Arc<OwnNode>,
    ) -> anyhow::Result<SlicePieces> {
        let SliceBegin { slice, instance, .. } = self.begin;
        if order.sharing() == Sharing::Fixed {
            let own = usize::try_from(slice).into_iter().collect();
            return Ok(SlicePieces { listing, all: pieces, own, node, claims: None, seed: None });
        }
        let taker = Taker { slice, instance, host: self.begin.host.clone() };
        let claims = Claims::new(self.folder.clone(), order.tag(), taker, pieces.len());
        let own = if instance > 1 {
            claims.own().context("can't read what the slice had when it was begun before")?
        } else {
            Vec::new()
        };
        Ok(SlicePieces {
            listing,
            all: pieces,
            own: own.into(),
            node,
            claims: Some(claims),
            seed: None,
        })
    }

    /// The last attempt and its outcome for each job that earlier processes of the slice have recorded. Also
    /// ends what those processes have left running.
    pub(super) fn read_before(&mut self, order: &Order) -> anyhow::Result<HashMap<u64, (u32, Outcome)>> {
        let mut ended = HashMap::new();
        if self.begin.instance > 1 && !order.goes_on {
            bail!("it was begun before, and nothing is to be started twice");
        }
        for instance in 1..self.begin.instance {
            let name = format!("{}-{:04}-{instance}", order.tag(), self.begin.slice);
            let before = self.folder.running_of(&name).open().ok().and_then(|file| run_lock::read(&file));
            // If it was killed just now, its records are complete only once it is gone.
            let _ = before.as_ref().map(|(holder, _)| leftovers::is_gone_soon(holder));
            let path = self.folder.files_of(&name).journal;
            // A killed process hasn't removed these.
            live::forget(&self.folder, &format!("{name}."));
            // A process that ended before its first record has no file.
            let mut scanner = path.open().ok().map(Scanner::new);
            while let Some(Found::Line { body, .. }) = scanner
                .as_mut()
                .map(Scanner::next_line)
                .transpose()
                .with_context(|| format!("can't read {path:?}"))?
            {
                if let Some(entry) = Entry::parse(body).filter(|entry| entry.outcome != Kind::Stopped) {
                    ended.insert(entry.seq, (entry.attempt, entry.outcome()));
                }
            }
            if let Some((holder, mut table)) = before {
                let has_ended = |entry: &run_lock::StartedProcess| {
                    ended.get(&entry.seq).is_some_and(|(last, _)| *last >= entry.attempt)
                };
                table.retain(|entry| !has_ended(entry));
                leave_nothing(&holder, &table)?;
            }
        }
        Ok(ended)
    }
}

/// The cluster's name for this machine, or the machine's own name if the cluster states none.
fn node() -> String {
    let told = engines::allocation().and_then(|(_, own)| own.node);
    told.unwrap_or_else(|| Whereabouts::own().host)
}
