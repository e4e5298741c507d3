//! Where nothing can be written, what needs no place runs, and what needs one is refused before any job is started.
//! With one place that can be written all runs that is told to use that.

use crate::vm::case::{MachineEnd, Right, VmCase};

pub(crate) const CASE: VmCase = VmCase {
    script: include_str!("../scripts/read_only.sh"),
    right: &[
        ("root", Right::Is("read-only")),
        ("status", Right::Is("0")),
        ("output", Right::Is("1 2 3")),
        ("status-of-journal", Right::Is("0")),
        ("succeeded-in-journal", Right::Is("3")),
        ("status-of-refused-journal", Right::Is("2")),
        ("words-of-refused-journal", Right::Says(&["/journal", "Read-only file system"])),
        ("started-of-refused-journal", Right::Is("0")),
        ("status-of-refused-results", Right::Is("2")),
        ("words-of-refused-results", Right::Says(&["/results", "Read-only file system"])),
        // A place for outputs that can't be written.
        ("status-of-raw-without-spool", Right::Is("0")),
        ("output-of-raw-without-spool", Right::Is("1 2 3")),
    ],
    end: MachineEnd::OfScript,
};
