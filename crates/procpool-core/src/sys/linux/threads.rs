//! How many threads there may be.
//! What they are for is not known here.

/// How many threads this process may have before a new one could find no room for its mappings.
///
/// Asking for one too many is no error then: the standard library aborts where it has made a thread and
/// gets no stack for its handler of overflows. A thread takes four mappings; a fifth is left for all else.
pub(crate) fn most_threads() -> usize {
    const DEFAULT: usize = 65_530;
    let text = std::fs::read_to_string("/proc/sys/vm/max_map_count");
    text.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(DEFAULT) / 5
}
