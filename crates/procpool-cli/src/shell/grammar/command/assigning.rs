//! `export`, `declare` and the like: commands that set variables and their attributes.
//! An attribute changes what later assignments do: after `declare -i n` the shell evaluates every `n=…`.

use crate::shell::grammar::refusal::Refusal;
use crate::shell::grammar::variables::{ShellContext, Variables};
use crate::shell::lexer::{Assignment, ShellWord, among};

/// A command that sets variables with attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::shell::grammar) struct Assigner {
    name: &'static str,
    attribute: VariableAttribute,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum VariableAttribute {
    None,
    /// `-i` and the like: assigned values are evaluated.
    Computed,
    /// `-a` and `-A`: assigned values are parsed as lists in parentheses, even if quoted.
    Array,
}

const ASSIGNERS: &str = "declare typeset local private global readonly export";

/// Each is `typeset` with an option.
const COMPUTERS: &str = "integer float nameref";

pub(super) fn assigner(name: &[u8]) -> Option<Assigner> {
    let plain = among(ASSIGNERS, name).map(|name| Assigner { name, attribute: VariableAttribute::None });
    plain.or_else(|| {
        among(COMPUTERS, name).map(|name| Assigner { name, attribute: VariableAttribute::Computed })
    })
}

impl Assigner {
    pub(super) fn refuses(self, begun: &ShellWord, context: &ShellContext) -> Option<Refusal> {
        match begun.declaration() {
            Assignment::None => Some(Refusal::Name(self.name)),
            Assignment::Subscript => Some(Refusal::Subscript),
            Assignment::Variable(variable) => match self.attribute {
                VariableAttribute::Computed => Some(Refusal::Number(self.name)),
                VariableAttribute::Array => Some(Refusal::List(self.name)),
                VariableAttribute::None if context.variables.is_array(variable) => {
                    Some(Refusal::List(self.name))
                }
                VariableAttribute::None => context.variables.refuses(variable, context.dialect),
            },
        }
    }

    pub(super) fn next(self, word: &ShellWord, variables: &mut Variables) -> Assigner {
        let attribute = match word.bytes() {
            [b'-' | b'+', letters @ ..] => attribute(letters).unwrap_or(self.attribute),
            _ => {
                let name = variable(word.bytes());
                match self.attribute {
                    VariableAttribute::None => {}
                    VariableAttribute::Computed => variables.add_computed(name),
                    VariableAttribute::Array => variables.add_array(name),
                }
                self.attribute
            }
        };
        Assigner { attribute, ..self }
    }
}

/// The attribute that these options set. `-n` counts because the name it takes may have a subscript.
fn attribute(letters: &[u8]) -> Option<VariableAttribute> {
    if letters.iter().any(|letter| b"inEFX".contains(letter)) {
        return Some(VariableAttribute::Computed);
    }
    letters.iter().any(|letter| b"aA".contains(letter)).then_some(VariableAttribute::Array)
}

/// The name that a word such as `x[1]+=2` begins with.
fn variable(word: &[u8]) -> &[u8] {
    let end = word.iter().position(|byte| matches!(byte, b'=' | b'+' | b'[')).unwrap_or(word.len());
    &word[..end]
}
