//! Out of memory in a cgroup of version 2: the kernel kills one process and counts that where procpool
//! looks. The other jobs go on, and the peaks of memory are right.

use crate::vm::case::{MachineEnd, Right, VmCase};

const MIB: u64 = 1 << 20;

pub(crate) const CASE: VmCase = VmCase {
    script: include_str!("../scripts/memory.sh"),
    right: &[
        // Three jobs in 64 MiB: one that needs more, one before and one after it.
        ("status", Right::Is("1")),
        ("killer-of-greedy", Right::Is("out_of_memory")),
        ("signal-of-greedy", Right::Is("9")),
        ("others-that-succeeded", Right::Is("2")),
        ("words", Right::Says(&["greedy", "out of memory"])),
        ("peak-of-cgroup", Right::Between(60 * MIB, 64 * MIB)),
        ("kills-of-cgroup", Right::Is("1")),
        // A job with a buffer of 20 MiB.
        ("peak-of-twenty", Right::Between(20 * MIB, 26 * MIB)),
        // A job that is killed by hand is not reported as out of memory.
        ("killer-of-killed", Right::Is("null")),
        // The limit is that of a cgroup below, which the job has entered.
        ("killer-below", Right::Is("out_of_memory")),
    ],
    end: MachineEnd::OfScript,
};
