//! How large a cluster is and on which ports it listens: the options of this start, on top of those of
//! earlier ones.

use std::fs;

use anyhow::{Context, Result};
use clap::Args;
use serde::{Deserialize, Serialize};

use crate::cluster::home::Home;

const FILE: &str = "size.json";

/// What the options ask for.
#[derive(Args, Default)]
pub(crate) struct RequestedSize {
    /// How many nodes [default: 4]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=99))]
    pub(crate) nodes: Option<u16>,
    /// How many processors each node claims to have [default: 8]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) cpus: Option<u16>,
    /// The controller's port; each node has one of those after it; 0 for any that are free [default: 17000]
    #[arg(long, value_name = "PORT")]
    pub(crate) port: Option<u16>,
    /// Slurm's `MaxArraySize`: the largest index of an array, plus one [default: 100001]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_array: Option<u32>,
}

/// The size and the ports of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ClusterSize {
    pub(crate) nodes: u16,
    pub(crate) cpus: u16,
    pub(crate) port: u16,
    pub(crate) max_array: u32,
}

impl ClusterSize {
    /// The cluster as it was, or the default one, changed by the options.
    pub(crate) fn of(home: &Home, wanted: &RequestedSize) -> Result<ClusterSize> {
        let before = ClusterSize::read(home)?.unwrap_or(ClusterSize {
            nodes: 4,
            cpus: 8,
            port: 17000,
            max_array: 100_001,
        });
        Ok(ClusterSize {
            nodes: wanted.nodes.unwrap_or(before.nodes),
            cpus: wanted.cpus.unwrap_or(before.cpus),
            port: wanted.port.unwrap_or(before.port),
            max_array: wanted.max_array.unwrap_or(before.max_array),
        })
    }

    /// None for a folder without a cluster.
    pub(crate) fn read(home: &Home) -> Result<Option<ClusterSize>> {
        let file = home.file(FILE);
        let text = match fs::read(&file) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            text => text.with_context(|| format!("can't read {}", file.display()))?,
        };
        let size = serde_json::from_slice(&text);
        Ok(Some(size.with_context(|| format!("{} is no cluster's", file.display()))?))
    }

    pub(crate) fn write(&self, home: &Home) -> Result<()> {
        fs::write(home.file(FILE), serde_json::to_vec(self)?).context("can't keep the cluster's size")
    }

    /// The names of the nodes.
    pub(crate) fn names(&self) -> impl Iterator<Item = String> + use<> {
        (1..=self.nodes).map(|number| format!("n{number}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_stays_as_it_was_but_for_what_is_wanted() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::make(folder.path()).unwrap();
        let first = RequestedSize {
            nodes: Some(2),
            max_array: Some(5),
            ..RequestedSize::default()
        };
        let size = ClusterSize::of(&home, &first).unwrap();
        assert_eq!(size, ClusterSize { nodes: 2, cpus: 8, port: 17000, max_array: 5 });
        size.write(&home).unwrap();
        let second = RequestedSize { port: Some(19000), ..RequestedSize::default() };
        assert_eq!(ClusterSize::of(&home, &second).unwrap(), ClusterSize { port: 19000, ..size });
    }

    #[test]
    fn nodes_are_numbered_from_one() {
        let size = ClusterSize { nodes: 3, cpus: 1, port: 1, max_array: 1 };
        assert_eq!(size.names().collect::<Vec<_>>(), ["n1", "n2", "n3"]);
    }
}
