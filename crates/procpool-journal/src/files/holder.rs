//! Who holds a journal's folder, or did: the line of JSON that `running` begins with.
//! Knows nothing of that file, or of its lock.

use serde::{Deserialize, Serialize};

use crate::files::whereabouts::Whereabouts;

/// See the head of this file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub pid: u32,
    /// Elsewhere these numbers mean nothing.
    #[serde(flatten)]
    pub whereabouts: Whereabouts,
    pub run: String,
    pub generation: u32,
    /// Where in the journal its record begins.
    #[serde(default)]
    pub record_at: u64,
    /// When it was there, in ticks since the machine was started.
    #[serde(default)]
    pub ticks: u64,
    /// What of its jobs may live on when they have ended.
    #[serde(default)]
    pub leaks: Leaks,
    /// What a cluster calls its machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
}

/// What may live on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leaks {
    #[default]
    Nothing,
    /// What a job has left behind.
    Kept,
}
