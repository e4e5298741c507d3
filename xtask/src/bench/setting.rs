//! What all cases share: the folder, the peers, how many rounds, how much of everything.
//! It does not know the cases.

use anyhow::{Context, Result};

use crate::bench::folder::BenchFolder;
use crate::bench::peers::Peers;
use crate::bench::program::Program;
use crate::bench::proof::Proof;
use crate::bench::record::{Sample, Series};
use crate::bench::rounds;

/// How much work a case has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    /// What the goals are for.
    Full,
    /// Enough to see that all works and that nothing has become much slower.
    Quick,
}

impl Size {
    pub(crate) fn pick<T>(self, full: T, quick: T) -> T {
        match self {
            Size::Full => full,
            Size::Quick => quick,
        }
    }
}

pub(crate) struct Setting {
    pub(crate) folder: BenchFolder,
    pub(crate) peers: Peers,
    pub(crate) rounds: usize,
    pub(crate) size: Size,
}

impl Setting {
    /// One round to warm up, in which all have to print what `proof` says; then the rounds that count.
    pub(crate) fn play_proven(&self, programs: &[Program], proof: &Proof) -> Result<Vec<Series>> {
        self.prove(programs, proof)?;
        self.play(programs, |program| self.folder.run(program))
    }

    /// Has each print what its jobs are given.
    pub(crate) fn prove(&self, programs: &[Program], proof: &Proof) -> Result<()> {
        programs.iter().map(Program::echoing).try_for_each(|program| {
            let printed = self.folder.printed(&program)?;
            proof.judge(&printed, program.order).with_context(|| format!("`{program}` is wrong"))
        })
    }

    /// The rounds that count.
    pub(crate) fn play(
        &self,
        programs: &[Program],
        measure: impl FnMut(&Program) -> Result<Sample>,
    ) -> Result<Vec<Series>> {
        rounds::alternate(programs, self.rounds, measure)
    }
}
