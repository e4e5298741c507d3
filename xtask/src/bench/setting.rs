//! What all cases share: the folder, the installed programs, the number of rounds, the amount of work.

use anyhow::{Context, Result};

use crate::bench::folder::BenchFolder;
use crate::bench::peers::Peers;
use crate::bench::program::Program;
use crate::bench::proof::Proof;
use crate::bench::record::{Sample, Series};
use crate::bench::rounds;

/// The amount of work of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    /// The amount that the goals are for.
    Full,
    /// Enough to see that everything works and that nothing is much slower.
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
    /// Runs one round to warm up, in which all programs must print what `proof` says, then the rounds that
    /// count.
    pub(crate) fn play_proven(&self, programs: &[Program], proof: &Proof) -> Result<Vec<Series>> {
        self.prove(programs, proof)?;
        self.play(programs, |program| self.folder.run(program))
    }

    /// Runs each program once and checks what it prints.
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
