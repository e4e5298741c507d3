//! Texts with placeholders: commands and keys.
//! Knows nothing of where values come from; what a placeholder is, and what it becomes, is told below.

mod command;
mod key;
mod names;
mod path;
mod shell;
mod space;
mod tag;
mod word;

pub(crate) use crate::template::command::{Several, Template};
pub(crate) use crate::template::key::{KeyTemplate, shorten};
pub(crate) use crate::template::names::{Braced, Names};
pub(crate) use crate::template::path::Form;
pub(crate) use crate::template::space::Space;
pub(crate) use crate::template::tag::TagTemplate;
pub(crate) use crate::template::word::{JobContext, SLOT_MARK, SLOT_NOT_KNOWN};
