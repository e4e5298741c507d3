//! procpool in the place of a container's init: the kernel drops each signal that this process doesn't catch, gives it all
//! orphans, and kills all others when it ends. It can't die by a signal, so its status has to say of which.

use crate::vm::case::{MachineEnd, Right, VmCase};
use crate::vm::console::FIRST_PROCESS;

/// In a PID namespace: `docker run IMAGE procpool run …`.
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

/// As the machine's own init, by a shell that is replaced.
pub(crate) const BY_ITSELF: VmCase = VmCase {
    script: include_str!("../scripts/first_process.sh"),
    right: &[("orphans", Right::Is("reaped")), (FIRST_PROCESS, Right::Is("exited 1"))],
    end: MachineEnd::OfFirstProcess,
};

/// The same, and TERM comes from a process that was there before.
pub(crate) const TOLD_TO: VmCase = VmCase {
    script: include_str!("../scripts/first_process_told.sh"),
    right: &[(FIRST_PROCESS, Right::Is("exited 143"))],
    end: MachineEnd::OfFirstProcess,
};
