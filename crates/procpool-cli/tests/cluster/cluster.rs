//! The cluster that a case runs on: the shared one, which it must not harm, or one of its own. The cluster
//! itself is started and harmed by `cargo xtask cluster`.

use std::collections::BTreeSet;
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Its holder has the shared cluster for itself.
static TURN: Mutex<()> = Mutex::new(());

/// A cluster, for as long as a case holds it.
pub(crate) struct Cluster {
    pub(crate) configuration: PathBuf,
    hold: Hold,
}

enum Hold {
    Turn(#[expect(dead_code, reason = "given back when it is dropped")] MutexGuard<'static, ()>),
    Own(PathBuf),
}

impl Cluster {
    /// The shared cluster, once no other case holds it. A case must not harm it.
    pub(crate) fn shared() -> Cluster {
        // A failed case poisons the lock, which does not matter.
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        Cluster {
            configuration: variable("SLURM_CONF"),
            hold: Hold::Turn(turn),
        }
    }

    /// A new cluster, which is deleted afterwards.
    pub(crate) fn own(words: &str) -> Cluster {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{number}", std::process::id());
        let root = variable("CLUSTER_ROOT").join("own").join(name);
        // Made before the cluster is started, so that a failed start is cleaned up as well.
        let cluster = Cluster {
            configuration: root.join("slurm.conf"),
            hold: Hold::Own(root),
        };
        cluster.order(&format!("start --port 0 {words}"));
        cluster
    }

    /// `cargo xtask cluster` with these words, for a case's own cluster.
    #[track_caller]
    pub(crate) fn order(&self, words: &str) {
        let Hold::Own(root) = &self.hold else { panic!("the cluster that others share is not to be hurt") };
        order(root, words);
    }

    /// The output of one of Slurm's commands.
    #[track_caller]
    pub(crate) fn ask(&self, words: &str) -> String {
        let mut words = words.split_whitespace();
        let mut command = Command::new(words.next().unwrap());
        let output =
            command.args(words).env("SLURM_CONF", &self.configuration).stdin(Stdio::null()).output().unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?}: {complaint}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Whether one of Slurm's commands succeeds.
    pub(crate) fn asked(&self, words: &str) -> bool {
        let mut words = words.split_whitespace();
        let mut command = Command::new(words.next().unwrap());
        let command = command.args(words).env("SLURM_CONF", &self.configuration).stdin(Stdio::null());
        command.output().unwrap().status.success()
    }

    /// The numbers of the arrays that were submitted from this folder: those with an element in the queue, or
    /// also those that ended recently.
    pub(crate) fn arrays(&self, which: Which, folder: &Path) -> BTreeSet<String> {
        let states = match which {
            Which::Queued => "",
            Which::All => "--states=all",
        };
        let said = self.ask(&format!("squeue --noheader {states} --format=%F/%Z"));
        let jobs = said.lines().filter_map(|line| line.split_once('/'));
        // `split_once` has removed the path's leading separator.
        let ours = jobs.filter(|(_, path)| Path::new(&format!("/{path}")).starts_with(folder));
        ours.map(|(number, _)| number.to_owned()).collect()
    }
}

#[derive(Clone, Copy)]
pub(crate) enum Which {
    Queued,
    All,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Hold::Own(root) = &self.hold {
            order(root, "stop --purge");
        }
    }
}

#[track_caller]
fn order(root: &Path, words: &str) {
    let mut xtask = Command::new(variable("CLUSTER_XTASK"));
    let output = xtask.args(["cluster", "--root"]).arg(root).args(words.split_whitespace()).output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{xtask:?}: {complaint}");
}

#[track_caller]
fn variable(name: &str) -> PathBuf {
    let value = env::var_os(name);
    PathBuf::from(value.unwrap_or_else(|| panic!("no {name}: `cargo xtask cluster test` sets it")))
}
