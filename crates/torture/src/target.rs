//! Which of procpool's processes a signal goes to: one by its ID, two, all three, or the process group.

use std::fmt;

use rand::RngExt;
use rand::rngs::StdRng;

/// One of the three processes that procpool is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Member {
    /// The process that was started.
    Front,
    /// Its child, in a session of its own.
    Keeper,
    /// The keeper's child, which runs the jobs.
    Pool,
}

/// The processes that a signal goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Target {
    Front,
    Keeper,
    Pool,
    /// First the front, then the keeper.
    FrontAndKeeper,
    FrontAndPool,
    KeeperAndPool,
    /// All three, one after the other.
    All,
    /// The process group that the shell knows, by one call of killpg(2).
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

    /// What a user or a terminal signals.
    pub(crate) const ASKED: [Target; 4] = [Target::Front, Target::Keeper, Target::Pool, Target::Group];

    /// One of the list, at random.
    pub(crate) fn random(of: &[Target], random: &mut StdRng) -> Target {
        of[random.random_range(0..of.len())]
    }

    /// The processes that get the signal, if they exist.
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
