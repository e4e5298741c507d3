//! What the head of a run on a cluster is told and given.

use std::ffi::OsString;
use std::time::Duration;

use procpool_cluster::{EngineThread, Processors, Requeue, Settings};
use procpool_core::HaltRule;

use crate::cluster::bad_nodes::OnBadNode;
use crate::cluster::outcome_forwarder::ForwarderContext;
use crate::guard::KeeperGate;
use crate::guard::leave_running::LeaveRunning;
use crate::input::Fault;
use crate::journal::resume_state::ResumeState;

/// What a run on a cluster is told.
pub(crate) struct HeadConfig {
    /// The run, as jobs have it in `PROCPOOL_RUN`.
    pub(crate) run: String,
    pub(crate) settings: Settings,
    /// How many slices at a time.
    pub(crate) at_once: Option<u32>,
    pub(crate) processors: Processors,
    pub(crate) requeue: Requeue,
    pub(crate) time: Option<Duration>,
    pub(crate) bad_node: OnBadNode,
    /// What was typed that holds for jobs.
    pub(crate) options: Vec<OsString>,
    pub(crate) halt_rule: Option<HaltRule>,
    /// How many further attempts a job has that doesn't say so itself.
    pub(crate) retries: u32,
    pub(crate) stay: Stay,
    pub(crate) watched: Audience,
}

/// Who reads what is told of the run as it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    ByPeople,
    /// A success stays silent.
    ByNobody,
}

/// How long the head stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stay {
    ToTheEnd,
    /// Until the first round is handed in.
    Detached,
}

/// All that a head needs.
pub(crate) struct HeadContext {
    pub(crate) terms: HeadConfig,
    pub(crate) means: ForwarderContext,
    pub(crate) outset: ResumeState,
    pub(crate) engine_thread: EngineThread,
    /// A head whose keeper is dead is about to be killed, which is no halt of the run.
    pub(crate) keeper_gate: KeeperGate,
    pub(crate) leave: LeaveRunning,
    /// Where it is told that the cluster doesn't take what was typed.
    pub(crate) fault: Fault,
}
