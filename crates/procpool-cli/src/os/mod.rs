//! System calls and limits, as the command needs them. Nearly all of its `unsafe` code is here.

pub(crate) mod allocator;
pub(crate) mod argument_space;
pub(crate) mod closed;
pub(crate) mod descriptors;
pub(crate) mod errors;
pub(crate) mod sys;
pub(crate) mod ulimits;
