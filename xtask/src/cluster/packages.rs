//! The programs of which a cluster consists.
//! It does not know what they do.

use anyhow::Result;

use crate::debian::{self, Wanted};

/// A program of each package that is wanted.
const PROGRAMS: [Wanted; 4] = [
    Wanted { program: "slurmctld", package: "slurmctld" },
    Wanted { program: "slurmd", package: "slurmd" },
    Wanted { program: "sbatch", package: "slurm-client" },
    Wanted { program: "munged", package: "munge" },
];

/// Makes sure that all is there.
pub(crate) fn install_missing() -> Result<()> {
    debian::install_missing(&PROGRAMS)
}

/// The packages whose programs can't be found.
pub(crate) fn missing() -> Vec<&'static str> {
    debian::missing(&PROGRAMS)
}
