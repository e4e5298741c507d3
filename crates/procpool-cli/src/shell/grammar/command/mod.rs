//! Commands that evaluate their arguments, and which arguments those are.
//!
//! The lists come from the manuals of bash, zsh, ksh93, mksh, yash and dash. Each entry was tried with a
//! value that creates a file if it is run (`template/shell/tests/dangers.rs`).

mod assigning;
mod printing;
mod testing;

use crate::shell::grammar::dialect::{Dialect, is_shell};
use crate::shell::grammar::refusal::Refusal;
use crate::shell::grammar::variables::ShellContext;
use crate::shell::lexer::{Assignment, ShellWord, among};

use assigning::{Assigner, assigner};
use printing::{Print, Printf};
use testing::Test;

/// A command, and the state of its arguments so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CommandState {
    /// Passes its arguments on. One of them may be a shell.
    Other(InnerShell),
    /// Passes its arguments on, whatever they are.
    Says,
    /// Another command follows.
    Prefix(Prefix),
    /// No argument can be a value.
    Refuses(Refusal),
    Assigns(Assigner),
    Tests(Test),
    Printf(Printf),
    Print(Print),
    /// `set`, with only options so far.
    Set,
    /// `set` after `-o` or the like: an option's name follows.
    SetOption,
    /// `for` or `select`: a variable follows.
    Loop(&'static str),
    /// `coproc`: a name may follow before a compound command.
    Coproc,
}

/// Whether the next argument is the text of another shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InnerShell {
    None,
    /// Options of a shell may follow.
    Options,
    /// `-c` was among them.
    Text,
}

/// A word before a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prefix {
    /// Options may follow.
    Options(&'static str),
    /// The argument of its last option follows.
    Argument(&'static str),
    /// A number follows: how often to run the command.
    Count,
}

/// They parse arguments as commands.
const READERS: &str = "eval trap alias compgen emulate zmv zpty zstyle";

/// They take arguments as names of variables.
const NAMERS: &str = "getln read unset getopts mapfile readarray wait zparseopts zregexparse zformat sysread sysopen \
    strftime zstat";

/// They evaluate their argument in some shells, and accept only a number in others.
const COUNTERS: &str = "shift exit return break continue ulimit logout bye";

const PREFIXES: &str = "command builtin exec noglob -";

/// Words of the grammar before a command. The options are those of `time`.
const OPENING: &str = "if then elif else while until do ! { time -p -- nocorrect always";

/// Whether a command may follow this unquoted word.
pub(super) fn opens_command(bare: &[u8]) -> bool {
    among(OPENING, bare).is_some()
}

/// The command of this name. Quotes in the name don't matter.
pub(super) fn command(word: &ShellWord, dialect: Dialect) -> CommandState {
    let among = |names| among(names, word.bytes());
    let refuses = |names, refusal: fn(&'static str) -> Refusal| {
        among(names).map(|name| CommandState::Refuses(refusal(name)))
    };
    refuses(READERS, Refusal::Code)
        .or_else(|| refuses(NAMERS, Refusal::Name))
        .or_else(|| refuses("let", Refusal::Number))
        .or_else(|| refuses(COUNTERS, Refusal::Number).filter(|_| dialect.computes_numbers()))
        .or_else(|| assigner(word.bytes()).map(CommandState::Assigns))
        .or_else(|| among(PREFIXES).map(|name| CommandState::Prefix(Prefix::Options(name))))
        .or_else(|| among("for select foreach").map(CommandState::Loop))
        .unwrap_or_else(|| match word.bytes() {
            b"[[" => CommandState::Tests(Test::grammar()),
            b"[" => CommandState::Tests(Test::command("[")),
            b"test" => CommandState::Tests(Test::command("test")),
            b"printf" => CommandState::Printf(Printf::Options),
            b"print" if dialect.computes_numbers() => CommandState::Print(Print::Options),
            b"repeat" => CommandState::Prefix(Prefix::Count),
            b"set" => CommandState::Set,
            b"coproc" => CommandState::Coproc,
            b"echo" => CommandState::Says,
            name if is_shell(name) => CommandState::Other(InnerShell::Options),
            _ => CommandState::Other(InnerShell::None),
        })
}

impl CommandState {
    /// Why a value can't continue this argument.
    pub(super) fn refuses(self, begun: &ShellWord, context: &ShellContext) -> Option<Refusal> {
        match self {
            CommandState::Refuses(refusal) => Some(refusal),
            CommandState::Assigns(assigner) => assigner.refuses(begun, context),
            CommandState::Tests(test) => test.refuses(),
            CommandState::Printf(printf) => printf.refuses(begun),
            CommandState::Print(print) => print.refuses(begun),
            CommandState::Set | CommandState::SetOption => Some(Refusal::Option("set")),
            CommandState::Loop(name) => Some(Refusal::Name(name)),
            CommandState::Prefix(Prefix::Count) => Some(Refusal::Number("repeat")),
            CommandState::Other(InnerShell::Text) if begun.is_begun() && !begun.bytes().is_empty() => {
                Some(Refusal::Text)
            }
            // Bash expands it, and runs the script that it names.
            CommandState::Other(_) if begun.bytes().starts_with(b"BASH_ENV=") => {
                Some(Refusal::Code("BASH_ENV="))
            }
            CommandState::Other(_) | CommandState::Says | CommandState::Coproc | CommandState::Prefix(_) => {
                None
            }
        }
    }

    /// What is wrong with this word, now that it is complete, or with the word before it.
    pub(super) fn fault(self, word: &ShellWord, dialect: Dialect) -> Option<Refusal> {
        match self {
            CommandState::Tests(test) => test.fault(word, dialect),
            CommandState::Printf(printf) => printf.fault(),
            CommandState::Other(InnerShell::Text) if word.holds_value() && !word.is_value() => {
                Some(Refusal::Text)
            }
            _ => None,
        }
    }

    /// The state after this word. None if another command follows.
    pub(super) fn next(self, word: &ShellWord, context: &mut ShellContext) -> Option<CommandState> {
        Some(match self {
            CommandState::Other(inner) => CommandState::Other(inner.next(word)),
            CommandState::Prefix(prefix) => return prefix.next(word, context.dialect),
            CommandState::Assigns(assigner) => {
                CommandState::Assigns(assigner.next(word, &mut context.variables))
            }
            CommandState::Tests(test) if test.ends_with(word) => return None,
            CommandState::Tests(test) => CommandState::Tests(test.next(word, context.dialect)),
            CommandState::Printf(printf) => CommandState::Printf(printf.next(word, context)),
            CommandState::Print(print) => CommandState::Print(print.next(word)),
            CommandState::Set if matches!(word.bytes(), [b'-' | b'+', .., b'o']) => CommandState::SetOption,
            CommandState::SetOption => CommandState::Set,
            CommandState::Loop(_) => {
                let refusal = context.variables.refuses(word.bytes(), context.dialect);
                refusal.map_or(CommandState::Other(InnerShell::None), CommandState::Refuses)
            }
            CommandState::Coproc => match command(word, context.dialect) {
                // The next word shows whether it is a name or a command.
                CommandState::Other(InnerShell::None) => CommandState::Prefix(Prefix::Argument("coproc")),
                command => command,
            },
            CommandState::Refuses(Refusal::Name(_)) => {
                // `read -a` and `mapfile` make it an array.
                context.variables.add_array(word.bytes());
                context.variables.refuses(word.bytes(), context.dialect).map_or(self, CommandState::Refuses)
            }
            CommandState::Says | CommandState::Refuses(_) | CommandState::Set => self,
        })
    }

    /// Notes that a word such as `a=` is followed by a list. Returns why no element can be a value.
    pub(super) fn list(self, word: &ShellWord, context: &mut ShellContext) -> Option<Refusal> {
        let refusal = self.refuses(word, context);
        if let Assignment::Variable(name) = word.declaration() {
            context.variables.add_array(name);
        }
        // The list is in the text itself; no value is parsed as one.
        refusal.filter(|refusal| !matches!(refusal, Refusal::List(_)))
    }

    /// Whether its arguments are assignments.
    pub(super) fn declares(self) -> bool {
        matches!(self, CommandState::Assigns(_))
    }

    /// Whether it is part of the grammar, so that its arguments include operators.
    pub(super) fn is_grammar(self) -> bool {
        matches!(self, CommandState::Tests(test) if test.is_grammar())
    }

    /// The state after an operator between its arguments.
    pub(super) fn operator(self) -> CommandState {
        match self {
            CommandState::Tests(test) => CommandState::Tests(test.operator()),
            command => command,
        }
    }
}

impl InnerShell {
    fn next(self, word: &ShellWord) -> InnerShell {
        match (self, word.bytes()) {
            (InnerShell::Options, [b'-' | b'+', letters @ ..])
                if letters.first() != Some(&b'-') && letters.contains(&b'c') =>
            {
                InnerShell::Text
            }
            // The argument of an option, as in `-o pipefail`, isn't a text.
            (InnerShell::Options, [b'-' | b'+', ..]) => InnerShell::Options,
            (InnerShell::Options, option)
                if option.iter().all(u8::is_ascii_lowercase) && !is_shell(option) =>
            {
                InnerShell::Options
            }
            (_, name) if is_shell(name) => InnerShell::Options,
            _ => InnerShell::None,
        }
    }
}

impl Prefix {
    fn next(self, word: &ShellWord, dialect: Dialect) -> Option<CommandState> {
        let then = |prefix| Some(CommandState::Prefix(prefix));
        match (self, word.bytes()) {
            (Prefix::Count, _) => None,
            (Prefix::Argument("coproc"), _) if opens_command(word.bare()) => None,
            (Prefix::Argument("coproc"), _) => Some(CommandState::Other(InnerShell::None)),
            (Prefix::Options("exec"), b"-a") => then(Prefix::Argument("exec")),
            // `command -v` only prints what the name means.
            (Prefix::Options("command"), [b'-', letters @ ..])
                if letters.iter().any(|byte| b"vV".contains(byte)) =>
            {
                Some(CommandState::Says)
            }
            (Prefix::Argument(name), _) | (Prefix::Options(name), [b'-', ..]) => then(Prefix::Options(name)),
            _ => Some(command(word, dialect)),
        }
    }
}
