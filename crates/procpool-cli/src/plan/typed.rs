//! Converts what was typed into the types of the modules that act on it. These modules depend on `args`,
//! which therefore has types of its own.

use procpool_core::OnLeak;
use procpool_journal::resume::decision::Changed;

use crate::args::{BadNodeChoice, ChangedChoice, JobArgs, LeakPolicy, SummaryChoice, TermChoice};
use crate::cluster::bad_nodes::OnBadNode;
use crate::guard::Leftovers;
use crate::guard::leave_running::OnTerm;
use crate::run::summary::SummaryWish;

/// Whether there is a guardian, and what it does about processes that are left at the end.
pub(crate) fn guarding(jobs: &JobArgs) -> Option<Leftovers> {
    let leftovers = match jobs.on_leak {
        LeakPolicy::Kill => Leftovers::Kill,
        LeakPolicy::Wait => Leftovers::Wait,
        LeakPolicy::Keep => Leftovers::Keep,
    };
    (!jobs.no_guard).then_some(leftovers)
}

impl From<LeakPolicy> for OnLeak {
    fn from(policy: LeakPolicy) -> OnLeak {
        match policy {
            LeakPolicy::Kill => OnLeak::Kill,
            LeakPolicy::Wait => OnLeak::Wait,
            LeakPolicy::Keep => OnLeak::Keep,
        }
    }
}

impl From<ChangedChoice> for Changed {
    fn from(wish: ChangedChoice) -> Changed {
        match wish {
            ChangedChoice::Rerun => Changed::Rerun,
            ChangedChoice::Skip => Changed::Skip,
        }
    }
}

impl From<SummaryChoice> for SummaryWish {
    fn from(choice: SummaryChoice) -> SummaryWish {
        match choice {
            SummaryChoice::Auto => SummaryWish::Auto,
            SummaryChoice::Always => SummaryWish::Always,
            SummaryChoice::Never => SummaryWish::Never,
        }
    }
}

impl From<BadNodeChoice> for OnBadNode {
    fn from(choice: BadNodeChoice) -> OnBadNode {
        match choice {
            BadNodeChoice::LeaveOut => OnBadNode::LeaveOut,
            BadNodeChoice::Keep => OnBadNode::Keep,
        }
    }
}

impl From<TermChoice> for OnTerm {
    fn from(choice: TermChoice) -> OnTerm {
        match choice {
            TermChoice::Leave => OnTerm::Leave,
            TermChoice::Cancel => OnTerm::Cancel,
        }
    }
}
