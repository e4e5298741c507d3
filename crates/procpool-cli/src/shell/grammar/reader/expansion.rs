//! Where an expansion ends: what follows a `$` or a backquote.
//! Shells disagree about nested expansions and quotes within them; there reading stops.

use crate::shell::grammar::dialect::Dialect;
use crate::shell::grammar::position::Position;
use crate::shell::grammar::reader::unsure::Unsure;
use crate::shell::grammar::reader::{Nesting, ScriptReader};
use crate::shell::lexer::{Quotes, name_length, plain_length};

impl ScriptReader {
    /// Reads an expansion after its first byte. Returns its length.
    pub(super) fn read_expansion(&mut self, byte: u8, after: &[u8]) -> Result<usize, Unsure> {
        let is_bare = self.lexer.quotes() == Quotes::None;
        match (byte, after) {
            (b'$', [b'\'', text @ ..]) if is_bare => return self.read_ansi_quoted(text),
            // Bash translates the text in these quotes.
            (b'$', [b'"', ..]) if is_bare => return Ok(0),
            (b'$', [b'(', inside @ ..]) if !inside.starts_with(b"(") => {
                self.open(Nesting::Substitution, self.position, Position::Command);
                return Ok(1);
            }
            _ => {}
        }
        self.lexer.word.push_unknown();
        match (byte, after) {
            (b'`', _) => plain_length(after, b"`", b"\\").ok_or(Unsure::Backquotes),
            (_, []) => {
                self.before = Some("`$`");
                Ok(0)
            }
            (_, [b'[', ..]) => Err(Unsure::OldArithmetic),
            (_, [b'(', b'(', expression @ ..]) => {
                Ok(plain_length(expression, b"))", b"'\"`$\\(").ok_or(Unsure::Arithmetic)? + 2)
            }
            (_, [b'{', name @ ..]) => Ok(plain_length(name, b"}", b"'\"`$\\{").ok_or(Unsure::Braces)? + 1),
            _ => name_and_subscripts(after, self.context.dialect),
        }
    }

    /// Reads the text after `$'`. A backslash before the closing quote keeps it open only in shells that know
    /// `$'`.
    fn read_ansi_quoted(&mut self, after: &[u8]) -> Result<usize, Unsure> {
        let length = plain_length(after, b"'", b"").filter(|length| !after[..length - 1].ends_with(b"\\"));
        let Some(length) = length else {
            self.lexer.word.push_unknown();
            return Err(Unsure::AnsiQuotes);
        };
        self.lexer.word.begin();
        after[..length - 1].iter().for_each(|byte| self.lexer.word.push_quoted(*byte));
        Ok(length + 1)
    }
}

/// The length of the name after a `$`, in zsh with its subscripts.
fn name_and_subscripts(after: &[u8], dialect: Dialect) -> Result<usize, Unsure> {
    let flags = after.iter().take_while(|byte| b"#+=~^".contains(byte)).count();
    let named = &after[flags..];
    let digits = named.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let length = match name_length(named) {
        0 if digits > 0 => digits,
        0 => usize::from(named.first().is_some_and(|byte| b"@*#?$!-".contains(byte))),
        length => length,
    };
    match named.get(length..) {
        Some(behind @ [b'[', ..]) if dialect == Dialect::Zsh => {
            Ok(flags + length + subscripts_length(behind)?)
        }
        // For example `$#` before a quote: `#` is the name, not a flag.
        _ if length == 0 => Ok(0),
        _ if flags > 0 && dialect != Dialect::Zsh => Ok(1),
        _ => Ok(flags + length),
    }
}

/// The length of `[1][2]`.
fn subscripts_length(text: &[u8]) -> Result<usize, Unsure> {
    let mut length = 0;
    while let Some([b'[', subscript @ ..]) = text.get(length..) {
        length += 1 + plain_length(subscript, b"]", b"'\"`$\\[").ok_or(Unsure::Subscript)?;
    }
    Ok(length)
}
