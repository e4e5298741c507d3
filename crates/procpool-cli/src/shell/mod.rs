//! Words and command lines as a shell reads and writes them.

pub(crate) mod quote;
pub(crate) mod split;
