//! Where in a shell's command the next word stands, and what that command makes of its words.
//! Knows nothing of quotes and expansions; `reader.rs` does.

/// Where the next word stands. What is quoted in a word that it is told of is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Position {
    /// It would be a command, or a word of the grammar.
    #[default]
    Command,
    /// It is an argument of a command.
    Argument(Command),
    /// It is the file of a redirection; the word after that stands where this one would have.
    Target(Before),
    /// Behind `)`, `fi`, `done` and their like, where only an operator may follow.
    Closed,
}

/// What stood before a redirection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    Nothing,
    Arguments(Command),
    Closed,
}

/// Commands that do more with their words than to pass them on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Other,
    /// Reads its arguments as shell text, as names, or computes them.
    Reads(&'static str),
    /// The same, but for what stands behind a `=`, which it only assigns.
    Assigns(&'static str),
    /// `[[`, which computes the words beside `-eq` and its like.
    Test {
        holds_value: bool,
        computes: bool,
    },
    /// `set` with options only so far.
    Set,
    /// `set` whose last word was `-o` or alike, of which a name follows.
    SetOption,
}

/// Whose arguments a shell reads once more.
const READERS: [&str; 5] = ["eval", "let", "trap", "read", "unset"];
const ASSIGNERS: [&str; 6] = ["declare", "typeset", "local", "readonly", "export", "alias"];

/// Words after which a command may stand.
const OPENING: [&[u8]; 11] =
    [b"if", b"then", b"elif", b"else", b"while", b"until", b"do", b"!", b"{", b"time", b"coproc"];
const CLOSING: [&[u8]; 4] = [b"fi", b"done", b"esac", b"}"];

const COMPUTING: [&[u8]; 7] = [b"-eq", b"-ne", b"-lt", b"-le", b"-gt", b"-ge", b"-v"];

impl Position {
    /// A word has ended.
    pub(super) fn word(&mut self, word: &[u8]) {
        *self = match *self {
            _ if word.is_empty() => *self,
            Position::Command => command(word),
            Position::Argument(command) => Position::Argument(argument(command, word)),
            Position::Target(Before::Nothing) => Position::Command,
            Position::Target(Before::Arguments(command)) => Position::Argument(command),
            Position::Target(Before::Closed) | Position::Closed => Position::Closed,
        };
    }

    /// `<`, `>` or alike, behind a word that has ended.
    pub(super) fn redirection(&mut self) {
        *self = Position::Target(match *self {
            Position::Command => Before::Nothing,
            Position::Argument(command) => Before::Arguments(command),
            Position::Target(before) => before,
            Position::Closed => Before::Closed,
        });
    }

    /// Why a value can't stand here, as part of a word that begins so. It was meant to.
    pub(super) fn refuses(self, begun: &[u8]) -> Option<&'static str> {
        match self {
            Position::Command if is_subscript(begun) => {
                Some("the subscript of an array, which a shell computes")
            }
            Position::Argument(Command::Reads(name)) => Some(name),
            Position::Argument(Command::Assigns(name)) if !begun.contains(&b'=') => Some(name),
            Position::Argument(Command::Test { computes: true, .. }) => Some(TEST),
            _ => None,
        }
    }

    /// A value stands here.
    pub(super) fn value(&mut self) {
        if let Position::Argument(Command::Test { holds_value, .. }) = self {
            *holds_value = true;
        }
    }

    /// What is wrong with the command so far.
    pub(super) fn fault(self) -> Option<&'static str> {
        match self {
            Position::Argument(Command::Test { holds_value: true, computes: true }) => Some(TEST),
            _ => None,
        }
    }
}

pub(super) const TEST: &str = "`[[` with -eq, -lt or their like, which a shell computes: write `[` for it";

fn command(word: &[u8]) -> Position {
    if OPENING.contains(&word) || is_assignment(word) {
        return Position::Command;
    }
    if CLOSING.contains(&word) {
        return Position::Closed;
    }
    Position::Argument(match word {
        b"[[" => Command::Test { holds_value: false, computes: false },
        b"set" => Command::Set,
        word => {
            let among = |names: &[&'static str]| names.iter().copied().find(|name| name.as_bytes() == word);
            among(&READERS)
                .map(Command::Reads)
                .or_else(|| among(&ASSIGNERS).map(Command::Assigns))
                .unwrap_or(Command::Other)
        }
    })
}

fn argument(command: Command, word: &[u8]) -> Command {
    match command {
        Command::Test { holds_value, computes } => {
            Command::Test { holds_value, computes: computes || COMPUTING.contains(&word) }
        }
        Command::Set if matches!(word, [b'-' | b'+', .., b'o']) => Command::SetOption,
        Command::SetOption => Command::Set,
        command => command,
    }
}

fn is_assignment(word: &[u8]) -> bool {
    let Some(equals) = word.iter().position(|byte| *byte == b'=') else { return false };
    let name = word[..equals].strip_suffix(b"+").unwrap_or(&word[..equals]);
    is_name(name.split(|byte| *byte == b'[').next().unwrap_or_default())
}

fn is_subscript(begun: &[u8]) -> bool {
    let bracket = begun.iter().position(|byte| *byte == b'[');
    bracket.is_some_and(|bracket| is_name(&begun[..bracket]) && !begun[bracket..].contains(&b'='))
}

fn is_name(word: &[u8]) -> bool {
    let is_first = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
    word.first().is_some_and(is_first) && word.iter().all(|byte| is_first(byte) || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(words: &[&str]) -> Position {
        let mut position = Position::default();
        for word in words {
            match *word {
                ">" => position.redirection(),
                word => position.word(word.as_bytes()),
            }
        }
        position
    }

    #[test]
    fn a_command_may_stand_behind_words_of_the_grammar_and_assignments() {
        for words in
            [&[][..], &["if"], &["x=1"], &["a[1]=2", "y+=3"], &["!", "{"], &[">", "file"], &["then", "x="]]
        {
            assert_eq!(after(words), Position::Command, "{words:?}");
        }
        for words in
            [&["echo"][..], &["echo", "if"], &["x=1", "echo"], &[">", "f", "echo"], &["echo", ">", "f"]]
        {
            assert_eq!(after(words), Position::Argument(Command::Other), "{words:?}");
        }
        for words in [&["done"][..], &["fi", ">", "f"], &["}"]] {
            assert_eq!(after(words), Position::Closed, "{words:?}");
        }
    }

    #[test]
    fn what_a_shell_reads_once_more_refuses_values() {
        for words in [&["eval"][..], &["let"], &["trap"], &["declare", "-x"], &["[[", "1", "-eq"]] {
            assert!(after(words).refuses(b"").is_some(), "{words:?}");
        }
        assert!(after(&[]).refuses(b"a[").is_some());
        for words in [&["echo", "eval"][..], &["[["], &["[", "1", "-eq"], &["gsettings", "set"]] {
            assert!(after(words).refuses(b"").is_none(), "{words:?}");
        }
        assert!(after(&["export"]).refuses(b"x=").is_none());
        let mut position = after(&["[["]);
        position.value();
        position.word(b"\0");
        assert_eq!(position.fault(), None);
        position.word(b"-gt");
        assert_eq!(position.fault(), Some(TEST));
    }
}
