//! The programs of which a cluster consists.
//! It does not know what they do.

use anyhow::Result;

use crate::debian::{self, RequiredProgram};

/// A program of each package that is wanted.
const PROGRAMS: [RequiredProgram; 4] = [
    RequiredProgram { program: "slurmctld", package: "slurmctld" },
    RequiredProgram { program: "slurmd", package: "slurmd" },
    RequiredProgram { program: "sbatch", package: "slurm-client" },
    RequiredProgram { program: "munged", package: "munge" },
];

/// Makes sure that all is there.
pub(crate) fn install_missing() -> Result<()> {
    debian::install_missing(&PROGRAMS)
}

/// The packages whose programs can't be found.
pub(crate) fn missing() -> Vec<&'static str> {
    debian::missing(&PROGRAMS)
}
