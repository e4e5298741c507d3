//! /proc is missing, belongs to another namespace, or hides processes: procpool runs, and says once what it
//! can't do. It must not believe a process ID from the /proc of another namespace.

use crate::vm::case::{MachineEnd, Right, VmCase};

pub(crate) const CASE: VmCase = VmCase {
    script: include_str!("../scripts/proc.sh"),
    right: &[
        ("status-of-foreign", Right::Is("0")),
        ("output-of-foreign", Right::Is("1 2 3")),
        ("lines-of-foreign", Right::Is("1")),
        ("bystanders-of-foreign", Right::Is("3")),
        ("status-of-hidden", Right::Is("0")),
        ("output-of-hidden", Right::Is("1 2 3")),
        ("status-of-subset", Right::Is("0")),
        ("output-of-subset", Right::Is("1 2 3")),
        ("status-of-absent", Right::Is("0")),
        ("output-of-absent", Right::Is("1 2 3")),
        ("lines-of-absent", Right::Is("1")),
        ("status-of-unguarded", Right::Is("0")),
        ("output-of-unguarded", Right::Is("1 2 3")),
    ],
    end: MachineEnd::OfScript,
};
