//! The cluster that a case runs on: the one that is there, or one of its own that it may hurt.
//! Does not know how a cluster is started or hurt: `cargo xtask cluster` does.

use std::collections::BTreeSet;
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Who holds this has the shared cluster for itself.
static TURN: Mutex<()> = Mutex::new(());

/// A cluster, for as long as a case has it.
pub(crate) struct Cluster {
    pub(crate) configuration: PathBuf,
    hold: Hold,
}

enum Hold {
    Turn(#[expect(dead_code, reason = "given back when it is dropped")] MutexGuard<'static, ()>),
    Own(PathBuf),
}

impl Cluster {
    /// The one that is there, once nobody else has it. It is not to be hurt.
    pub(crate) fn shared() -> Cluster {
        // A case that failed has left it to the next all the same.
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        Cluster {
            configuration: variable("SLURM_CONF"),
            hold: Hold::Turn(turn),
        }
    }

    /// A new one, which is gone afterwards.
    pub(crate) fn own(words: &str) -> Cluster {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{number}", std::process::id());
        let root = variable("CLUSTER_ROOT").join("own").join(name);
        // Before it is started: what was started of it before something failed goes as well.
        let cluster = Cluster {
            configuration: root.join("slurm.conf"),
            hold: Hold::Own(root),
        };
        cluster.order(&format!("start --port 0 {words}"));
        cluster
    }

    /// `cargo xtask cluster` with these words, for the cluster that is a case's own.
    #[track_caller]
    pub(crate) fn order(&self, words: &str) {
        let Hold::Own(root) = &self.hold else { panic!("the cluster that others share is not to be hurt") };
        order(root, words);
    }

    /// What one of Slurm's commands says.
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

    /// Whether one of Slurm's commands does what it is told.
    pub(crate) fn asked(&self, words: &str) -> bool {
        let mut words = words.split_whitespace();
        let mut command = Command::new(words.next().unwrap());
        let command = command.args(words).env("SLURM_CONF", &self.configuration).stdin(Stdio::null());
        command.output().unwrap().status.success()
    }

    /// The numbers of the arrays that were submitted from this folder, of which something is in the queue, or also those
    /// that have ended lately.
    pub(crate) fn arrays(&self, which: Which, folder: &Path) -> BTreeSet<String> {
        let states = match which {
            Which::Queued => "",
            Which::All => "--states=all",
        };
        let said = self.ask(&format!("squeue --noheader {states} --format=%F/%Z"));
        let jobs = said.lines().filter_map(|line| line.split_once('/'));
        // A path begins with the separator.
        let ours = jobs.filter(|(_, path)| Path::new(&format!("/{path}")).starts_with(folder));
        ours.map(|(number, _)| number.to_owned()).collect()
    }
}

/// Which arrays are meant.
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
