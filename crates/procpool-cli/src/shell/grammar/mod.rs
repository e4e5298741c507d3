//! Where in a shell's text a value can be inserted safely: the grammar of six shells, as far as it decides
//! that. Quotes alone don't make a value safe: some commands evaluate their arguments, as `docs/shell.md`
//! explains.

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
