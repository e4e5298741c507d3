//! What follows a `$`, a backquote or a backslash.
//! Knows nothing of commands, only of where an expansion ends.

use crate::shell::grammar::dialect::Dialect;
use crate::shell::grammar::position::Position;
use crate::shell::grammar::reader::unsure::Unsure;
use crate::shell::grammar::reader::{Opening, Quotes, Reader};
use crate::shell::grammar::word::name_length;

impl Reader {
    pub(super) fn read_escaped(&mut self, after: &[u8]) -> usize {
        match after.first() {
            None => {
                self.word.begin();
                self.before = Some("a backslash");
                0
            }
            // A shell takes both out.
            Some(b'\n') if self.quotes == Quotes::Double => 1,
            Some(byte) => {
                if self.quotes == Quotes::Double && !b"$`\"\\".contains(byte) {
                    self.word.push_quoted(b'\\');
                }
                self.word.push_quoted(*byte);
                1
            }
        }
    }

    /// What follows a `$`.
    pub(super) fn read_expansion(&mut self, after: &[u8]) -> usize {
        match after {
            [] => {
                self.word.push_unknown();
                self.before = Some("`$`");
                0
            }
            [b'(', b'(', expression @ ..] => {
                self.word.push_unknown();
                self.skip_plain(expression, b"))", b"'\"`$\\(", Unsure::Arithmetic) + 2
            }
            [b'(', ..] => {
                self.open(Opening::Substitution, self.position, Position::Command);
                1
            }
            [b'{', name @ ..] => {
                self.word.push_unknown();
                self.skip_plain(name, b"}", b"'\"`$\\{", Unsure::Braces) + 1
            }
            [b'[', ..] => {
                self.unsure = Some(Unsure::OldArithmetic);
                0
            }
            // A text that bash translates.
            [b'"', ..] if self.quotes == Quotes::None => 0,
            _ => {
                self.word.push_unknown();
                self.read_name(after)
            }
        }
    }

    /// What follows `$'`. A backslash before the closing quote keeps it open only in shells that know `$'`.
    pub(super) fn read_ansi_quoted(&mut self, after: &[u8]) -> usize {
        let length = after.iter().position(|byte| *byte == b'\'');
        match length.filter(|length| !after[..*length].ends_with(b"\\")) {
            Some(length) => {
                self.word.begin();
                after[..length].iter().for_each(|byte| self.word.push_quoted(*byte));
                length + 1
            }
            None => {
                self.unsure = Some(Unsure::AnsiQuotes);
                0
            }
        }
    }

    pub(super) fn read_backquoted(&mut self, after: &[u8]) -> usize {
        self.word.push_unknown();
        self.skip_plain(after, b"`", b"\\", Unsure::Backquotes)
    }

    /// The name behind a `$`, and in zsh its subscript.
    fn read_name(&mut self, after: &[u8]) -> usize {
        let flags = after.iter().take_while(|byte| b"#+=~^".contains(byte)).count();
        let named = &after[flags..];
        let digits = named.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let length = match name_length(named) {
            0 if digits > 0 => digits,
            0 => usize::from(named.first().is_some_and(|byte| b"@*#?$!-".contains(byte))),
            length => length,
        };
        match named.get(length..) {
            Some([b'[', ..]) if self.context.dialect == Dialect::Zsh => {
                flags + length + self.skip_subscripts(&named[length..])
            }
            // `$#` before a quote, for example, is no name with a flag.
            _ if length == 0 => 0,
            _ if flags > 0 && self.context.dialect != Dialect::Zsh => 1,
            _ => flags + length,
        }
    }

    /// Passes over `[1][2]`.
    fn skip_subscripts(&mut self, text: &[u8]) -> usize {
        let mut length = 0;
        while let Some([b'[', subscript @ ..]) = text.get(length..) {
            if self.unsure.is_some() {
                break;
            }
            length += 1 + self.skip_plain(subscript, b"]", b"'\"`$\\[", Unsure::Subscript);
        }
        length
    }

    /// Passes over all up to `end`, unless one of the bytes `odd` is in it, which only some shells read this way.
    pub(super) fn skip_plain(&mut self, text: &[u8], end: &[u8], odd: &[u8], what: Unsure) -> usize {
        let length = text.windows(end.len()).position(|window| window == end);
        match length.filter(|length| !text[..*length].iter().any(|byte| odd.contains(byte))) {
            Some(length) => length + end.len(),
            None => {
                self.unsure = Some(what);
                0
            }
        }
    }
}
