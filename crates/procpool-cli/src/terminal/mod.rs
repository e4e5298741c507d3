//! Standard error and terminals: the one way to them, and what stands there.
//! Texts of others (names, outputs, errors) are made harmless here before a terminal gets them.

pub(crate) mod colour;
pub(crate) mod patient;
pub(crate) mod progress;
pub(crate) mod pulse;
pub(crate) mod screen;
pub(crate) mod shown;
pub(crate) mod tame;
pub(crate) mod text;
