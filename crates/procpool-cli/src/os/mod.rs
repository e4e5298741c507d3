//! What procpool asks of the system it runs on.
//! Nearly all `unsafe` code of the command is below.

pub(crate) mod allocator;
pub(crate) mod argument_space;
pub(crate) mod closed;
pub(crate) mod descriptors;
pub(crate) mod errors;
pub(crate) mod sys;
pub(crate) mod ulimits;
