//! Why a value can't be inserted in a place of a shell's command, and what to write instead.
//! Every text gives an alternative that works; a test runs the one for numbers.

use std::fmt;

/// What a shell would do with a value there, and the word that causes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Parses it as commands.
    Code(&'static str),
    /// Takes it as a variable's name. A name may have a subscript, which is evaluated.
    Name(&'static str),
    /// Evaluates it as arithmetic.
    Number(&'static str),
    /// Evaluates it as the subscript of an array.
    Subscript,
    /// Parses it as a list, whose elements are expanded.
    List(&'static str),
    /// Could take it as an option or operator, and a later word as a name.
    Option(&'static str),
    /// Expands the file of `>&` a second time.
    Duplicate,
    /// Runs it, if the shell reads `&>` as two operators.
    Both,
    /// Passes it to another shell as part of a text.
    Text,
    /// Takes it as qualifiers of a pattern, one of which runs commands.
    Qualifiers,
}

/// How to validate a number. A test runs it.
pub(crate) const CHECK: &str =
    "check it before, as in `n={}; case $n in ''|*[!0-9]*) exit 2;; esac; …`, and write $n there";

const COMPUTES: &str = "there a shell computes it, and computing x[$(command)] runs the command";

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value can't be put ")?;
        match self {
            Refusal::Code(word) => write!(
                f,
                "behind `{word}`, which reads it as commands: put it into a variable before, as in `x={{}}; …`, and write \
                 '… \"$x\" …' there, in single quotes"
            ),
            Refusal::Name(word) => write!(
                f,
                "behind `{word}`, which takes it for the name of a variable, and x[$(command)] for one whose subscript \
                 is computed, so that the command runs: write the name itself, and put the value into it by `name={{}}`"
            ),
            Refusal::Number(word) => write!(f, "beside `{word}`: {COMPUTES}; {CHECK}"),
            Refusal::Subscript => write!(f, "into the subscript of an array: {COMPUTES}; {CHECK}"),
            Refusal::List(word) => write!(
                f,
                "behind `{word}` of an array: there a shell reads (…) in it as a list, and runs the $(command) in that; \
                 write name=({{}}), without `{word}` or on a line of its own"
            ),
            Refusal::Option(word) => write!(
                f,
                "where `{word}` may take it for an option or an operator: a word behind that can be read as a name, \
                 and x[$(command)] runs the command; write {}",
                instead_of_option(word)
            ),
            Refusal::Duplicate => f.write_str(
                "behind `>&` or `<&`: what is no number is expanded once more there, so that a $(command) in it runs; \
                 write `> {} 2>&1`",
            ),
            Refusal::Both => f.write_str(
                "behind `&>` and its file, which some shells read as `&`, so that the value would be run: write `> file 2>&1` \
                 behind it",
            ),
            Refusal::Text => f.write_str(
                "into the text behind `-c` of another shell, which reads it as commands: write it as an argument, as in \
                 `sh -c 'echo \"$1\"' sh {}`",
            ),
            Refusal::Qualifiers => f.write_str(
                "between the parentheses of a pattern: there a shell may read it as a qualifier, and e:'command': runs \
                 the command; put it into a variable before, as in `x={}; …`, and write \"$x\" where it is compared",
            ),
        }
    }
}

fn instead_of_option(word: &str) -> &'static str {
    match word {
        "printf" => "printf '%s\\n' {}",
        "print" => "print -r -- {}",
        "set" => "it into a variable, as in `x={}`",
        _ => "the operator itself between two values, as in [ {1} = {2} ]",
    }
}
