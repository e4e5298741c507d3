//! `printf` and `print`: their options take names of variables, and their formats evaluate numbers.
//! So a value is safe only after a format that is known.

use crate::shell::grammar::refusal::Refusal;
use crate::shell::grammar::variables::ShellContext;
use crate::shell::lexer::ShellWord;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::shell::grammar) enum Printf {
    Options,
    /// After `-v`.
    Name,
    /// After `--`.
    Format,
    /// After a value that may be `-v` and a name.
    Option,
    Arguments,
    /// No argument can be a value: the format or the variable evaluates it.
    Refused(Refusal),
}

impl Printf {
    pub(super) fn refuses(self, begun: &ShellWord) -> Option<Refusal> {
        match self {
            Printf::Name => Some(Refusal::Name("printf -v")),
            Printf::Options if begun.bytes().starts_with(b"-v") => Some(Refusal::Name("printf -v")),
            Printf::Refused(refusal) => Some(refusal),
            Printf::Options | Printf::Format | Printf::Option | Printf::Arguments => None,
        }
    }

    pub(super) fn fault(self) -> Option<Refusal> {
        matches!(self, Printf::Option).then_some(Refusal::Option("printf"))
    }

    pub(super) fn next(self, word: &ShellWord, context: &ShellContext) -> Printf {
        let computes = context.dialect.computes_numbers() && may_compute(word);
        let refused = computes.then_some(Printf::Refused(Refusal::Number("printf")));
        let arguments = refused.unwrap_or(Printf::Arguments);
        match (self, word.bytes()) {
            (Printf::Options, b"-v") => Printf::Name,
            (Printf::Options, b"--") => Printf::Format,
            (Printf::Options, _) if word.may_be_option() => Printf::Option,
            (Printf::Options, [b'-', b'v', name @ ..]) | (Printf::Name, name) => {
                let refusal = context.variables.refuses(name, context.dialect);
                refusal.map_or(Printf::Options, Printf::Refused)
            }
            (Printf::Options | Printf::Format, _) => arguments,
            (state, _) => state,
        }
    }
}

/// Whether a format may convert an argument to a number.
fn may_compute(format: &ShellWord) -> bool {
    let mut bytes = format.bytes().iter();
    while bytes.any(|byte| *byte == b'%') {
        let letter = bytes.find(|byte| !b"-+ #0123456789.".contains(byte));
        if letter.is_some_and(|letter| !b"sbqc%".contains(letter)) {
            return true;
        }
    }
    format.holds_value()
}

/// `print`, in the shells that have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::shell::grammar) enum Print {
    Options,
    Arguments,
    /// After an option that expands the arguments, or takes a name or a format.
    Refused,
}

impl Print {
    pub(super) fn refuses(self, begun: &ShellWord) -> Option<Refusal> {
        match self {
            Print::Options if matches!(begun.bytes(), [] | [b'-', ..]) => Some(Refusal::Option("print")),
            Print::Refused => Some(Refusal::Code("print")),
            Print::Options | Print::Arguments => None,
        }
    }

    pub(super) fn next(self, word: &ShellWord) -> Print {
        match (self, word.bytes()) {
            (Print::Options, b"-" | b"--" | b"-R") => Print::Arguments,
            (Print::Options, [b'-', letters @ ..])
                if letters.iter().any(|letter| b"CPSfsuvxXz".contains(letter)) =>
            {
                Print::Refused
            }
            (Print::Options, [b'-', ..]) => Print::Options,
            (Print::Options, _) => Print::Arguments,
            (state, _) => state,
        }
    }
}
