//! How much space the arguments of a command take, before all its values are known.
//! An upper bound: a command that `-X` fills must never be too long for the system.

use crate::os::argument_space::of_string;
use crate::template::command::{Spread, Template};
use crate::template::key::LONGEST_KEY;
use crate::template::names::Placeholder;
use crate::template::word::{Word, WordPart};

/// No number of a job or slot has more digits.
const LONGEST_NUMBER: usize = 20;

/// The space of a command with several values, none of which has a placeholder of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Space {
    /// Arguments that occur once.
    once: usize,
    /// Arguments that occur once per value.
    each: Vec<WordLength>,
}

/// The length of a word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct WordLength {
    /// Without values.
    fixed: usize,
    /// How often the value occurs.
    values: usize,
}

impl Template {
    /// The space of its arguments.
    pub(crate) fn space(&self) -> Space {
        let (each, once): (Vec<_>, Vec<_>) = self.words.iter().partition(|word| word.spread == Spread::Each);
        Space {
            once: sum(once.iter().map(|word| of_string(WordLength::of(&word.word).fixed))),
            each: each.iter().map(|word| WordLength::of(&word.word)).collect(),
        }
    }
}

impl Space {
    /// The space without values.
    pub(crate) fn once(&self) -> usize {
        self.once
    }

    /// The space that a value of this length adds.
    pub(crate) fn of_value(&self, length: usize) -> usize {
        sum(self.each.iter().map(|word| of_string(word.with(length))))
    }
}

impl WordLength {
    fn of(word: &Word) -> WordLength {
        let mut length = WordLength::default();
        for piece in &word.0 {
            match piece {
                WordPart::Literal(literal) => length.fixed += literal.len(),
                WordPart::Placeholder(Placeholder::Values(_)) => length.values += 1,
                WordPart::Placeholder(Placeholder::Key) => length.fixed += LONGEST_KEY,
                WordPart::Placeholder(_) => length.fixed += LONGEST_NUMBER,
            }
        }
        length
    }

    fn with(self, value: usize) -> usize {
        // The directory of an empty value is a dot.
        self.fixed.saturating_add(self.values.saturating_mul(value.max(1)))
    }
}

fn sum(lengths: impl Iterator<Item = usize>) -> usize {
    lengths.fold(0, usize::saturating_add)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use proptest::prelude::*;

    use super::*;
    use crate::template::command::Several;
    use crate::template::names::Names;
    use crate::template::word::JobContext;

    proptest! {
        #[test]
        fn no_command_takes_more_than_was_said(
            words in proptest::collection::vec(r"[a-z]{0,3}(\{\}|\{//\}|\{#\}|\{key\}|x)[a-z]{0,3}(\{\.\})?", 1..5),
            values in proptest::collection::vec("[a-z./]{0,9}", 1..9),
        ) {
            let words: Vec<OsString> = words.iter().map(OsString::from).collect();
            let values: Vec<OsString> = values.iter().map(OsString::from).collect();
            let template = Template::parse(&words, &Names::AnyNumber, Several::Batched).unwrap();
            let key = "k".repeat(LONGEST_KEY);
            let command = template.render(&values, JobContext { key: key.as_ref(), seq: u64::MAX, slot: 65_536 });
            let arguments = [&[command.program().to_owned()], command.arguments()].concat();
            let taken: usize = arguments.iter().map(|argument| of_string(argument.len())).sum();
            let space = template.space();
            let said: usize = space.once() + values.iter().map(|value| space.of_value(value.len())).sum::<usize>();
            prop_assert!(taken <= said, "{taken} > {said}");
        }
    }
}
