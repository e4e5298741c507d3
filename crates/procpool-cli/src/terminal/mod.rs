//! Standard error and terminals: the one way to them, and what stands there.
//! Texts of others (names, outputs, errors) are made harmless here before a terminal gets them.

pub(crate) mod blocking;
pub(crate) mod colour;
pub(crate) mod control_filter;
pub(crate) mod heartbeat;
pub(crate) mod progress;
pub(crate) mod screen;
pub(crate) mod shown;
pub(crate) mod text;
