//! Texts with placeholders: commands, keys and tags. Parsed once, rendered for each job.
//! `names` says what is a placeholder, `word` renders one word, the rest are the kinds of texts.

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
