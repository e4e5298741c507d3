//! `[`, `test` and `[[`: which operands they evaluate, or take as names of variables.
//! An operator may follow its operand, so a value can turn out to be wrong one word later.

use crate::shell::grammar::dialect::Dialect;
use crate::shell::grammar::refusal::Refusal;
use crate::shell::lexer::{ShellWord, among};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::shell::grammar) struct Test {
    name: &'static str,
    /// What the next word is, according to the last one.
    expects: Expects,
    /// Whether the last word could be an operand or an operator.
    last: Last,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expects {
    Text,
    /// With the operator.
    Number(&'static str),
    Name(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Last {
    Literal,
    Value,
    /// A value that could be an operator.
    Operator,
    /// An expansion that could be an operator.
    Unknown,
}

const COMPARING: &str = "-eq -ne -lt -le -gt -ge";
const NAMING: &str = "-v -R";

impl Test {
    /// `[[`: a part of the grammar.
    pub(super) fn grammar() -> Test {
        Test::command(GRAMMAR)
    }

    /// `[` or `test`: operators are arguments like any other.
    pub(super) fn command(name: &'static str) -> Test {
        Test { name, expects: Expects::Text, last: Last::Literal }
    }

    pub(super) fn is_grammar(self) -> bool {
        self.name == GRAMMAR
    }

    pub(super) fn ends_with(self, word: &ShellWord) -> bool {
        self.is_grammar() && word.bare() == b"]]"
    }

    pub(super) fn refuses(self) -> Option<Refusal> {
        match self.expects {
            Expects::Text => None,
            Expects::Number(operator) => Some(Refusal::Number(operator)),
            Expects::Name(operator) => Some(Refusal::Name(operator)),
        }
    }

    pub(super) fn fault(self, word: &ShellWord, dialect: Dialect) -> Option<Refusal> {
        if matches!(self.last, Last::Operator | Last::Unknown) && word.holds_value() && !self.is_grammar() {
            return Some(Refusal::Option(self.name));
        }
        if !matches!(self.last, Last::Value | Last::Operator) {
            return None;
        }
        // An expansion could be any operator. In `[[` it never is one.
        if word.begins_unknown() && !self.is_grammar() && dialect.computes_numbers() {
            return Some(Refusal::Option(self.name));
        }
        self.compares(word, dialect).map(Refusal::Number)
    }

    pub(super) fn next(self, word: &ShellWord, dialect: Dialect) -> Test {
        let expects = match (self.compares(word, dialect), among(NAMING, word.bytes()), word.bytes()) {
            (Some(operator), ..) => Expects::Number(operator),
            (None, Some(operator), _) => Expects::Name(operator),
            (None, None, b"-t") if dialect == Dialect::Zsh => Expects::Number("-t"),
            _ => Expects::Text,
        };
        let last = match word {
            word if word.may_be_option() => Last::Operator,
            word if word.holds_value() => Last::Value,
            word if word.begins_unknown() => Last::Unknown,
            _ => Last::Literal,
        };
        Test { expects, last, ..self }
    }

    pub(super) fn operator(self) -> Test {
        Test::command(self.name)
    }

    /// The operator that this word is, if it evaluates its operands.
    fn compares(self, word: &ShellWord, dialect: Dialect) -> Option<&'static str> {
        if !self.is_grammar() && !dialect.computes_numbers() {
            return None;
        }
        among(COMPARING, word.bytes())
    }
}

const GRAMMAR: &str = "[[";
