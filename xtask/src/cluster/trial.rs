//! Runs the command's tests that need a cluster: on one that stays, or as a step of CI on one that is
//! removed afterwards.

use std::env;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result, bail};
use rustix::process::geteuid;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::cluster::home::Home;
use crate::cluster::size::RequestedSize;
use crate::cluster::{packages, start, stop};
use crate::shell;
use crate::verdict::Verdict;

/// Most tests mostly wait for Slurm. Those that share the cluster take turns anyway.
const AT_ONCE: &str = "--test-threads=4";

/// Runs the tests on this cluster, all or those whose names contain the filter.
pub(crate) fn run(root: &Path, home: &Home, filter: Option<&str>) -> Result<()> {
    let mut test = shell::cargo(root, "test --package procpool-cli --test cluster --locked -- --ignored");
    test.arg(AT_ONCE).args(filter);
    test.env("SLURM_CONF", home.configuration());
    // Some tests break a cluster of their own, whose folder lies in this one's.
    test.env("CLUSTER_ROOT", home.folder());
    test.env("CLUSTER_XTASK", env::current_exe().context("this program has no path")?);
    shell::show(&mut test)
}

/// Runs the tests on a cluster of their own.
pub(crate) fn check(root: &Path) -> Result<Verdict> {
    let missing = packages::missing();
    if let Err(error) = prepare() {
        return refuse(error, &missing, env::var("PROCPOOL_CLUSTER").ok().as_deref());
    }
    let folder = tempfile::tempdir().context("no folder for the cluster")?;
    let home = Home::make(folder.path())?;
    let cluster = TemporaryCluster::new(home.clone())?;
    start::start(&home, &RequestedSize { port: Some(0), ..RequestedSize::default() })?;
    let result = run(root, &home, None);
    cluster.end()?;
    result.map(|()| Verdict::Checked)
}

fn prepare() -> Result<()> {
    if !geteuid().is_root() {
        bail!("a cluster on one machine wants root");
    }
    packages::install_missing()
}

/// Fails, unless this machine is known to lack what a cluster needs.
fn refuse(error: anyhow::Error, missing: &[&str], permission: Option<&str>) -> Result<Verdict> {
    if permission == Some("skip") {
        println!("cluster: NOT CHECKED: {error:#} (PROCPOOL_CLUSTER=skip)");
        return Ok(Verdict::NotChecked);
    }
    let install = match missing {
        [] => String::new(),
        missing => format!("on Debian, as root, `apt-get install {}` installs it; ", missing.join(" ")),
    };
    Err(error.context(format!("{install}PROCPOOL_CLUSTER=skip leaves this step out")))
}

/// A cluster that is removed when this process ends, also by a signal.
struct TemporaryCluster(Arc<Mutex<Option<Home>>>);

impl TemporaryCluster {
    fn new(home: Home) -> Result<TemporaryCluster> {
        let shared = Arc::new(Mutex::new(Some(home)));
        let held = Arc::clone(&shared);
        let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM]).context("can't wait for signals")?;
        thread::spawn(move || {
            for signal in signals.forever() {
                // The lock is kept, so that the other thread can't exit before the cluster is removed.
                let mut cluster = held.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(Err(error)) = cluster.take().map(|home| stop::purge(&home)) {
                    eprintln!("the cluster stays: {error:#}");
                }
                let _ = emulate_default_handler(signal);
            }
        });
        Ok(TemporaryCluster(shared))
    }

    fn end(self) -> Result<()> {
        self.take().map_or(Ok(()), |home| stop::purge(&home))
    }

    fn take(&self) -> Option<Home> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for TemporaryCluster {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.take().map(|home| stop::purge(&home)) {
            eprintln!("the cluster stays: {error:#}");
        }
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn a_machine_without_slurm_fails_and_says_how_to_get_it() {
        let error = refuse(anyhow!("no Slurm here"), &["slurmd", "munge"], None).unwrap_err();
        let text = format!("{error:#}");
        assert!(text.contains("no Slurm here") && text.contains("apt-get install slurmd munge"), "{text}");
        assert!(text.contains("PROCPOOL_CLUSTER=skip"), "{text}");
        assert!(refuse(anyhow!("no Slurm here"), &[], Some("yes")).is_err());
    }

    #[test]
    fn a_machine_without_slurm_passes_only_as_not_checked() {
        let verdict = refuse(anyhow!("no Slurm here"), &["slurmd"], Some("skip")).unwrap();
        assert_eq!(verdict, Verdict::NotChecked);
    }
}
