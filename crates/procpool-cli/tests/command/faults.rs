//! Faults that a process pool meets, each provoked for real. The tests look only at exit statuses, outputs,
//! files and processes.

mod dead_mounts;
mod descendants;
mod fences;
mod guardian;
mod input;
mod leaks;
mod life;
mod machine;
mod output;
mod program;
mod security;
mod signals;
mod surroundings;
mod terminal;
pub(crate) mod tracing;
