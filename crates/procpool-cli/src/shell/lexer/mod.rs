//! The lexer of shell text: what quotes, backslashes, comments and blanks mean, as far as all shells agree.
//!
//! Its three users: `split` accepts words and refuses every other token; `grammar` continues where the shells
//! differ; `quote` puts quotes around every word that has a byte which isn't plain.
//!
//! No library fits. A template's text comes in pieces with placeholders between them, and `grammar` must know
//! for each placeholder in which quotes and in which word it stands, for six shells. shlex and shell-words
//! don't refuse what needs a shell. yash-syntax (GPL) and conch-parser want the complete text of one shell.

mod word;

use std::mem;

pub(crate) use crate::shell::lexer::word::Quotes;
pub(super) use crate::shell::lexer::word::{Assignment, ShellWord, among, name_length};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// Part of a word: plain bytes, a quoted byte, or a quote.
    Part,
    /// Part of a word: an unquoted byte that is special in some places.
    Bare(u8),
    /// A backslash and a newline, both of which a shell removes.
    Continuation,
    /// A backslash at the end of the text.
    Backslash,
    /// `$` or a backquote.
    Expansion(u8),
    Blank,
    /// Up to the next newline, which isn't part of it.
    Comment,
    /// A newline, or a byte of an operator.
    Operator(u8),
}

/// The state between two tokens. The text may come in pieces.
#[derive(Debug, Default)]
pub(super) struct Lexer {
    quotes: Quotes,
    is_comment: bool,
    /// The word so far.
    pub(super) word: ShellWord,
}

impl Lexer {
    pub(super) fn quotes(&self) -> Quotes {
        self.quotes
    }

    pub(super) fn is_comment(&self) -> bool {
        self.is_comment
    }

    /// Ends the word, and returns it if there is one.
    pub(super) fn end_word(&mut self) -> Option<ShellWord> {
        Some(mem::take(&mut self.word)).filter(ShellWord::is_begun)
    }

    /// Removes the next token from `text`. A token that is part of a word is added to the word.
    pub(super) fn next(&mut self, text: &mut &[u8]) -> Option<Token> {
        if self.is_comment {
            let newline = text.iter().position(|byte| *byte == b'\n');
            *text = &text[newline.unwrap_or(text.len())..];
            self.is_comment = newline.is_none();
        }
        let plain = text.iter().take_while(|byte| is_plain(**byte)).count();
        if plain > 0 {
            self.word.extend(&text[..plain], self.quotes);
            *text = &text[plain..];
            return Some(Token::Part);
        }
        let (byte, rest) = text.split_first()?;
        *text = rest;
        Some(match (self.quotes, *byte) {
            (Quotes::None, b'\'') => self.quote(Quotes::Single),
            (Quotes::None, b'"') => self.quote(Quotes::Double),
            (Quotes::Single, b'\'') | (Quotes::Double, b'"') => self.quote(Quotes::None),
            (Quotes::None | Quotes::Double, b'\\') => self.escape(text),
            (Quotes::None | Quotes::Double, byte @ (b'$' | b'`')) => Token::Expansion(byte),
            (Quotes::None, b' ' | b'\t') => Token::Blank,
            (Quotes::None, byte @ (b'\n' | b'|' | b'&' | b';' | b'<' | b'>' | b'(' | b')')) => {
                Token::Operator(byte)
            }
            (Quotes::None, b'#') if !self.word.is_begun() => {
                self.is_comment = true;
                Token::Comment
            }
            (Quotes::None, byte) => {
                self.word.push(byte);
                Token::Bare(byte)
            }
            (Quotes::Single | Quotes::Double, byte) => self.quoted(byte),
        })
    }

    /// A quote was read: from here on the text is in these quotes.
    fn quote(&mut self, behind: Quotes) -> Token {
        self.quotes = behind;
        self.word.begin();
        Token::Part
    }

    fn quoted(&mut self, byte: u8) -> Token {
        self.word.push_quoted(byte);
        Token::Part
    }

    /// A backslash was read; this text follows.
    fn escape(&mut self, text: &mut &[u8]) -> Token {
        let Some((byte, rest)) = text.split_first() else {
            self.word.begin();
            return Token::Backslash;
        };
        if self.quotes == Quotes::Double && !b"$`\"\\\n".contains(byte) {
            // Here a backslash is an ordinary byte.
            return self.quoted(b'\\');
        }
        *text = rest;
        if *byte == b'\n' { Token::Continuation } else { self.quoted(*byte) }
    }
}

/// Whether a byte is ordinary to every shell, anywhere in a word.
pub(super) fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'_' | b'-' | b'.' | b'/' | b',' | b':' | b'+' | b'@' | b'%')
}

/// The length of the text up to and including `end`. None if `end` is missing or one of the bytes `odd`
/// precedes it.
pub(super) fn plain_length(text: &[u8], end: &[u8], odd: &[u8]) -> Option<usize> {
    let length = text.windows(end.len()).position(|window| window == end)?;
    let is_odd = text[..length].iter().any(|byte| odd.contains(byte));
    (!is_odd).then_some(length + end.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(lexer: &mut Lexer, mut text: &[u8]) -> Vec<Token> {
        std::iter::from_fn(|| lexer.next(&mut text)).collect()
    }

    #[test]
    fn what_is_plain_is_no_more_than_a_part_of_a_word() {
        for byte in (0..=u8::MAX).filter(|byte| is_plain(*byte)) {
            assert_eq!(tokens(&mut Lexer::default(), &[byte, byte]), [Token::Part]);
        }
    }

    #[test]
    fn a_text_may_come_in_pieces() {
        let mut lexer = Lexer::default();
        for (piece, quotes) in [("a 'b", Quotes::Single), ("c' \"$d\\", Quotes::Double), ("\"", Quotes::None)]
        {
            tokens(&mut lexer, piece.as_bytes());
            assert_eq!(lexer.quotes(), quotes, "{piece}");
        }
        assert_eq!(lexer.end_word().unwrap().bytes(), b"abcd");
        assert_eq!(tokens(&mut lexer, b" # it's"), [Token::Blank, Token::Comment]);
        assert_eq!(tokens(&mut lexer, b" 'all' "), []);
        assert!(lexer.is_comment());
        assert_eq!(tokens(&mut lexer, b"|\n"), [Token::Operator(b'\n')]);
    }

    #[test]
    fn a_backslash_takes_a_newline_out_unless_it_is_quoted_itself() {
        let mut lexer = Lexer::default();
        assert_eq!(tokens(&mut lexer, b"\\\n"), [Token::Continuation]);
        assert!(!lexer.word.is_begun());
        assert_eq!(tokens(&mut lexer, b"\"\\\n"), [Token::Part, Token::Continuation]);
        assert_eq!(tokens(&mut lexer, b"\\x\"'\\\n'"), [Token::Part; 7]);
        assert_eq!(lexer.end_word().unwrap().bytes(), b"\\x\\\n");
    }
}
