//! Where a round's procpool runs: here, or in a PID namespace, as a container is, with a /proc of its own or with ours.
//! It does not know what is done to it there.

use std::env;
use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use rand::RngExt;
use rand::rngs::StdRng;
use sleeper::needs::Need;

/// Where it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Place {
    #[default]
    Here,
    Namespace(Namespace),
}

/// Where rounds may be played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Realm {
    Anywhere,
    /// What would be played in a PID namespace is played here.
    Here,
}

/// A PID namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Namespace {
    pub(crate) proc: ProcView,
    pub(crate) first: NamespaceInit,
    pub(crate) parent: UnshareEnd,
}

/// Whose /proc is seen in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProcView {
    Own,
    /// With numbers that mean other processes, or none, to who is in it.
    Foreign,
}

/// Who is its first process, with which all others of it die.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NamespaceInit {
    Procpool,
    /// One that has bystanders around it, whose numbers are, in there, those that procpool's processes have out here.
    Harness,
}

/// What the end of unshare(1) does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnshareEnd {
    Plain,
    /// It takes the first process with it.
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

    /// Starts procpool there; its words are to be added. Company keeps its notes in the folder.
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
