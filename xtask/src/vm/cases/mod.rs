//! The cases, one file each, with its script beside it.

mod memory;
mod pid_one;
mod proc_file_system;
mod read_only;

use clap::ValueEnum;

use crate::vm::case::VmCase;

/// The name of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Name {
    /// procpool is the first process of a PID namespace: signals, orphans, kills
    Namespace,
    /// procpool is the machine's first process, and ends by itself
    FirstProcess,
    /// procpool is the machine's first process, and is asked to end
    FirstProcessTold,
    /// A job needs more memory than its cgroup may have
    Memory,
    /// Nothing can be written, or only in one place
    ReadOnly,
    /// /proc is missing, hides processes, or is of another namespace
    Proc,
}

impl Name {
    /// The case with this name.
    pub(crate) fn case(self) -> &'static VmCase {
        match self {
            Name::Namespace => &pid_one::NAMESPACE,
            Name::FirstProcess => &pid_one::BY_ITSELF,
            Name::FirstProcessTold => &pid_one::TOLD_TO,
            Name::Memory => &memory::CASE,
            Name::ReadOnly => &read_only::CASE,
            Name::Proc => &proc_file_system::CASE,
        }
    }
}
