//! Why reading stopped: from here on shells differ, or the parameters do. And what to write instead.
//! Text after that is passed on unread, but no value can be inserted into it.

use std::fmt;

use crate::shell::grammar::refusal::CHECK;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unsure {
    Arithmetic,
    /// `$[1+2]`
    OldArithmetic,
    /// `a[ 1 ]=`, or in zsh `$a[1]`
    Subscript,
    Backquotes,
    /// `${x:-y}` with quotes or expansions in it.
    Braces,
    /// `$'a\n'`
    AnsiQuotes,
    HereDocument,
    Function,
    Shift,
    Set,
    Case,
}

impl Unsure {
    fn name(self) -> &'static str {
        match self {
            Unsure::Arithmetic => "an arithmetic expression, in which a shell computes values",
            Unsure::OldArithmetic => "`$[`, in which a shell computes values",
            Unsure::Subscript => "the subscript of an array, in which a shell computes values",
            Unsure::Backquotes => "backquotes: write $(…)",
            Unsure::Braces => "`${` with more than a name behind it",
            Unsure::AnsiQuotes => "`$'`",
            Unsure::HereDocument => "a here-document",
            Unsure::Function => "a function, which has parameters of its own",
            Unsure::Shift => "`shift`",
            Unsure::Set => "`set`, which changes the parameters",
            Unsure::Case => "`case` in $(…)",
        }
    }
}

impl fmt::Display for Unsure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const VARIABLE: &str =
            "put the value into a variable before, as in `x={}; …`, and write \"$x\" there";
        write!(f, "a value can't be put into or behind {}; ", self.name())?;
        match self {
            Unsure::Arithmetic | Unsure::OldArithmetic | Unsure::Subscript => f.write_str(CHECK),
            Unsure::Braces => write!(f, "{VARIABLE}; where that computes it, as in a subscript, {CHECK}"),
            _ => f.write_str(VARIABLE),
        }
    }
}
