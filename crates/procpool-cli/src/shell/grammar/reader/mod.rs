//! Reads a shell's text piece by piece, and says for each gap between two pieces whether a value can be
//! inserted there, and in which quotes. Where shells differ it stops reading, and says why.

mod expansion;
mod unsure;

use std::mem;

use anyhow::bail;

use crate::shell::grammar::command::CommandState;
use crate::shell::grammar::dialect::Dialect;
use crate::shell::grammar::position::{Position, Redirection};
use crate::shell::grammar::reader::unsure::Unsure;
use crate::shell::grammar::refusal::Refusal;
use crate::shell::grammar::variables::{ShellContext, Variables};
use crate::shell::lexer::{Assignment, Lexer, Quotes, ShellWord, Token, plain_length};

/// What is inserted into a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inserted {
    /// Any bytes.
    Value,
    /// A job's number or slot: digits only.
    Number,
}

/// The state after the text that was read so far.
#[derive(Debug)]
pub(crate) struct ScriptReader {
    context: ShellContext,
    lexer: Lexer,
    /// The state outside of each open parenthesis.
    outer: Vec<Outer>,
    position: Position,
    /// The first value that turned out to be in the wrong place only by the text after it.
    fault: Option<Refusal>,
    /// The end of the last piece, if it changes the meaning of what follows.
    before: Option<&'static str>,
    /// Why reading stopped.
    unsure: Option<Unsure>,
}

#[derive(Debug)]
struct Outer {
    nesting: Nesting,
    /// Its quotes, and the word that the parenthesis is part of.
    lexer: Lexer,
    /// The place after the parenthesis.
    position: Position,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nesting {
    /// `$(`, `<(`
    Substitution,
    /// `(`, `a=(`, `@(`
    Group,
}

impl ScriptReader {
    pub(crate) fn new(dialect: Dialect) -> ScriptReader {
        ScriptReader {
            context: ShellContext { dialect, variables: Variables::default() },
            lexer: Lexer::default(),
            outer: Vec::new(),
            position: Position::Command,
            fault: None,
            before: None,
            unsure: None,
        }
    }

    /// The quotes at the end of the text so far.
    ///
    /// # Errors
    /// If this can't be inserted there.
    pub(crate) fn quotes_here(&self, inserted: Inserted) -> anyhow::Result<Quotes> {
        if let Some(unsure) = self.unsure {
            bail!("{unsure}");
        }
        if let Some(before) = self.before {
            bail!(
                "{before} stands right before a placeholder: where the braces are the shell's, choose another \
                 placeholder with -I"
            );
        }
        if self.lexer.is_comment() {
            bail!("a value can't be put into a comment: leave the comment out");
        }
        let refusal = self.position.refuses(&self.lexer.word, &self.context);
        match refusal {
            Some(refusal) if inserted == Inserted::Value => bail!("{refusal}"),
            _ => Ok(self.lexer.quotes()),
        }
    }

    /// Whether a value appended to the text is an argument.
    ///
    /// # Errors
    /// If it would be run as a command or would be a syntax error, or a value can't be inserted there.
    pub(crate) fn takes_arguments(&self) -> anyhow::Result<()> {
        self.quotes_here(Inserted::Value)?;
        match self.position {
            Position::Argument(_) => Ok(()),
            Position::Command => {
                bail!("the value would stand where a command does, and be run: write {{}} where it belongs")
            }
            _ => bail!(
                "behind the end of the command there is no place for the value: write {{}} where it belongs"
            ),
        }
    }

    /// Moves past what was inserted, which is part of a word.
    pub(crate) fn pass_placeholder(&mut self, inserted: Inserted) {
        match inserted {
            Inserted::Value => self.lexer.word.push_value(),
            Inserted::Number => self.lexer.word.push_quoted(b'1'),
        }
    }

    /// Ends the text.
    ///
    /// # Errors
    /// If a quote is open, or a value turns out to be in the wrong place.
    pub(crate) fn end(&mut self) -> anyhow::Result<()> {
        self.end_word();
        if let Some(fault) = self.fault {
            bail!("{fault}");
        }
        if let Some(unsure) = self.unsure.filter(|_| self.would_compute()) {
            bail!(
                "{unsure}; nor can one stand right before that as an operand of a test or as the format of `printf`"
            );
        }
        let is_open = self.lexer.quotes() != Quotes::None || self.is_substituted();
        if self.unsure.is_none() && is_open {
            bail!("a quote or a $( is not closed at the end of the command");
        }
        Ok(())
    }

    /// Whether an operator as the next word would make a shell evaluate a value. Needed where reading stops,
    /// because the next word could be one.
    fn would_compute(&mut self) -> bool {
        let mut operator = ShellWord::default();
        operator.extend(b"-eq", Quotes::None);
        let outer = self.outer.iter().map(|outer| (outer.position, &outer.lexer.word));
        outer.chain([(self.position, &self.lexer.word)]).any(|(mut position, word)| {
            if word.is_begun() {
                position.word(word, &mut self.context);
            }
            position.fault(&operator, self.context.dialect).is_some()
        })
    }

    /// Reads the next piece.
    pub(crate) fn read(&mut self, text: &[u8]) {
        self.before = None;
        let mut rest = text;
        while self.unsure.is_none() {
            let Some(token) = self.lexer.next(&mut rest) else { break };
            match self.read_token(token, rest) {
                Ok(passed) => rest = &rest[passed..],
                Err(unsure) => self.unsure = Some(unsure),
            }
        }
    }

    /// Reads a token. Returns how many bytes after it were read as well.
    fn read_token(&mut self, token: Token, after: &[u8]) -> Result<usize, Unsure> {
        match token {
            Token::Bare(_) | Token::Part | Token::Continuation | Token::Comment => {}
            Token::Backslash => self.before = Some("a backslash"),
            Token::Blank => self.end_word(),
            Token::Expansion(byte) => return self.read_expansion(byte, after),
            Token::Operator(byte @ (b'<' | b'>')) if self.lexer.word.is_descriptor() => {
                self.lexer.end_word();
                return self.read_operator(byte, after);
            }
            Token::Operator(b'(') if self.is_in_word() => return self.read_group_in_word(after),
            // `<(…)` and `>(…)` are parts of words.
            Token::Operator(b'<' | b'>') if after.starts_with(b"(") => {
                self.open(Nesting::Substitution, self.position, Position::Command);
                return Ok(1);
            }
            Token::Operator(byte) => {
                self.end_word();
                return self.read_operator(byte, after);
            }
        }
        Ok(0)
    }

    fn read_operator(&mut self, byte: u8, after: &[u8]) -> Result<usize, Unsure> {
        match byte {
            b'<' if after.starts_with(b"<<") => {
                self.position.redirection(Redirection::Text);
                return Ok(2);
            }
            b'&' if after.starts_with(b">") => {
                self.position.redirection(Redirection::Both);
                return Ok(after.iter().take_while(|byte| **byte == b'>').count());
            }
            b'<' if after.starts_with(b"<") => return Err(Unsure::HereDocument),
            b'<' | b'>' => {
                // The second byte of `>&` and `>|` isn't an operator of its own.
                let more = after.iter().take_while(|byte| b"&|>".contains(byte)).count();
                let is_duplicate = after[..more].contains(&b'&');
                let redirection = if is_duplicate { Redirection::Duplicate } else { Redirection::File };
                self.position.redirection(redirection);
                return Ok(more);
            }
            b'(' if after.starts_with(b"(") => {
                return Ok(plain_length(&after[1..], b"))", b"'\"`$\\(").ok_or(Unsure::Arithmetic)? + 1);
            }
            b'(' if is_empty_group(after) => return Err(Unsure::Function),
            b'(' => {
                let (inside, behind) = self.position.group();
                self.open(Nesting::Group, behind, inside);
            }
            b')' => self.close(),
            _ => self.position.operator(),
        }
        Ok(0)
    }

    /// Whether a `(` at this point is part of a word.
    fn is_in_word(&self) -> bool {
        self.lexer.word.is_begun() && !self.position.ends_before_group(&self.lexer.word)
    }

    fn read_group_in_word(&mut self, after: &[u8]) -> Result<usize, Unsure> {
        let is_list = self.lexer.word.bare().ends_with(b"=");
        if is_empty_group(after) && !is_list {
            return Err(Unsure::Function);
        }
        if self.lexer.word.bare() == b"=" {
            // `=(…)`, a substitution of zsh.
            self.open(Nesting::Substitution, self.position, Position::Command);
        } else {
            let inside = self.position.group_in(&self.lexer.word, &mut self.context);
            self.open(Nesting::Group, self.position, inside);
        }
        Ok(0)
    }

    fn open(&mut self, nesting: Nesting, behind: Position, inside: Position) {
        let lexer = mem::take(&mut self.lexer);
        self.outer.push(Outer { nesting, lexer, position: behind });
        self.position = inside;
    }

    fn close(&mut self) {
        let Some(Outer { nesting, lexer, position }) = self.outer.pop() else {
            // The end of a pattern of `case`.
            self.position = Position::Command;
            return;
        };
        let is_part = nesting == Nesting::Substitution || lexer.word.is_begun();
        (self.lexer, self.position) = (lexer, position);
        if is_part {
            self.lexer.word.push_unknown();
        }
    }

    /// Whether this is inside of a `$(…)`.
    fn is_substituted(&self) -> bool {
        self.outer.iter().any(|outer| outer.nesting == Nesting::Substitution)
    }

    fn end_word(&mut self) {
        let Some(word) = self.lexer.end_word() else { return };
        let is_option = matches!(word.bytes(), [b'-' | b'+', first, ..] if *first != b'-');
        // As in `command shift`.
        let is_prefixed = matches!(self.position, Position::Argument(CommandState::Prefix(_)));
        let is_first = matches!(self.position, Position::Command | Position::Closed);
        self.unsure = match (self.position, word.bare()) {
            _ if is_first && word.assignment() == Assignment::Subscript => Some(Unsure::Subscript),
            _ if (is_first || is_prefixed) && word.bytes() == b"shift" => Some(Unsure::Shift),
            (_, b"function") if is_first => Some(Unsure::Function),
            (_, b"case") if is_first && self.is_substituted() => Some(Unsure::Case),
            (Position::Argument(CommandState::Set), _) if !is_option => Some(Unsure::Set),
            _ => self.unsure,
        };
        self.fault = self.fault.or(self.position.fault(&word, self.context.dialect));
        self.position.word(&word, &mut self.context);
    }
}

/// Whether a `)` follows.
fn is_empty_group(after: &[u8]) -> bool {
    after.trim_ascii_start().starts_with(b")")
}
