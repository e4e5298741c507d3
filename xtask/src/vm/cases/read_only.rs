//! A machine on which nothing can be written: runs that need no writable place work, and others are refused
//! before any job starts. With one writable place all runs work that are told to use it.

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
        // An output folder that can't be written.
        ("status-of-raw-without-spool", Right::Is("0")),
        ("output-of-raw-without-spool", Right::Is("1 2 3")),
    ],
    end: MachineEnd::OfScript,
};
