//! What a shell takes each byte of a text for: a part of a word, quoted or not, the end of a word, or more than that.
//!
//! It holds what all shells agree on, and all that reads or writes their text goes by it: `split` refuses each token
//! that is more than a part of a word, `grammar` goes on from there to what the shells differ in, and `quote` puts quotes
//! around all that isn't plain.
//!
//! It is written by hand because `grammar` has to know in which quotes, and in which word, a value would stand that is
//! put between two pieces of a text, in any of six shells. shlex and shell-words split whatever they are given;
//! yash-syntax and conch-parser want the whole text, of one shell, and read what other shells read in another way.

mod word;

use std::mem;

pub(crate) use crate::shell::lexer::word::Quotes;
pub(super) use crate::shell::lexer::word::{Assignment, ShellWord, among, name_length};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A part of a word and no more: plain bytes, a quoted one, or a quote.
    Part,
    /// A byte of a word that is neither plain nor quoted.
    Bare(u8),
    /// A backslash and a newline: a shell takes both out.
    Continuation,
    /// A backslash at the end of the text.
    Backslash,
    /// `$` or a backquote.
    Expansion(u8),
    Blank,
    /// It ends before the next newline.
    Comment,
    /// A newline, or a byte that operators are made of.
    Operator(u8),
}

/// Where in a text the next byte stands.
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

    /// The word that ends here, if there is one.
    pub(super) fn end_word(&mut self) -> Option<ShellWord> {
        Some(mem::take(&mut self.word)).filter(ShellWord::is_begun)
    }

    /// Takes the next token off the text, and adds it to the word if it is a part of one.
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

    /// A quote, and the quotes behind it.
    fn quote(&mut self, behind: Quotes) -> Token {
        self.quotes = behind;
        self.word.begin();
        Token::Part
    }

    fn quoted(&mut self, byte: u8) -> Token {
        self.word.push_quoted(byte);
        Token::Part
    }

    /// A backslash before this text.
    fn escape(&mut self, text: &mut &[u8]) -> Token {
        let Some((byte, rest)) = text.split_first() else {
            self.word.begin();
            return Token::Backslash;
        };
        if self.quotes == Quotes::Double && !b"$`\"\\\n".contains(byte) {
            // It means itself.
            return self.quoted(b'\\');
        }
        *text = rest;
        if *byte == b'\n' { Token::Continuation } else { self.quoted(*byte) }
    }
}

/// Whether a byte means itself to every shell, wherever it stands in a word. Others do so in some places.
pub(super) fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'_' | b'-' | b'.' | b'/' | b',' | b':' | b'+' | b'@' | b'%')
}

/// The length of all up to `end`, with `end`. None where it isn't there, or one of the bytes `odd` stands before it.
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
