//! Reads a text as a POSIX shell does, as far as it takes to know in which quotes a place of it stands.
//! Knows nothing of placeholders but that they stand in it. Where it isn't sure it says so, by name.

use anyhow::bail;

use crate::template::shell::position::{Command, Position};

/// The quotes around a place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Quotes {
    #[default]
    None,
    Single,
    Double,
}

/// What was read so far.
#[derive(Debug, Default)]
pub(super) struct Reader {
    quotes: Quotes,
    /// What each `$(` that is open stands in.
    outer: Vec<Outer>,
    /// How many `(` are open in the innermost of them.
    groups: usize,
    comment: Comment,
    /// The unquoted bytes of the word that is being read, with 0 for what was quoted or isn't known.
    word: Vec<u8>,
    position: Position,
    /// A value stands where the shell would compute it: this is known only behind it.
    fault: Option<&'static str>,
    /// What the last piece of text ended with that changes what follows.
    before: Option<&'static str>,
    /// From here on it isn't sure what is quoted, or what the parameters are.
    unsure: Option<&'static str>,
}

#[derive(Debug)]
struct Outer {
    quotes: Quotes,
    groups: usize,
    position: Position,
}

#[derive(Debug, Default, PartialEq)]
enum Comment {
    #[default]
    None,
    Open,
}

const ARITHMETIC: &str = "an arithmetic expression, in which a shell computes values";
const BACKQUOTES: &str = "backquotes: write $(…)";
const BRACES: &str = "`${` with more than a name behind it";
const FUNCTION: &str = "a function, which has parameters of its own";

impl Reader {
    /// The quotes that whatever comes next stands in.
    ///
    /// # Errors
    /// Where it isn't sure, or nothing can be put there.
    pub(super) fn quotes_here(&self) -> anyhow::Result<Quotes> {
        const INSTEAD: &str = "put the value into a variable before, as in `x={}; …`, and write \"$x\" there";
        if let Some(unsure) = self.unsure {
            bail!("a value can't be put into or behind {unsure}; {INSTEAD}");
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
        if let Some(reader) = self.position.refuses(&self.word) {
            bail!("a value can't be put into {reader}; put it into a variable before, as in `x={{}}; …`");
        }
        Ok(self.quotes)
    }

    /// Whether a word that is put at the end would be an argument.
    ///
    /// # Errors
    /// Where it would be run as a command, or break the grammar.
    pub(super) fn takes_arguments(&self) -> anyhow::Result<()> {
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
    pub(super) fn pass_placeholder(&mut self) {
        self.word.push(0);
        self.position.value();
    }

    /// # Errors
    /// Where a quote is open, or a value stands where the shell computes it.
    pub(super) fn end(&mut self) -> anyhow::Result<()> {
        self.end_word();
        if let Some(fault) = self.fault {
            bail!("a value can't be put into {fault}");
        }
        if self.unsure.is_none() && (self.quotes != Quotes::None || !self.outer.is_empty()) {
            bail!("a quote or a $( is not closed at the end of the command");
        }
        Ok(())
    }

    /// Reads on.
    pub(super) fn read(&mut self, text: &[u8]) {
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
                    }
                    0
                }
                (Comment::None, Quotes::Single) => {
                    if *byte == b'\'' {
                        self.quotes = Quotes::None;
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
            _ => 0,
        }
    }

    fn read_bare(&mut self, byte: u8, after: &[u8]) -> usize {
        match byte {
            b'\'' | b'"' => {
                self.quotes = if byte == b'"' { Quotes::Double } else { Quotes::Single };
                self.word.push(0);
                0
            }
            // A shell takes both out.
            b'\\' if after.first() == Some(&b'\n') => 1,
            b'\\' => {
                self.word.push(0);
                self.read_escaped(after)
            }
            b'$' if after.first() == Some(&b'\'') => {
                self.word.push(0);
                self.skip_plain(&after[1..], b"'", b"\\", "`$'`") + 1
            }
            b'$' => {
                self.word.push(0);
                self.read_expansion(after)
            }
            b'`' => {
                self.word.push(0);
                self.read_backquoted(after)
            }
            b'#' if self.word.is_empty() => {
                self.comment = Comment::Open;
                0
            }
            b' ' | b'\t' => {
                self.end_word();
                0
            }
            b'<' | b'>' if !self.word.is_empty() && self.word.iter().all(u8::is_ascii_digit) => {
                // The number of a descriptor.
                self.word.clear();
                self.read_operator(byte, after)
            }
            b'\n' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')' => {
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
                self.position.redirection();
                return 2;
            }
            b'<' if after.starts_with(b"<") => self.unsure = Some("a here-document"),
            b'<' | b'>' => {
                self.position.redirection();
                // Of `>&` and `>|` the second byte is no operator of its own.
                return usize::from(matches!(after.first(), Some(b'&' | b'|' | b'>')));
            }
            b'(' if after.starts_with(b"(") => {
                return self.skip_plain(&after[1..], b"))", b"'\"`$\\(", ARITHMETIC) + 1;
            }
            b'(' if after.trim_ascii_start().starts_with(b")") => self.unsure = Some(FUNCTION),
            b'(' => self.groups += 1,
            b')' if self.groups > 0 => self.groups -= 1,
            // Without any it ends a pattern of `case`.
            b')' => {
                if let Some(Outer { quotes, groups, position }) = self.outer.pop() {
                    (self.quotes, self.groups, self.position) = (quotes, groups, position);
                    self.word.push(0);
                    return 0;
                }
            }
            _ => {}
        }
        self.position = if byte == b')' { Position::Closed } else { Position::Command };
        0
    }

    fn read_escaped(&mut self, after: &[u8]) -> usize {
        if after.is_empty() {
            self.before = Some("a backslash");
        }
        after.len().min(1)
    }

    /// What follows a `$`.
    fn read_expansion(&mut self, after: &[u8]) -> usize {
        match after {
            [] => {
                self.before = Some("`$`");
                0
            }
            [b'(', b'(', expression @ ..] => self.skip_plain(expression, b"))", b"'\"`$\\(", ARITHMETIC) + 2,
            [b'(', ..] => {
                self.outer.push(Outer {
                    quotes: self.quotes,
                    groups: self.groups,
                    position: self.position,
                });
                self.position = Position::Command;
                (self.quotes, self.groups) = (Quotes::None, 0);
                self.word.clear();
                1
            }
            [b'{', name @ ..] => self.skip_plain(name, b"}", b"'\"`$\\{", BRACES) + 1,
            [b'[', ..] => {
                self.unsure = Some("`$[`");
                0
            }
            _ => 0,
        }
    }

    fn read_backquoted(&mut self, after: &[u8]) -> usize {
        self.skip_plain(after, b"`", b"\\", BACKQUOTES)
    }

    /// Passes over all up to `end`, unless one of the bytes `odd` is in it, which only some shells read this way.
    fn skip_plain(&mut self, text: &[u8], end: &[u8], odd: &[u8], name: &'static str) -> usize {
        let length = text.windows(end.len()).position(|window| window == end);
        match length.filter(|length| !text[..*length].iter().any(|byte| odd.contains(byte))) {
            Some(length) => length + end.len(),
            None => {
                self.unsure = Some(name);
                0
            }
        }
    }

    fn end_word(&mut self) {
        let word = std::mem::take(&mut self.word);
        let is_option = matches!(&*word, [b'-' | b'+', first, ..] if *first != b'-');
        match (self.position, &*word) {
            (_, []) => return,
            (Position::Command, b"shift") => self.unsure = Some("`shift`"),
            (Position::Command, b"function") => self.unsure = Some(FUNCTION),
            (Position::Command, b"case") if !self.outer.is_empty() => {
                self.unsure = Some("`case` in $(…)");
            }
            (Position::Argument(Command::Set), _) if !is_option => {
                self.unsure = Some("`set`, which changes the parameters");
            }
            _ => {}
        }
        self.position.word(&word);
        self.fault = self.fault.or(self.position.fault());
    }
}
