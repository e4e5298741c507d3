//! The place of the next word in a shell's command: command, argument, redirection, list or pattern.
//! It moves on with each word and operator; quotes and expansions are read before, in `reader`.

use crate::shell::grammar::command::{CommandState, InnerShell, command, opens_command};
use crate::shell::grammar::dialect::Dialect;
use crate::shell::grammar::refusal::Refusal;
use crate::shell::grammar::variables::ShellContext;
use crate::shell::lexer::{Assignment, ShellWord, among};

/// The place of the next word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Position {
    /// A command, an assignment or a word of the grammar.
    #[default]
    Command,
    /// An argument of a command.
    Argument(CommandState),
    /// The file of a redirection. The word after it continues as if there were no redirection.
    Target(Redirected),
    /// An element of a list, as in `a=(…)`, with the reason if it can't be a value.
    List(Option<Refusal>),
    /// Part of a pattern in parentheses, with the reason if it can't be a value.
    Pattern(Option<Refusal>),
    /// After `)`, `fi`, `done` and the like, where only an operator may follow, or in zsh a command.
    Closed,
}

/// A redirection, and the place in front of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Redirected {
    before: BeforeRedirection,
    redirection: Redirection,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BeforeRedirection {
    Nothing,
    Arguments(CommandState),
    Closed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Redirection {
    File,
    /// `<<<`
    Text,
    /// `>&` and `<&`.
    Duplicate,
    /// `&>`. Some shells read it as two operators.
    Both,
}

const CLOSING: &str = "fi done esac }";

impl Position {
    /// Moves on after a word.
    pub(super) fn word(&mut self, word: &ShellWord, context: &mut ShellContext) {
        *self = match *self {
            Position::Command | Position::Closed => first(word, context),
            // In zsh it closes a block even as an argument.
            Position::Argument(_) if context.dialect == Dialect::Zsh && word.bare() == b"}" => {
                Position::Closed
            }
            Position::Argument(command) => {
                command.next(word, context).map_or(Position::Command, Position::Argument)
            }
            Position::Target(redirected) => redirected.position(),
            // ksh accepts a list of declarations there.
            Position::List(None) if context.dialect == Dialect::Korn && declares(word) => {
                Position::List(Some(Refusal::Number("typeset")))
            }
            Position::List(_) | Position::Pattern(_) => *self,
        };
    }

    /// Moves on after `<`, `>` or the like.
    pub(super) fn redirection(&mut self, redirection: Redirection) {
        let before = match *self {
            Position::Command => BeforeRedirection::Nothing,
            Position::Argument(command) => BeforeRedirection::Arguments(command),
            Position::Target(redirected) => redirected.before,
            Position::Closed => BeforeRedirection::Closed,
            // There it isn't a redirection.
            Position::List(_) | Position::Pattern(_) => return,
        };
        let before = match redirection {
            Redirection::Both => BeforeRedirection::Arguments(CommandState::Refuses(Refusal::Both)),
            _ => before,
        };
        *self = Position::Target(Redirected { before, redirection });
    }

    /// Moves on after an operator between commands.
    pub(super) fn operator(&mut self) {
        *self = match *self {
            Position::Argument(command) if command.is_grammar() => Position::Argument(command.operator()),
            Position::List(_) | Position::Pattern(_) => *self,
            _ => Position::Command,
        };
    }

    /// The places of the first word in a parenthesis, and of the word after its end. No word is right before
    /// it.
    pub(super) fn group(self) -> (Position, Position) {
        match self {
            Position::Argument(command) if command.is_grammar() => (self, self),
            Position::List(_) | Position::Pattern(_) => (self, self),
            Position::Target(redirected) => (Position::Command, redirected.position()),
            _ => (Position::Command, Position::Closed),
        }
    }

    /// Whether a word ends right before an opening parenthesis.
    pub(super) fn ends_before_group(self, word: &ShellWord) -> bool {
        let opens = matches!(self, Position::Command | Position::Closed) && opens_command(word.bare());
        opens || word.bare() == b"in"
    }

    /// The place of words in a parenthesis that is part of this word.
    pub(super) fn group_in(self, word: &ShellWord, context: &mut ShellContext) -> Position {
        match (self, word.bare()) {
            (Position::Argument(command), [.., b'=']) if command.declares() => {
                Position::List(command.list(word, context))
            }
            (Position::Command | Position::Closed | Position::List(_), [.., b'='])
                if !word.bare().ends_with(b"==") =>
            {
                let refusal = plain_assignment(word, context);
                if let Assignment::Variable(name) = word.assignment() {
                    context.variables.add_array(name);
                }
                match self {
                    Position::List(outer) => Position::List(outer.or(refusal)),
                    _ => Position::List(refusal),
                }
            }
            (Position::Argument(command), _) if command.is_grammar() => self,
            // `@(a|b)`. In zsh `*(…)` has qualifiers instead.
            (_, [.., b'@' | b'?' | b'*' | b'+' | b'!']) if context.dialect != Dialect::Zsh => {
                Position::Pattern(None)
            }
            _ => Position::Pattern(Some(Refusal::Qualifiers)),
        }
    }

    /// Why a value can't continue this word here.
    pub(super) fn refuses(self, begun: &ShellWord, context: &ShellContext) -> Option<Refusal> {
        match self {
            Position::Command | Position::Closed => plain_assignment(begun, context),
            Position::Argument(command) => in_braces(begun).or_else(|| command.refuses(begun, context)),
            Position::Target(redirected) => redirected.refuses(),
            Position::List(refusal) => refusal.or(begun.is_in_brackets().then_some(Refusal::Subscript)),
            Position::Pattern(refusal) => refusal,
        }
    }

    /// What is wrong with this word, now that it is complete, or with the word before it.
    pub(super) fn fault(self, word: &ShellWord, dialect: Dialect) -> Option<Refusal> {
        match self {
            Position::Argument(command) => command.fault(word, dialect),
            _ => None,
        }
    }
}

impl Redirected {
    /// Why its file can't be a value.
    fn refuses(self) -> Option<Refusal> {
        match (self.redirection, self.before) {
            (Redirection::Duplicate, _) => Some(Refusal::Duplicate),
            // `read` assigns it to a variable.
            (
                Redirection::Text,
                BeforeRedirection::Arguments(CommandState::Refuses(refusal @ Refusal::Number(_))),
            ) => Some(refusal),
            _ => None,
        }
    }

    /// The place after the file.
    fn position(self) -> Position {
        match self.before {
            BeforeRedirection::Nothing => Position::Command,
            BeforeRedirection::Arguments(command) => Position::Argument(command),
            BeforeRedirection::Closed => Position::Closed,
        }
    }
}

/// The place after a word that stood where a command may.
fn first(word: &ShellWord, context: &mut ShellContext) -> Position {
    let bare = word.bare();
    if let Assignment::Variable(name) = word.assignment() {
        if bare.get(name.len()) == Some(&b'[') {
            context.variables.add_array(name);
        }
        return Position::Command;
    }
    if opens_command(bare) {
        return Position::Command;
    }
    if among(CLOSING, bare).is_some() {
        return Position::Closed;
    }
    match command(word, context.dialect) {
        // `[[` is a word of the grammar only if it is unquoted.
        command if command.is_grammar() && bare != b"[[" => {
            Position::Argument(CommandState::Other(InnerShell::None))
        }
        command => Position::Argument(command),
    }
}

fn declares(word: &ShellWord) -> bool {
    among("typeset integer float nameref", word.bare()).is_some()
}

fn plain_assignment(begun: &ShellWord, context: &ShellContext) -> Option<Refusal> {
    match begun.assignment() {
        Assignment::None => None,
        Assignment::Subscript => Some(Refusal::Subscript),
        Assignment::Variable(name) => context.variables.refuses(name, context.dialect),
    }
}

/// `{a[1]}> file` sets a variable even as an argument.
fn in_braces(begun: &ShellWord) -> Option<Refusal> {
    let is_subscript = begun.bare().starts_with(b"{") && begun.assignment() == Assignment::Subscript;
    is_subscript.then_some(Refusal::Subscript)
}
