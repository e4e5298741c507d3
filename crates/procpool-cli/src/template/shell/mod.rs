//! A command as a text for a shell: each placeholder becomes a quoted parameter such as `"${1}"`, and the
//! values become arguments after the text, so that the shell never parses a value.

#[cfg(test)]
mod tests;

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use anyhow::Context;

use crate::shell::grammar::{Dialect, Inserted, ScriptReader};
use crate::shell::{Quotes, script};
use crate::template::command::{Spread, SpreadWord, Template};
use crate::template::names::{Names, Placeholder};
use crate::template::path::Form;
use crate::template::word::{Word, WordPart};

impl Template {
    /// Parses a command, its words joined by spaces, as a text for this shell. Without a placeholder, the
    /// values become its last words, except with `-I`.
    ///
    /// # Errors
    /// If it has a placeholder for something that no job has, or in a place where a value isn't safe.
    pub(crate) fn parse_for_shell(
        shell: &OsStr,
        command: &[OsString],
        names: &Names,
    ) -> anyhow::Result<Template> {
        let words: Vec<&[u8]> = command.iter().map(|word| word.as_bytes()).collect();
        let mut parsed = Word::parse(&words.join(&b' '), names)?;
        let lacks_values = names.are_appended() && parsed.placeholders().next().is_none();
        if lacks_values {
            parsed.0.push(WordPart::Literal(b" ".to_vec()));
            parsed.0.push(WordPart::Placeholder(Placeholder::Values(Form::Whole)));
        }
        let mut text = ShellText {
            bytes: Vec::new(),
            parameters: Vec::new(),
            reader: ScriptReader::new(Dialect::of(shell)?),
        };
        for piece in parsed.0 {
            match piece {
                WordPart::Literal(literal) => text.add_literal(&literal),
                WordPart::Placeholder(placeholder) => {
                    if lacks_values {
                        text.reader.takes_arguments().context("--shell")?;
                    }
                    text.add_placeholder(placeholder, names).context("--shell")?;
                }
            }
        }
        text.reader.end().context("--shell")?;
        Ok(text.into_template(shell))
    }
}

/// The text so far, and its parameters.
struct ShellText {
    bytes: Vec<u8>,
    parameters: Vec<Placeholder>,
    reader: ScriptReader,
}

impl ShellText {
    fn add_literal(&mut self, literal: &[u8]) {
        self.bytes.extend(literal);
        self.reader.read(literal);
    }

    fn add_placeholder(&mut self, placeholder: Placeholder, names: &Names) -> anyhow::Result<()> {
        let inserted = match placeholder {
            Placeholder::Seq | Placeholder::Slot => Inserted::Number,
            _ => Inserted::Value,
        };
        let quotes = self.reader.quotes_here(inserted)?;
        let parts = match (quotes, placeholder) {
            // Each value is a word of its own, as without a shell.
            (Quotes::None, Placeholder::Values(form)) if values_of(names) > 1 => {
                (0..values_of(names)).map(|position| Placeholder::Position(position, form)).collect()
            }
            _ => vec![placeholder],
        };
        let (before, after): (&[u8], &[u8]) = match quotes {
            Quotes::None => (b"\"", b"\""),
            Quotes::Double => (b"", b""),
            Quotes::Single => (b"'\"", b"\"'"),
        };
        for (part, index) in parts.into_iter().zip(0..) {
            if index > 0 {
                self.add_literal(b" ");
                self.reader.quotes_here(inserted)?;
            }
            let number = self.parameter(part);
            self.bytes.extend([before, format!("${{{number}}}").as_bytes(), after].concat());
            self.reader.pass_placeholder(inserted);
        }
        Ok(())
    }

    /// The number of the parameter for this placeholder.
    fn parameter(&mut self, placeholder: Placeholder) -> usize {
        let known = self.parameters.iter().position(|known| *known == placeholder);
        let index = known.unwrap_or_else(|| {
            self.parameters.push(placeholder);
            self.parameters.len() - 1
        });
        index + 1
    }

    fn into_template(self, shell: &OsStr) -> Template {
        let literal = |bytes: &[u8]| Word(vec![WordPart::Literal(bytes.to_vec())]);
        // The argument after the text is `$0`, which begins the shell's error messages.
        let own = [shell.as_bytes(), b"-c", script(&self.bytes).as_bytes(), shell.as_bytes()].map(literal);
        let parameters =
            self.parameters.into_iter().map(|parameter| Word(vec![WordPart::Placeholder(parameter)]));
        let words = own.into_iter().chain(parameters);
        Template {
            words: words.map(|word| SpreadWord { word, spread: Spread::Joined }).collect(),
        }
    }
}

/// How many values a job has.
fn values_of(names: &Names) -> usize {
    match names {
        Names::Lists(lists) => *lists,
        Names::Columns(columns) => columns.len(),
        Names::UpTo(_) | Names::AnyNumber | Names::Only(_) | Names::NoValues => 1,
    }
}
