//! Standard error and terminals: the one way to them, what stands there, and what is made harmless on its way.

pub(crate) mod colour;
pub(crate) mod patient;
pub(crate) mod progress;
pub(crate) mod pulse;
pub(crate) mod screen;
pub(crate) mod shown;
pub(crate) mod tame;
