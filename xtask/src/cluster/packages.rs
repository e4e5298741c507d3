//! The programs that a cluster consists of.

use anyhow::Result;

use crate::debian::{self, RequiredProgram};

/// One program of each package.
const PROGRAMS: [RequiredProgram; 4] = [
    RequiredProgram { program: "slurmctld", package: "slurmctld" },
    RequiredProgram { program: "slurmd", package: "slurmd" },
    RequiredProgram { program: "sbatch", package: "slurm-client" },
    RequiredProgram { program: "munged", package: "munge" },
];

/// Installs what is missing.
pub(crate) fn install_missing() -> Result<()> {
    debian::install_missing(&PROGRAMS)
}

/// The packages of the programs that can't be found.
pub(crate) fn missing() -> Vec<&'static str> {
    debian::missing(&PROGRAMS)
}
