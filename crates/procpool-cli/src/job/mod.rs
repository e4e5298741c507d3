//! The jobs of the command line, and how they are launched in a slot. Commands are rendered on the worker,
//! where the slot is known.

pub(crate) mod gpus;
pub(crate) mod labels;
pub(crate) mod launch;
pub(crate) mod recording;
pub(crate) mod terms;
pub(crate) mod work;
