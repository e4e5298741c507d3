//! The process that has, or had, the lock of a journal's folder: the line of JSON with which the file
//! `running` begins.

use serde::{Deserialize, Serialize};

use crate::files::whereabouts::Whereabouts;

/// The process that has, or had, the lock of a journal's folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its PID.
    pub pid: u32,
    /// Where that PID is valid.
    #[serde(flatten)]
    pub whereabouts: Whereabouts,
    /// The name of its run.
    pub run: String,
    /// The generation of its run.
    pub generation: u32,
    /// The offset in `journal.jsonl` of its run's record.
    #[serde(default)]
    pub record_at: u64,
    /// When it took the lock, in ticks since boot.
    #[serde(default)]
    pub ticks: u64,
    /// Whether processes may outlive their job.
    #[serde(default)]
    pub leaks: Leaks,
    /// The cluster's name of its machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
}

/// Which processes may outlive their job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leaks {
    /// None.
    #[default]
    Nothing,
    /// Those that hold its output open, by `--on-leak keep`.
    Kept,
}
