//! Takes procpool's own messages out of what jobs have written to the same stream.

/// How each of procpool's messages begins.
pub(crate) const OWN_PREFIX: &[u8] = b"procpool: ";

/// Removes its lines, which may stand in the middle of a job's line. No job prints such a line.
pub(crate) fn without_own_messages(said: &[u8]) -> Vec<u8> {
    let mut others = Vec::new();
    let mut rest = said;
    while let Some(start) = rest.windows(OWN_PREFIX.len()).position(|window| window == OWN_PREFIX) {
        others.extend(&rest[..start]);
        let end = rest[start..].iter().position(|byte| *byte == b'\n');
        rest = &rest[end.map_or(rest.len(), |end| start + end + 1)..];
    }
    others.extend(rest);
    others
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_procpool_says_is_taken_out_wherever_it_stands() {
        let said = b"procpool: a\nxprocpool: b\nprocpool: c\nyz\nprocpool: cut";
        assert_eq!(without_own_messages(said), b"xyz\n");
        assert_eq!(without_own_messages(b"\n"), b"\n");
    }
}
