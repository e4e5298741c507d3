//! Reads a text as a POSIX shell does, as far as it takes to know in which quotes a place of it stands, and of which
//! command. Where it isn't sure it says so, by name.

mod expansion;
mod unsure;

use anyhow::bail;

use crate::shell::grammar::command::Command;
use crate::shell::grammar::dialect::Dialect;
use crate::shell::grammar::position::{Position, Redirection};
use crate::shell::grammar::reader::unsure::Unsure;
use crate::shell::grammar::refusal::Refusal;
use crate::shell::grammar::variables::{Context, Variables};
use crate::shell::grammar::word::{Target, Word};

/// The quotes around a place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Quotes {
    #[default]
    None,
    Single,
    Double,
}

/// What stands in a place of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stand {
    /// Anything.
    Value,
    /// A number of our own.
    Number,
}

/// What was read so far.
#[derive(Debug)]
pub(crate) struct Reader {
    context: Context,
    quotes: Quotes,
    /// What each `(` that is open stands in.
    outer: Vec<Outer>,
    comment: Comment,
    word: Word,
    position: Position,
    /// A value stands where the shell does more with it: this is known only behind it.
    fault: Option<Refusal>,
    /// What the last piece of text ended with that changes what follows.
    before: Option<&'static str>,
    /// From here on it isn't sure what is quoted, or what the parameters are.
    unsure: Option<Unsure>,
}

#[derive(Debug)]
struct Outer {
    opening: Opening,
    quotes: Quotes,
    /// Behind the end.
    position: Position,
    /// What it is part of.
    word: Word,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opening {
    /// `$(`, `<(`
    Substitution,
    /// `(`, `a=(`, `@(`
    Group,
}

#[derive(Debug, Default, PartialEq)]
enum Comment {
    #[default]
    None,
    Open,
}

impl Reader {
    pub(crate) fn new(dialect: Dialect) -> Reader {
        Reader {
            context: Context { dialect, variables: Variables::default() },
            quotes: Quotes::None,
            outer: Vec::new(),
            comment: Comment::None,
            word: Word::default(),
            position: Position::Command,
            fault: None,
            before: None,
            unsure: None,
        }
    }

    /// The quotes that whatever comes next stands in.
    ///
    /// # Errors
    /// Where it isn't sure, or nothing can be put there, or not this.
    pub(crate) fn quotes_here(&self, stand: Stand) -> anyhow::Result<Quotes> {
        if let Some(unsure) = self.unsure {
            bail!("{unsure}");
        }
        if let Some(before) = self.before {
            bail!(
                "{before} stands right before a placeholder: where the braces are the shell's, choose another \
                 placeholder with -I"
            );
        }
        if self.comment == Comment::Open {
            bail!("a value can't be put into a comment: leave the comment out");
        }
        let refusal = self.position.refuses(&self.word, &self.context);
        match refusal {
            Some(refusal) if stand == Stand::Value => bail!("{refusal}"),
            _ => Ok(self.quotes),
        }
    }

    /// Whether a word that is put at the end would be an argument.
    ///
    /// # Errors
    /// Where it would be run as a command, or break the grammar.
    pub(crate) fn takes_arguments(&self) -> anyhow::Result<()> {
        match self.position {
            Position::Argument(_) => Ok(()),
            Position::Command if self.unsure.is_none() => {
                bail!("the value would stand where a command does, and be run: write {{}} where it belongs")
            }
            _ => bail!(
                "behind the end of the command there is no place for the value: write {{}} where it belongs"
            ),
        }
    }

    /// Takes note that something stands here that is one word, or part of one.
    pub(crate) fn pass_placeholder(&mut self, stand: Stand) {
        match stand {
            Stand::Value => self.word.push_value(),
            Stand::Number => self.word.push_quoted(b'1'),
        }
    }

    /// # Errors
    /// Where a quote is open, or a value stands where the shell does more with it.
    pub(crate) fn end(&mut self) -> anyhow::Result<()> {
        self.end_word();
        if let Some(fault) = self.fault {
            bail!("{fault}");
        }
        let is_open = self.quotes != Quotes::None || self.is_substituted();
        if self.unsure.is_none() && is_open {
            bail!("a quote or a $( is not closed at the end of the command");
        }
        Ok(())
    }

    /// Reads on.
    pub(crate) fn read(&mut self, text: &[u8]) {
        self.before = None;
        let mut rest = text;
        while let Some((byte, after)) = rest.split_first() {
            if self.unsure.is_some() {
                return;
            }
            let passed = match (&self.comment, self.quotes) {
                (Comment::Open, _) => {
                    if *byte == b'\n' {
                        self.comment = Comment::None;
                        self.position.operator();
                    }
                    0
                }
                (Comment::None, Quotes::Single) => {
                    match byte {
                        b'\'' => self.quotes = Quotes::None,
                        byte => self.word.push_quoted(*byte),
                    }
                    0
                }
                (Comment::None, Quotes::Double) => self.read_double_quoted(*byte, after),
                (Comment::None, Quotes::None) => self.read_bare(*byte, after),
            };
            rest = &after[passed..];
        }
    }

    /// Reads a byte, and returns how many more it has read with it.
    fn read_double_quoted(&mut self, byte: u8, after: &[u8]) -> usize {
        match byte {
            b'"' => {
                self.quotes = Quotes::None;
                0
            }
            b'\\' => self.read_escaped(after),
            b'$' => self.read_expansion(after),
            b'`' => self.read_backquoted(after),
            byte => {
                self.word.push_quoted(byte);
                0
            }
        }
    }

    fn read_bare(&mut self, byte: u8, after: &[u8]) -> usize {
        match byte {
            b'\'' | b'"' => {
                self.quotes = if byte == b'"' { Quotes::Double } else { Quotes::Single };
                self.word.begin();
                0
            }
            // A shell takes both out.
            b'\\' if after.first() == Some(&b'\n') => 1,
            b'\\' => self.read_escaped(after),
            b'$' if after.first() == Some(&b'\'') => self.read_ansi_quoted(&after[1..]) + 1,
            b'$' => self.read_expansion(after),
            b'`' => self.read_backquoted(after),
            b'#' if !self.word.is_begun() => {
                self.comment = Comment::Open;
                0
            }
            b' ' | b'\t' => {
                self.end_word();
                0
            }
            b'<' | b'>' if self.word.is_descriptor() => {
                self.word = Word::default();
                self.read_operator(byte, after)
            }
            b'(' if self.word.is_begun() && !self.position.ends_before_group(&self.word) => {
                self.read_group_in_word(after)
            }
            b'\n' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')' => {
                // `<(…)` and `>(…)` are words, or parts of one.
                if matches!(byte, b'<' | b'>') && after.first() == Some(&b'(') {
                    self.open(Opening::Substitution, self.position, Position::Command);
                    return 1;
                }
                self.end_word();
                self.read_operator(byte, after)
            }
            byte => {
                self.word.push(byte);
                0
            }
        }
    }

    fn read_operator(&mut self, byte: u8, after: &[u8]) -> usize {
        match byte {
            b'<' if after.starts_with(b"<<") => {
                self.position.redirection(Redirection::Text);
                return 2;
            }
            b'&' if after.starts_with(b">") => {
                self.position.redirection(Redirection::Both);
                return after.iter().take_while(|byte| **byte == b'>').count();
            }
            b'<' if after.starts_with(b"<") => self.unsure = Some(Unsure::HereDocument),
            b'<' | b'>' => {
                // Of `>&` and `>|` the second byte is no operator of its own.
                let more = after.iter().take_while(|byte| b"&|>".contains(byte)).count();
                let is_duplicate = after[..more].contains(&b'&');
                let redirection = if is_duplicate { Redirection::Duplicate } else { Redirection::File };
                self.position.redirection(redirection);
                return more;
            }
            b'(' if after.starts_with(b"(") => {
                return self.skip_plain(&after[1..], b"))", b"'\"`$\\(", Unsure::Arithmetic) + 1;
            }
            b'(' if is_empty_group(after) => self.unsure = Some(Unsure::Function),
            b'(' => {
                let (inside, behind) = self.position.group();
                self.open(Opening::Group, behind, inside);
            }
            b')' => self.close(),
            _ => self.position.operator(),
        }
        0
    }

    /// A `(` right behind something else.
    fn read_group_in_word(&mut self, after: &[u8]) -> usize {
        let is_list = self.word.bare().ends_with(b"=");
        if is_empty_group(after) && !is_list {
            self.unsure = Some(Unsure::Function);
            return 0;
        }
        if self.word.bare() == b"=" {
            // A substitution of zsh.
            self.open(Opening::Substitution, self.position, Position::Command);
            return 0;
        }
        let inside = self.position.group_in(&self.word, &mut self.context);
        self.open(Opening::Group, self.position, inside);
        0
    }

    fn open(&mut self, opening: Opening, behind: Position, inside: Position) {
        let word = std::mem::take(&mut self.word);
        self.outer.push(Outer { opening, quotes: self.quotes, position: behind, word });
        self.position = inside;
        self.quotes = Quotes::None;
    }

    fn close(&mut self) {
        let Some(Outer { opening, quotes, position, word }) = self.outer.pop() else {
            // It ends a pattern of `case`.
            self.position = Position::Command;
            return;
        };
        let is_part = opening == Opening::Substitution || word.is_begun();
        (self.quotes, self.position, self.word) = (quotes, position, word);
        if is_part {
            self.word.push_unknown();
        }
    }

    /// Whether this stands in a `$(…)`.
    fn is_substituted(&self) -> bool {
        self.outer.iter().any(|outer| outer.opening == Opening::Substitution)
    }

    fn end_word(&mut self) {
        let word = std::mem::take(&mut self.word);
        if !word.is_begun() {
            return;
        }
        let is_option = matches!(word.bytes(), [b'-' | b'+', first, ..] if *first != b'-');
        // `command shift`
        let is_prefixed = matches!(self.position, Position::Argument(Command::Prefix(_)));
        let is_first = matches!(self.position, Position::Command | Position::Closed);
        match (self.position, word.bare()) {
            _ if is_first && word.assignment() == Target::Subscript => self.unsure = Some(Unsure::Subscript),
            _ if (is_first || is_prefixed) && word.bytes() == b"shift" => self.unsure = Some(Unsure::Shift),
            (_, b"function") if is_first => self.unsure = Some(Unsure::Function),
            (_, b"case") if is_first && self.is_substituted() => self.unsure = Some(Unsure::Case),
            (Position::Argument(Command::Set), _) if !is_option => self.unsure = Some(Unsure::Set),
            _ => {}
        }
        self.fault = self.fault.or(self.position.fault(&word, self.context.dialect));
        self.position.word(&word, &mut self.context);
    }
}

/// Whether a `)` follows.
fn is_empty_group(after: &[u8]) -> bool {
    after.trim_ascii_start().starts_with(b")")
}
