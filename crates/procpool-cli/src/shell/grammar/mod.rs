//! Where in a shell's text a value can stand, and in which quotes: the grammar of six shells, as far as it takes to
//! know what each of them does with a word there.

mod command;
mod dialect;
mod position;
mod reader;
mod refusal;
mod variables;

pub(crate) use crate::shell::grammar::dialect::Dialect;
pub(crate) use crate::shell::grammar::reader::{Inserted, ScriptReader};
#[cfg(test)]
pub(crate) use crate::shell::grammar::refusal::CHECK;
