//! procpool as a container's init: the kernel drops each signal that it has no handler for, gives it all
//! orphans, and kills all other processes when it ends. It can't die by a signal, so its exit status must
//! tell which one it was.

use crate::vm::case::{MachineEnd, Right, VmCase};
use crate::vm::console::FIRST_PROCESS;

/// In a PID namespace, as by `docker run IMAGE procpool run …`.
pub(crate) const NAMESPACE: VmCase = VmCase {
    script: include_str!("../scripts/namespace.sh"),
    right: &[
        ("status-of-success", Right::Is("0")),
        ("output-of-success", Right::Is("1 2 3")),
        ("status-of-failure", Right::Is("1")),
        ("status-of-INT-from-within", Right::Is("130")),
        ("left-by-INT-from-within", Right::Is("0")),
        ("status-of-TERM-from-within", Right::Is("143")),
        ("left-by-TERM-from-within", Right::Is("0")),
        ("status-of-HUP-from-within", Right::Is("129")),
        ("left-by-HUP-from-within", Right::Is("0")),
        ("status-of-INT-from-outside", Right::Is("130")),
        ("left-by-INT-from-outside", Right::Is("0")),
        ("status-of-TERM-from-outside", Right::Is("143")),
        ("left-by-TERM-from-outside", Right::Is("0")),
        ("status-of-HUP-from-outside", Right::Is("129")),
        ("left-by-HUP-from-outside", Right::Is("0")),
        ("orphans", Right::Is("reaped")),
        ("status-of-orphans", Right::Is("0")),
        ("status-of-a-killed-child", Right::Is("137")),
        ("left-by-a-killed-child", Right::Is("0")),
        ("status-of-a-killed-pool", Right::Is("137")),
        ("left-by-a-killed-pool", Right::Is("0")),
        ("status-of-a-killed-first", Right::Is("137")),
        ("left-by-a-killed-first", Right::Is("0")),
    ],
    end: MachineEnd::OfScript,
};

/// As the machine's own init, by exec from a shell.
pub(crate) const BY_ITSELF: VmCase = VmCase {
    script: include_str!("../scripts/first_process.sh"),
    right: &[("orphans", Right::Is("reaped")), (FIRST_PROCESS, Right::Is("exited 1"))],
    end: MachineEnd::OfFirstProcess,
};

/// The same, and a process that existed before sends TERM.
pub(crate) const TOLD_TO: VmCase = VmCase {
    script: include_str!("../scripts/first_process_told.sh"),
    right: &[(FIRST_PROCESS, Right::Is("exited 143"))],
    end: MachineEnd::OfFirstProcess,
};
