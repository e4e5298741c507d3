//! The tag of a job's output lines as a text with placeholders (`--tag-with`).
//! Jobs that are whole commands have no values, so their tags can't either.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use anyhow::bail;

use crate::template::names::{Names, Placeholder};
use crate::template::word::{JobContext, Word};

/// The text that makes the tags of lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TagTemplate(Word);

impl TagTemplate {
    /// `names` is `None` where jobs have no values.
    ///
    /// # Errors
    /// If it has a placeholder for something that no job has.
    pub(crate) fn parse(text: &OsStr, names: Option<&Names>) -> anyhow::Result<TagTemplate> {
        let word = Word::parse(text.as_bytes(), names.unwrap_or(&Names::Lists(1)))?;
        if names.is_none() && word.placeholders().any(Placeholder::is_of_values) {
            bail!("these jobs are whole commands and have no values: use `{{key}}`, `{{#}}` or `{{%}}`");
        }
        Ok(TagTemplate(word))
    }

    pub(crate) fn render(&self, values: &[OsString], job: JobContext<'_>) -> Vec<u8> {
        self.0.render(values, values, job)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_may_name_all_that_a_command_may() {
        let tag = TagTemplate::parse("[{#}@{%} {/.} {key}]".as_ref(), Some(&Names::Lists(1))).unwrap();
        let job = JobContext { key: "k".as_ref(), seq: 7, slot: 2 };
        assert_eq!(tag.render(&["a/b.c".into()], job), b"[7@2 b k]");
        assert_eq!(TagTemplate::parse("x".as_ref(), None).unwrap().render(&[], job), b"x");
    }

    #[test]
    fn what_no_job_has_is_refused() {
        for text in ["{}", "{1}", "{/}"] {
            assert!(TagTemplate::parse(text.as_ref(), None).is_err(), "{text}");
        }
        assert!(TagTemplate::parse("{2}".as_ref(), Some(&Names::Lists(1))).is_err());
    }
}
