//! What a command of a shell makes of its words, as far as it does more with them than to pass them on.
//!
//! The lists are those of the manuals of bash, zsh, ksh93, mksh, yash and dash, and each entry was tried with a value
//! that creates a file where it is run (`tests/dangers.rs`).

mod assigning;
mod printing;
mod testing;

use crate::shell::grammar::dialect::{Dialect, is_shell};
use crate::shell::grammar::refusal::Refusal;
use crate::shell::grammar::variables::Context;

use crate::shell::lexer::{Target, Word, among};

use assigning::{Assigner, assigner};
use printing::{Print, Printf};
use testing::Test;

/// A command, and where in its words the next one stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// Passes them on. One of them may be a shell.
    Other(Code),
    /// Passes them on, whatever they are.
    Says,
    /// Another command follows.
    Prefix(Prefix),
    /// No value can stand behind it.
    Refuses(Refusal),
    Assigns(Assigner),
    Tests(Test),
    Printf(Printf),
    Print(Print),
    /// `set` with options only so far.
    Set,
    /// `set` whose last word was `-o` or alike, of which a name follows.
    SetOption,
    /// `for` and `select`, whose variable follows.
    Loop(&'static str),
    /// `coproc`, behind which a name may stand before a compound command.
    Coproc,
}

/// Whether a word is the text of another shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    None,
    /// Options of a shell may follow.
    Options,
    /// `-c` was among them.
    Text,
}

/// What stands before a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prefix {
    /// Its options, too.
    Options(&'static str),
    /// The argument of its last option.
    Argument(&'static str),
    /// How often it is run.
    Count,
}

/// They read what they are given, or part of it, as commands.
const READERS: &str = "eval trap alias compgen emulate zmv zpty zstyle";

/// They take what they are given, or part of it, for names of variables.
const NAMERS: &str = "getln read unset getopts mapfile readarray wait zparseopts zregexparse zformat sysread sysopen \
    strftime zstat";

/// They do so in some shells, and want a number in others.
const COUNTERS: &str = "shift exit return break continue ulimit logout bye";

const PREFIXES: &str = "command builtin exec noglob -";

/// Words of the grammar after which a command may stand, or one more of them. `time` has options.
const OPENING: &str = "if then elif else while until do ! { time -p -- nocorrect always";

/// Whether a command may stand behind a word that isn't quoted, in the place of a command.
pub(super) fn opens_command(bare: &[u8]) -> bool {
    among(OPENING, bare).is_some()
}

/// What a command is by its name. What is quoted in that makes no difference.
pub(super) fn command(word: &Word, dialect: Dialect) -> Command {
    let among = |names| among(names, word.bytes());
    let refuses = |names, refusal: fn(&'static str) -> Refusal| {
        among(names).map(|name| Command::Refuses(refusal(name)))
    };
    refuses(READERS, Refusal::Code)
        .or_else(|| refuses(NAMERS, Refusal::Name))
        .or_else(|| refuses("let", Refusal::Number))
        .or_else(|| refuses(COUNTERS, Refusal::Number).filter(|_| dialect.computes_numbers()))
        .or_else(|| assigner(word.bytes()).map(Command::Assigns))
        .or_else(|| among(PREFIXES).map(|name| Command::Prefix(Prefix::Options(name))))
        .or_else(|| among("for select foreach").map(Command::Loop))
        .unwrap_or_else(|| match word.bytes() {
            b"[[" => Command::Tests(Test::grammar()),
            b"[" => Command::Tests(Test::command("[")),
            b"test" => Command::Tests(Test::command("test")),
            b"printf" => Command::Printf(Printf::Options),
            b"print" if dialect.computes_numbers() => Command::Print(Print::Options),
            b"repeat" => Command::Prefix(Prefix::Count),
            b"set" => Command::Set,
            b"coproc" => Command::Coproc,
            b"echo" => Command::Says,
            name if is_shell(name) => Command::Other(Code::Options),
            _ => Command::Other(Code::None),
        })
}

impl Command {
    /// Why a value can't stand here, as part of a word that begins so.
    pub(super) fn refuses(self, begun: &Word, context: &Context) -> Option<Refusal> {
        match self {
            Command::Refuses(refusal) => Some(refusal),
            Command::Assigns(assigner) => assigner.refuses(begun, context),
            Command::Tests(test) => test.refuses(),
            Command::Printf(printf) => printf.refuses(begun),
            Command::Print(print) => print.refuses(begun),
            Command::Set | Command::SetOption => Some(Refusal::Option("set")),
            Command::Loop(name) => Some(Refusal::Name(name)),
            Command::Prefix(Prefix::Count) => Some(Refusal::Number("repeat")),
            Command::Other(Code::Text) if begun.is_begun() && !begun.bytes().is_empty() => {
                Some(Refusal::Text)
            }
            // What bash reads before any script, and expands for its name.
            Command::Other(_) if begun.bytes().starts_with(b"BASH_ENV=") => Some(Refusal::Code("BASH_ENV=")),
            Command::Other(_) | Command::Says | Command::Coproc | Command::Prefix(_) => None,
        }
    }

    /// What is wrong with a word that has ended, or with one before it.
    pub(super) fn fault(self, word: &Word, dialect: Dialect) -> Option<Refusal> {
        match self {
            Command::Tests(test) => test.fault(word, dialect),
            Command::Printf(printf) => printf.fault(),
            Command::Other(Code::Text) if word.holds_value() && !word.is_value() => Some(Refusal::Text),
            _ => None,
        }
    }

    /// What it makes of the words behind this one. None where another command follows.
    pub(super) fn next(self, word: &Word, context: &mut Context) -> Option<Command> {
        Some(match self {
            Command::Other(code) => Command::Other(code.next(word)),
            Command::Prefix(prefix) => return prefix.next(word, context.dialect),
            Command::Assigns(assigner) => Command::Assigns(assigner.next(word, &mut context.variables)),
            Command::Tests(test) if test.ends_with(word) => return None,
            Command::Tests(test) => Command::Tests(test.next(word, context.dialect)),
            Command::Printf(printf) => Command::Printf(printf.next(word, context)),
            Command::Print(print) => Command::Print(print.next(word)),
            Command::Set if matches!(word.bytes(), [b'-' | b'+', .., b'o']) => Command::SetOption,
            Command::SetOption => Command::Set,
            Command::Loop(_) => {
                let refusal = context.variables.refuses(word.bytes(), context.dialect);
                refusal.map_or(Command::Other(Code::None), Command::Refuses)
            }
            Command::Coproc => match command(word, context.dialect) {
                // Whether it is its name or a command is said by what follows.
                Command::Other(Code::None) => Command::Prefix(Prefix::Argument("coproc")),
                command => command,
            },
            Command::Refuses(Refusal::Name(_)) => {
                // `read -a` and `mapfile` make an array of it.
                context.variables.add_array(word.bytes());
                context.variables.refuses(word.bytes(), context.dialect).map_or(self, Command::Refuses)
            }
            Command::Says | Command::Refuses(_) | Command::Set => self,
        })
    }

    /// Takes note of a list behind a word such as `a=`, and says why no value can be one of it.
    pub(super) fn list(self, word: &Word, context: &mut Context) -> Option<Refusal> {
        let refusal = self.refuses(word, context);
        if let Target::Variable(name) = word.declaration() {
            context.variables.add_array(name);
        }
        // A list that is written here is no value that is read as one.
        refusal.filter(|refusal| !matches!(refusal, Refusal::List(_)))
    }

    /// Whether what stands behind an equals sign in its words is assigned.
    pub(super) fn declares(self) -> bool {
        matches!(self, Command::Assigns(_))
    }

    /// Whether the grammar reads its words, so that operators are some of them.
    pub(super) fn is_grammar(self) -> bool {
        matches!(self, Command::Tests(test) if test.is_grammar())
    }

    /// An operator stands between its words.
    pub(super) fn operator(self) -> Command {
        match self {
            Command::Tests(test) => Command::Tests(test.operator()),
            command => command,
        }
    }
}

impl Code {
    fn next(self, word: &Word) -> Code {
        match (self, word.bytes()) {
            (Code::Options, [b'-' | b'+', letters @ ..])
                if letters.first() != Some(&b'-') && letters.contains(&b'c') =>
            {
                Code::Text
            }
            // With an argument of its own, as `-o pipefail`, it is one more word that is no text.
            (Code::Options, [b'-' | b'+', ..]) => Code::Options,
            (Code::Options, option) if option.iter().all(u8::is_ascii_lowercase) && !is_shell(option) => {
                Code::Options
            }
            (_, name) if is_shell(name) => Code::Options,
            _ => Code::None,
        }
    }
}

impl Prefix {
    fn next(self, word: &Word, dialect: Dialect) -> Option<Command> {
        let then = |prefix| Some(Command::Prefix(prefix));
        match (self, word.bytes()) {
            (Prefix::Count, _) => None,
            (Prefix::Argument("coproc"), _) if opens_command(word.bare()) => None,
            (Prefix::Argument("coproc"), _) => Some(Command::Other(Code::None)),
            (Prefix::Options("exec"), b"-a") => then(Prefix::Argument("exec")),
            // It only asks what the name stands for.
            (Prefix::Options("command"), [b'-', letters @ ..])
                if letters.iter().any(|byte| b"vV".contains(byte)) =>
            {
                Some(Command::Says)
            }
            (Prefix::Argument(name), _) | (Prefix::Options(name), [b'-', ..]) => then(Prefix::Options(name)),
            _ => Some(command(word, dialect)),
        }
    }
}
