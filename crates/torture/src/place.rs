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
    Space(Space),
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
pub(crate) struct Space {
    pub(crate) proc: Proc,
    pub(crate) first: First,
    pub(crate) parent: Parent,
}

/// Whose /proc is seen in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proc {
    Own,
    /// With numbers that mean other processes, or none, to who is in it.
    Foreign,
}

/// Who is its first process, with which all others of it die.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum First {
    Procpool,
    /// One that has bystanders around it, whose numbers are, in there, those that procpool's processes have out here.
    Company,
}

/// What the end of unshare(1) does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parent {
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
        Place::Space(Space {
            proc: if toss() { Proc::Own } else { Proc::Foreign },
            first: if toss() { First::Procpool } else { First::Company },
            parent: if toss() { Parent::Plain } else { Parent::KillsChild },
        })
    }

    pub(crate) fn is(self, first: First) -> bool {
        matches!(self, Place::Space(space) if space.first == first)
    }

    pub(crate) fn has_foreign_proc(self) -> bool {
        matches!(self, Place::Space(Space { proc: Proc::Foreign, .. }))
    }

    /// Starts procpool there; its words are to be added. Company keeps its notes in the folder.
    pub(crate) fn command(self, procpool: &Path, folder: &Path) -> Result<Command> {
        let Place::Space(space) = self else { return Ok(Command::new(procpool)) };
        let mut command = Command::new("unshare");
        let options = Need::Pids.unshare().into_iter();
        command.args(options.filter(|option| space.proc == Proc::Own || *option != "--mount-proc"));
        command.args((space.parent == Parent::KillsChild).then_some("--kill-child"));
        if space.first == First::Company {
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
        let Place::Space(Space { proc, first, parent }) = self else { return f.write_str("here") };
        f.write_str("in a PID namespace, ")?;
        f.write_str(match first {
            First::Procpool => "as its first process",
            First::Company => "in company",
        })?;
        f.write_str(match proc {
            Proc::Own => ", with its own /proc",
            Proc::Foreign => ", with a foreign /proc",
        })?;
        f.write_str(match parent {
            Parent::Plain => "",
            Parent::KillsChild => ", killed with unshare(1)",
        })
    }
}
