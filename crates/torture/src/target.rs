//! Whom of procpool's processes a signal is for: one by its number, two, all of them, or the process group.
//! It does not know which signal it is, nor how they are found.

use std::fmt;

use rand::RngExt;
use rand::rngs::StdRng;

/// One of the three processes that procpool is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Member {
    /// The one that was started.
    Front,
    /// Its child, in a session of its own.
    Keeper,
    /// The keeper's child, which runs the jobs.
    Pool,
}

/// Whom a signal is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Target {
    Front,
    Keeper,
    Pool,
    /// One right after the other.
    FrontAndKeeper,
    FrontAndPool,
    KeeperAndPool,
    /// All three, likewise.
    All,
    /// The process group that the shell knows: one call of killpg(2).
    Group,
}

impl Target {
    pub(crate) const EVERY: [Target; 8] = [
        Target::Front,
        Target::Keeper,
        Target::Pool,
        Target::FrontAndKeeper,
        Target::FrontAndPool,
        Target::KeeperAndPool,
        Target::All,
        Target::Group,
    ];

    /// One of what a signal by hand or a terminal's is for.
    pub(crate) const ASKED: [Target; 4] = [Target::Front, Target::Keeper, Target::Pool, Target::Group];

    /// One of the list, each as likely as any other.
    pub(crate) fn random(of: &[Target], random: &mut StdRng) -> Target {
        of[random.random_range(0..of.len())]
    }

    /// Who gets the signal, as far as there is such a process.
    pub(crate) fn members(self) -> &'static [Member] {
        match self {
            Target::Front => &[Member::Front],
            Target::Keeper => &[Member::Keeper],
            Target::Pool => &[Member::Pool],
            Target::FrontAndKeeper => &[Member::Front, Member::Keeper],
            Target::FrontAndPool | Target::Group => &[Member::Front, Member::Pool],
            Target::KeeperAndPool => &[Member::Keeper, Member::Pool],
            Target::All => &[Member::Front, Member::Keeper, Member::Pool],
        }
    }

    pub(crate) fn has(self, member: Member) -> bool {
        self.members().contains(&member)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Target::Front => "the front",
            Target::Keeper => "the keeper",
            Target::Pool => "the pool",
            Target::FrontAndKeeper => "front and keeper",
            Target::FrontAndPool => "front and pool",
            Target::KeeperAndPool => "keeper and pool",
            Target::All => "all three",
            Target::Group => "the group",
        })
    }
}
