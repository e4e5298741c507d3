//! Nodes on which every job fails. The head leaves them out; slices learn of them from a file of their round,
//! which they read before they take more jobs. `procpool_cluster::Nodes` decides which nodes these are.

use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use procpool_cluster::BadNode;
use procpool_core::Outcome;

use crate::terminal::shown;
use procpool_journal::files::file::JournalFile;
use procpool_journal::format::attempt::Kind;

/// What to do about a bad node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnBadNode {
    LeaveOut,
    Keep,
}

/// The nodes that a head leaves out.
#[derive(Debug)]
pub(crate) struct LeftOut {
    on_bad_node: OnBadNode,
    names: BTreeSet<String>,
    /// Some slices have not been sent all of them.
    has_news: bool,
}

impl LeftOut {
    pub(crate) fn new(on_bad_node: OnBadNode) -> LeftOut {
        LeftOut { on_bad_node, names: BTreeSet::new(), has_news: false }
    }

    /// Takes over the nodes that an earlier head has left out, as listed in this file. An unreadable file
    /// counts as empty.
    pub(crate) fn take_up(&mut self, file: &JournalFile) {
        match self.on_bad_node {
            OnBadNode::LeaveOut => self.names.extend(read(file).unwrap_or_default()),
            // Clears the list, so that slices use these nodes again. An error is ignored: a folder that can't
            // be used is reported elsewhere.
            OnBadNode::Keep => drop(self.tell(file)),
        }
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Adds this node if bad nodes are left out. Returns the message for the user.
    pub(crate) fn add(&mut self, bad: BadNode) -> String {
        let BadNode { node, failed } = bad;
        let said = format!(
            "node {}: its first {failed} jobs have all failed, while others succeed",
            shown::name(&node)
        );
        match self.on_bad_node {
            OnBadNode::Keep => said,
            OnBadNode::LeaveOut => {
                self.has_news |= self.names.insert(node);
                said + ": left out from now on; --bad-node keep uses it"
            }
        }
    }

    /// Writes the list to these files if slices don't have all of it yet. If that fails, the next call tries
    /// again.
    pub(crate) fn tell_news(&mut self, mut files: impl Iterator<Item = JournalFile>) {
        if self.has_news {
            self.has_news = !files.all(|file| self.tell(&file).is_ok());
        }
    }

    /// Writes the list atomically. The file exists from the beginning of the round: file systems such as NFS
    /// cache that a name is missing, so a file that is created later is seen late.
    ///
    /// # Errors
    /// The file can't be written.
    pub(crate) fn tell(&self, file: &JournalFile) -> io::Result<()> {
        let new = file.with_suffix(".new");
        let mut lines: Vec<String> = self.names.iter().map(shown::name).collect();
        lines.push(String::new());
        let mut written = new.make_anew()?;
        written.write_all(lines.join("\n").as_bytes())?;
        written.sync_data()?;
        new.rename_to(file)
    }
}

fn read(file: &JournalFile) -> io::Result<Vec<String>> {
    let mut text = String::new();
    file.open()?.read_to_string(&mut text)?;
    Ok(text.lines().map(ToOwned::to_owned).collect())
}

/// Whether the file lists this node. An unreadable file lists none.
fn is_left_out(file: &JournalFile, node: &str) -> bool {
    let node = shown::name(node);
    read(file).is_ok_and(|names| names.contains(&node))
}

/// A slice's own node, and whether the slice may take more jobs there.
#[derive(Debug)]
pub(crate) struct OwnNode {
    file: JournalFile,
    node: String,
    leaves: Leaves,
    failed: AtomicU64,
    succeeded: AtomicBool,
    /// When the slice began to wait for the head's decision about its failures, and when it last read the
    /// file.
    waits: Mutex<Option<(Instant, Instant)>>,
}

/// When a slice ends because its node is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaves {
    Never,
    /// No other slice would ever run the rest of a piece.
    BetweenPieces,
    Anywhere,
}

/// After this many failures and no success a slice waits for the head's decision, once and no longer than
/// this. Without the pause it would fail hundreds more jobs before the head could react.
const SUSPECT: u64 = 5;
const WAIT: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(100);

impl OwnNode {
    /// For a slice on this node. `file` is the list of its round.
    pub(crate) fn new(file: JournalFile, node: String, leaves: Leaves) -> OwnNode {
        OwnNode {
            file,
            node,
            leaves,
            failed: AtomicU64::new(0),
            succeeded: AtomicBool::new(false),
            waits: Mutex::new(None),
        }
    }

    /// Counts the outcome of an attempt. One that was stopped together with the run says nothing about the
    /// node.
    pub(crate) fn note(&self, outcome: &Outcome) {
        match Kind::of(outcome) {
            Kind::Stopped | Kind::NeverReached => {}
            _ if outcome.is_success() => self.succeeded.store(true, Ordering::Relaxed),
            _ => drop(self.failed.fetch_add(1, Ordering::Relaxed)),
        }
    }

    /// Whether the slice may take another piece.
    pub(crate) fn may_take(&self) -> bool {
        self.leaves == Leaves::Never
            || !is_left_out(&self.file, &self.node) && (!self.is_suspect() || self.waits_in_vain())
    }

    /// Whether it may begin another job of the piece that it has.
    pub(crate) fn may_go_on(&self) -> bool {
        self.leaves != Leaves::Anywhere || !self.is_suspect() || self.waits_in_vain()
    }

    fn is_suspect(&self) -> bool {
        !self.succeeded.load(Ordering::Relaxed) && self.failed.load(Ordering::Relaxed) >= SUSPECT
    }

    /// Returns whether the node may still be used. While it is newly suspect, this waits and reads the file
    /// repeatedly; later it reads the file now and then.
    fn waits_in_vain(&self) -> bool {
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let now = Instant::now();
            let (since, looked) = *waits.get_or_insert((now, now));
            let is_waiting = now < since + WAIT;
            if is_waiting || now >= looked + LOOK {
                *waits = Some((since, now));
                if is_left_out(&self.file, &self.node) {
                    return false;
                }
            }
            if !is_waiting || !self.is_suspect() {
                return true;
            }
            thread::sleep(LOOK);
        }
    }
}

#[cfg(test)]
mod tests {
    use procpool_core::{End, Ran, Status};

    use super::*;
    use procpool_journal::files::folder::Folder;

    fn file() -> (tempfile::TempDir, JournalFile) {
        let temporary = tempfile::Builder::new().tempdir().unwrap();
        let file = Folder::make(temporary.path()).unwrap().0.nodes("1-1");
        (temporary, file)
    }

    fn bad(node: &str) -> BadNode {
        BadNode { node: node.into(), failed: 5 }
    }

    #[test]
    fn a_node_that_was_left_out_is_so_for_slices_and_for_the_next_head() {
        let (_temporary, file) = file();
        let mut left_out = LeftOut::new(OnBadNode::LeaveOut);
        left_out.tell(&file).unwrap();
        assert!(!is_left_out(&file, "n3"));
        let said = left_out.add(bad("n3"));
        assert_eq!(
            said,
            "node n3: its first 5 jobs have all failed, while others succeed: left out from now on; --bad-node keep uses it"
        );
        left_out.add(bad("a\nb"));
        left_out.tell_news(std::iter::once(file.clone()));
        let is = |node| is_left_out(&file, node);
        assert_eq!(
            [is("n3"), is("n"), is("n33"), is("a"), is("a\nb"), is("")],
            [true, false, false, false, true, false]
        );
        let mut next = LeftOut::new(OnBadNode::LeaveOut);
        next.take_up(&file);
        assert_eq!(next.names().count(), 2);
    }

    #[test]
    fn a_node_that_is_kept_is_named_and_used() {
        let mut left_out = LeftOut::new(OnBadNode::Keep);
        assert!(left_out.add(bad("n3")).ends_with("while others succeed"));
        assert_eq!(left_out.names().count(), 0);
    }

    fn ended(code: u8) -> Outcome {
        Ran::new(End::Itself(Status::Exited(code))).into()
    }

    #[test]
    fn a_slice_whose_first_jobs_all_fail_waits_once_and_one_that_is_left_out_takes_nothing() {
        let (_temporary, file) = file();
        let slice = OwnNode::new(file.clone(), "n3".into(), Leaves::Anywhere);
        slice.note(&Ran::new(End::Stopped(Status::Exited(1))).into());
        (0..4).for_each(|_| slice.note(&ended(1)));
        assert!(slice.may_take() && slice.may_go_on() && slice.waits.lock().unwrap().is_none());
        slice.note(&ended(1));
        let begun = Instant::now();
        assert!(slice.may_go_on() && begun.elapsed() >= WAIT);
        let waited = *slice.waits.lock().unwrap();
        assert!(slice.may_take() && slice.waits.lock().unwrap().unwrap().0 == waited.unwrap().0);
        let mut left_out = LeftOut::new(OnBadNode::LeaveOut);
        left_out.add(bad("n3"));
        left_out.tell(&file).unwrap();
        assert!(!slice.may_take());
        thread::sleep(LOOK);
        assert!(!slice.may_go_on());
        assert!(OwnNode::new(file.clone(), "n4".into(), Leaves::Anywhere).may_take());
        // Nobody else would run the rest of the piece that it has.
        let once = OwnNode::new(file, "n3".into(), Leaves::BetweenPieces);
        (0..9).for_each(|_| once.note(&ended(1)));
        assert!(once.may_go_on() && !once.may_take());
    }

    #[test]
    fn one_success_is_enough_for_a_node() {
        let (_temporary, file) = file();
        let slice = OwnNode::new(file, "n3".into(), Leaves::Anywhere);
        for code in [1, 1, 0, 1, 1, 1, 1] {
            slice.note(&ended(code));
        }
        assert!(slice.may_go_on() && slice.waits.lock().unwrap().is_none());
    }
}
