//! Out of memory, as a cgroup of version 2 has it: the kernel kills one process, and counts it where procpool looks.
//! The others run on, and the peaks are true.

use crate::vm::case::{MachineEnd, Right, VmCase};

const MIB: u64 = 1 << 20;

pub(crate) const CASE: VmCase = VmCase {
    script: include_str!("../scripts/memory.sh"),
    right: &[
        // Three jobs under 64 MiB: one that never has enough, and two that are there before and after.
        ("status", Right::Is("1")),
        ("killer-of-greedy", Right::Is("out_of_memory")),
        ("signal-of-greedy", Right::Is("9")),
        ("others-that-succeeded", Right::Is("2")),
        ("words", Right::Says(&["greedy", "out of memory"])),
        ("peak-of-cgroup", Right::Between(60 * MIB, 64 * MIB)),
        ("kills-of-cgroup", Right::Is("1")),
        // One with a buffer of 20 MiB.
        ("peak-of-twenty", Right::Between(20 * MIB, 26 * MIB)),
        // One that is killed by hand is not taken for that.
        ("killer-of-killed", Right::Is("null")),
        // The limit is that of a cgroup below, where the job has put itself.
        ("killer-below", Right::Is("out_of_memory")),
    ],
    end: MachineEnd::OfScript,
};
