//! Where the procpool of a round runs: here, or in a PID namespace as in a container, with its own /proc or
//! with the outer one.

use std::env;
use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use rand::RngExt;
use rand::rngs::StdRng;
use sleeper::needs::Need;

/// Where procpool runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Place {
    #[default]
    Here,
    Namespace(Namespace),
}

/// Where rounds may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Realm {
    Anywhere,
    /// No round runs in a PID namespace.
    Here,
}

/// A PID namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Namespace {
    pub(crate) proc: ProcView,
    pub(crate) first: NamespaceInit,
    pub(crate) parent: UnshareEnd,
}

/// Which /proc is mounted in the namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProcView {
    Own,
    /// That of the outer namespace: its process IDs are wrong for whoever reads them inside.
    Foreign,
}

/// The namespace's first process, with which all others die.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NamespaceInit {
    Procpool,
    /// `namespace_init`, with bystanders whose IDs in the namespace are those that procpool's processes
    /// have outside.
    Harness,
}

/// What happens when unshare(1) ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnshareEnd {
    Plain,
    /// The namespace's first process is killed.
    KillsChild,
}

impl Place {
    pub(crate) fn random(random: &mut StdRng) -> Place {
        if random.random_bool(0.65) {
            return Place::Here;
        }
        let mut toss = || random.random_bool(0.5);
        Place::Namespace(Namespace {
            proc: if toss() { ProcView::Own } else { ProcView::Foreign },
            first: if toss() { NamespaceInit::Procpool } else { NamespaceInit::Harness },
            parent: if toss() { UnshareEnd::Plain } else { UnshareEnd::KillsChild },
        })
    }

    pub(crate) fn is(self, first: NamespaceInit) -> bool {
        matches!(self, Place::Namespace(namespace) if namespace.first == first)
    }

    pub(crate) fn has_foreign_proc(self) -> bool {
        matches!(self, Place::Namespace(Namespace { proc: ProcView::Foreign, .. }))
    }

    /// The command that starts procpool there; its arguments are still to be added. A first process of ours
    /// reports in `folder`.
    pub(crate) fn command(self, procpool: &Path, folder: &Path) -> Result<Command> {
        let Place::Namespace(namespace) = self else { return Ok(Command::new(procpool)) };
        let mut command = Command::new("unshare");
        let options = Need::Pids.unshare().into_iter();
        command.args(options.filter(|option| namespace.proc == ProcView::Own || *option != "--mount-proc"));
        command.args((namespace.parent == UnshareEnd::KillsChild).then_some("--kill-child"));
        if namespace.first == NamespaceInit::Harness {
            let last = fs::read_to_string("/proc/sys/kernel/ns_last_pid").unwrap_or_default();
            let last = if last.is_empty() { "1000" } else { last.trim() };
            command.arg(env::current_exe().context("can't find this program")?);
            command.args(["torture", "--last-number", last, "--company"]).arg(folder).arg("--");
        }
        command.arg(procpool);
        Ok(command)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place::Namespace(Namespace { proc, first, parent }) = self else { return f.write_str("here") };
        f.write_str("in a PID namespace, ")?;
        f.write_str(match first {
            NamespaceInit::Procpool => "as its first process",
            NamespaceInit::Harness => "in company",
        })?;
        f.write_str(match proc {
            ProcView::Own => ", with its own /proc",
            ProcView::Foreign => ", with a foreign /proc",
        })?;
        f.write_str(match parent {
            UnshareEnd::Plain => "",
            UnshareEnd::KillsChild => ", killed with unshare(1)",
        })
    }
}
