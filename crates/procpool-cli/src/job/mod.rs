//! What a job of the command line is, and how it is launched in a slot.
//! Its command is rendered on the worker, where the slot is known.

pub(crate) mod gpus;
pub(crate) mod labels;
pub(crate) mod launch;
pub(crate) mod recording;
pub(crate) mod terms;
pub(crate) mod work;
