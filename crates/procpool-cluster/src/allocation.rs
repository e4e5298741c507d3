//! What an engine has given a process that runs on its cluster: an element of an array, or a shell in a job.
//! Knows nothing of where that is read.

use std::time::SystemTime;

/// What the engine has given this process, as far as its environment says: see [`Engine::allocation`](crate::Engine::allocation).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allocation {
    /// The engine's own word for the job that this process runs in. One of its own for each element of an array.
    pub job: String,
    /// Of which array it is an element, and which one.
    pub element: Option<ElementOf>,
    /// How many processors it has on this node.
    pub processors: Option<u32>,
    /// The name of this node, as the engine has it in [`State::Running`](crate::State::Running).
    pub node: Option<String>,
    /// How often it was started again by the engine itself; 0 the first time.
    pub restarts: u32,
    /// When its time is over; `None` where the environment doesn't say so: [`Engine::end_of`](crate::Engine::end_of) asks.
    pub ends: Option<SystemTime>,
    /// The GPUs that it may use on this node, each by the word that `CUDA_VISIBLE_DEVICES` takes for it in here.
    pub gpus: Vec<String>,
}

/// An element of an array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElementOf {
    /// The array: [`ArrayId::own`](crate::ArrayId::own) of its id.
    pub array: String,
    /// Which element of it, from 0.
    pub index: u32,
}
