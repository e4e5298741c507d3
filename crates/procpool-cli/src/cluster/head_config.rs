//! The configuration and the context of the head of a run on a cluster.

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

/// How a run on a cluster is to be carried out.
pub(crate) struct HeadConfig {
    /// The name of the run, which jobs get as `PROCPOOL_RUN`.
    pub(crate) run: String,
    pub(crate) settings: Settings,
    /// How many slices may run at a time.
    pub(crate) at_once: Option<u32>,
    pub(crate) processors: Processors,
    pub(crate) requeue: Requeue,
    pub(crate) time: Option<Duration>,
    pub(crate) bad_node: OnBadNode,
    /// The given options that apply to jobs.
    pub(crate) options: Vec<OsString>,
    pub(crate) halt_rule: Option<HaltRule>,
    /// The number of retries of a job that doesn't set its own.
    pub(crate) retries: u32,
    pub(crate) stay: Stay,
    pub(crate) watched: Audience,
}

/// Who reads the messages while the run goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    ByPeople,
    /// Normal progress is not reported.
    ByNobody,
}

/// How long the head runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stay {
    ToTheEnd,
    /// Until the first round is submitted.
    Detached,
}

/// Everything that a head needs.
pub(crate) struct HeadContext {
    pub(crate) config: HeadConfig,
    pub(crate) forwarder_context: ForwarderContext,
    pub(crate) resume_state: ResumeState,
    pub(crate) engine_thread: EngineThread,
    /// A head whose keeper is dead waits here to be killed, so that it doesn't take that for a halt of the
    /// run.
    pub(crate) keeper_gate: KeeperGate,
    pub(crate) leave: LeaveRunning,
    /// Receives the error if the cluster refuses the run as it was specified.
    pub(crate) fault: Fault,
}
