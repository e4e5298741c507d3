//! Words and command lines as a shell reads and writes them.
//! What only a shell could carry out is refused here, not guessed.

pub(crate) mod grammar;
pub(crate) mod quote;
pub(crate) mod split;
