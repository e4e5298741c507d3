//! Everything that procpool sends to standard error or to a terminal passes here: messages, the progress
//! display, and text of foreign origin (keys, paths, outputs), whose control sequences are removed or escaped
//! first.

pub(crate) mod blocking;
pub(crate) mod colour;
pub(crate) mod control_filter;
pub(crate) mod heartbeat;
pub(crate) mod progress;
pub(crate) mod screen;
pub(crate) mod shown;
pub(crate) mod text;
