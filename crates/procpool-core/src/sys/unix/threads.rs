//! How many threads there may be.
//! What they are for is not known here.

/// What Linux allows by default: a fifth of its mappings. Elsewhere it is not known; a thread too many is refused there.
pub(crate) fn most_threads() -> usize {
    13_106
}
