//! What an engine has given to a process that runs on its cluster, in an element of an array or in a shell of a job.

use std::time::SystemTime;

/// What the engine has given this process, according to the environment: see [`Engine::allocation`](crate::Engine::allocation).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allocation {
    /// The engine's id of the job that this process runs in. Each element of an array has its own.
    pub job: String,
    /// The array and the element that this process belongs to, if any.
    pub element: Option<ElementOf>,
    /// How many processors it has on this node.
    pub processors: Option<u32>,
    /// The name of this node, as in [`State::Running`](crate::State::Running).
    pub node: Option<String>,
    /// How often the engine has restarted it; 0 the first time.
    pub restarts: u32,
    /// When its time is over; `None` if the environment doesn't say: then ask [`Engine::end_of`](crate::Engine::end_of).
    pub ends: Option<SystemTime>,
    /// The GPUs that it may use on this node, in the form that `CUDA_VISIBLE_DEVICES` takes.
    pub gpus: Vec<String>,
}

/// An element of an array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElementOf {
    /// The array: [`ArrayId::own`](crate::ArrayId::own) of its id.
    pub array: String,
    /// The index of the element, from 0.
    pub index: u32,
}
