//! Why a command can't be split, and what to write instead.
//! Each error names the character or word, so that the user finds it in a long line.

use std::fmt;

/// Something in a command that only a shell can carry out, or that even a shell can't read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SplitError {
    /// It joins commands, redirects or groups.
    Operator(char),
    /// `$` or a backquote: a shell replaces it by a variable or by a command's output.
    Expansion(char),
    /// `*`, `?` or `[`: a shell replaces it by names of files.
    Pattern(char),
    /// `{a,b}` or `{1..3}`.
    Braces,
    /// `~`: a shell replaces it by a home directory.
    Tilde,
    /// A comment after a command.
    Comment,
    /// `NAME=value` before a command.
    Assignment(String),
    /// A first word that is part of the grammar, such as `if`, or that acts on the shell itself, such as
    /// `cd`.
    Keyword(&'static str),
    /// A backslash at the end of a line, or a newline outside of quotes.
    Newline,
    Unterminated(char),
    EmptyProgram,
}

/// The advice for most of them.
const QUOTE_OR_SHELL: &str = "give --shell to have one read the lines, or put it in single quotes";

impl fmt::Display for SplitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SplitError::Operator(byte) => write!(f, "`{byte}` is for a shell: {QUOTE_OR_SHELL}"),
            SplitError::Expansion(byte) => {
                write!(f, "`{byte}` is for a shell, which would put something else there: {QUOTE_OR_SHELL}")
            }
            SplitError::Pattern(byte) => {
                write!(f, "`{byte}` is for a shell, which would put names of files there: {QUOTE_OR_SHELL}")
            }
            SplitError::Braces => {
                write!(f, "`{{` is for a shell, which would make several words of it: {QUOTE_OR_SHELL}")
            }
            SplitError::Tilde => {
                write!(f, "`~` is for a shell, which would put a home directory there: {QUOTE_OR_SHELL}")
            }
            SplitError::Comment => write!(f, "`#` begins a comment for a shell: {QUOTE_OR_SHELL}"),
            SplitError::Assignment(name) => write!(
                f,
                "`{name}=` sets a variable in a shell: write `env {name}=…` before the command, or give --shell"
            ),
            SplitError::Keyword(word) => {
                write!(
                    f,
                    "`{word}` is for a shell and names no program: give --shell to have one read the lines"
                )
            }
            SplitError::Newline => {
                f.write_str("a command can't go on behind the end of its line: join the two, or give --shell")
            }
            SplitError::Unterminated(quote) => write!(
                f,
                "the quote {quote} is not closed: close it, or write \\{quote} where it stands for itself"
            ),
            SplitError::EmptyProgram => f.write_str("the first word is empty; it has to name a program"),
        }
    }
}

impl std::error::Error for SplitError {}
