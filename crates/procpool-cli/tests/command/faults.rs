//! Faults, each provoked for real: of programs, inputs, children, the machine, and by those who mean harm.
//! Does not know the code behind it, as all of these tests.

mod input;
mod life;
mod machine;
mod program;
mod security;
mod tracing;
