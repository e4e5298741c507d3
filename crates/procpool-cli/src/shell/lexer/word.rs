//! A word of a shell's command, as far as it has been read: its bytes, and which of them were not quoted.
//! Both are needed: the grammar sees only unquoted bytes (`'if'` is no keyword), a command sees all (`'eval'`
//! is eval).

/// The quotes in which a byte stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Quotes {
    #[default]
    None,
    Single,
    Double,
}

#[derive(Debug, Default)]
pub(in crate::shell) struct ShellWord {
    /// [`UNKNOWN`] replaces each value and each expansion.
    bytes: Vec<u8>,
    /// As `bytes`, but [`UNKNOWN`] also replaces each quoted byte.
    bare: Vec<u8>,
    /// Needed because `""` is a word without bytes.
    is_begun: bool,
    /// The index of the first value.
    value: Option<usize>,
}

/// No argument can contain this byte.
const UNKNOWN: u8 = 0;

/// Which variable a word sets.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::shell) enum Assignment<'a> {
    /// None so far: it has no name followed by `=`.
    None,
    /// `a[`: the next byte is in a subscript.
    Subscript,
    /// `a=`, `a+=`, `a[1]=`.
    Variable(&'a [u8]),
}

impl ShellWord {
    pub(in crate::shell) fn push(&mut self, byte: u8) {
        self.is_begun = true;
        self.bytes.push(byte);
        self.bare.push(byte);
    }

    pub(in crate::shell) fn extend(&mut self, bytes: &[u8], quotes: Quotes) {
        self.is_begun = true;
        self.bytes.extend_from_slice(bytes);
        match quotes {
            Quotes::None => self.bare.extend_from_slice(bytes),
            Quotes::Single | Quotes::Double => self.bare.resize(self.bytes.len(), UNKNOWN),
        }
    }

    pub(in crate::shell) fn push_quoted(&mut self, byte: u8) {
        self.is_begun = true;
        self.bytes.push(byte);
        self.bare.push(UNKNOWN);
    }

    /// An expansion, whose result isn't known.
    pub(in crate::shell) fn push_unknown(&mut self) {
        self.push(UNKNOWN);
    }

    pub(in crate::shell) fn push_value(&mut self) {
        self.value.get_or_insert(self.bytes.len());
        self.push(UNKNOWN);
    }

    /// Called for a quote: even an empty pair makes a word.
    pub(in crate::shell) fn begin(&mut self) {
        self.is_begun = true;
    }

    pub(in crate::shell) fn is_begun(&self) -> bool {
        self.is_begun
    }

    pub(in crate::shell) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(in crate::shell) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    pub(in crate::shell) fn bare(&self) -> &[u8] {
        &self.bare
    }

    pub(in crate::shell) fn holds_value(&self) -> bool {
        self.value.is_some()
    }

    /// Whether it is one value and nothing else.
    pub(in crate::shell) fn is_value(&self) -> bool {
        self.value == Some(0) && self.bytes.len() == 1
    }

    /// Whether a value could turn it into an option or an operator.
    pub(in crate::shell) fn may_be_option(&self) -> bool {
        match self.value {
            Some(0) => true,
            Some(1) => matches!(self.bytes[0], b'-' | b'+' | b'!' | UNKNOWN),
            _ => false,
        }
    }

    /// Whether its first byte isn't known.
    pub(in crate::shell) fn begins_unknown(&self) -> bool {
        self.bytes.first() == Some(&UNKNOWN)
    }

    /// Whether it names the descriptor of the redirection that follows: `2`, `{fd}`.
    pub(in crate::shell) fn is_descriptor(&self) -> bool {
        let is_name = self.bare.starts_with(b"{") && self.bare.ends_with(b"}");
        self.is_begun && (is_name || self.bare.iter().all(u8::is_ascii_digit))
    }

    /// What it sets according to the grammar, which ignores quoted bytes.
    pub(in crate::shell) fn assignment(&self) -> Assignment<'_> {
        // `{a[1]}> file` sets a variable as well.
        let begun = self.bare.strip_prefix(b"{").unwrap_or(&self.bare);
        assignment(begun)
    }

    /// What it sets as an argument of `export` and the like, which never see quotes.
    pub(in crate::shell) fn declaration(&self) -> Assignment<'_> {
        assignment(&self.bytes)
    }

    /// Whether the next byte is between brackets.
    pub(in crate::shell) fn is_in_brackets(&self) -> bool {
        depth(&self.bare) > 0
    }
}

fn assignment(begun: &[u8]) -> Assignment<'_> {
    let (name, behind) = begun.split_at(name_length(begun));
    if name.is_empty() {
        return Assignment::None;
    }
    let behind = match behind {
        [b'[', ..] => {
            let end = (1..=behind.len()).find(|end| depth(&behind[..*end]) == 0);
            match end {
                Some(end) => &behind[end..],
                None => return Assignment::Subscript,
            }
        }
        behind => behind,
    };
    match behind {
        [b'=', ..] | [b'+', b'=', ..] => Assignment::Variable(name),
        _ => Assignment::None,
    }
}

/// How many brackets are open at the end.
fn depth(begun: &[u8]) -> usize {
    begun.iter().fold(0, |depth: usize, byte| match byte {
        b'[' => depth + 1,
        b']' => depth.saturating_sub(1),
        _ => depth,
    })
}

/// The length of the name that it begins with.
pub(in crate::shell) fn name_length(text: &[u8]) -> usize {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    match text.first() {
        Some(first) if is_part(first) && !first.is_ascii_digit() => {
            text.iter().position(|byte| !is_part(byte)).unwrap_or(text.len())
        }
        _ => 0,
    }
}

/// The name in a space-separated list that equals this word.
pub(in crate::shell) fn among(names: &'static str, word: &[u8]) -> Option<&'static str> {
    names.split_ascii_whitespace().find(|name| name.as_bytes() == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str) -> ShellWord {
        let mut word = ShellWord::default();
        for byte in text.bytes() {
            match byte {
                b'@' => word.push_value(),
                byte => word.push(byte),
            }
        }
        word
    }

    #[test]
    fn a_name_is_set_where_an_equals_sign_is_behind_it_and_its_subscript() {
        for text in ["x=", "x+=@", "x[1]=", "x[y[1]]+=", "x[i=1]=", "x[=]=@", "{x=@"] {
            assert_eq!(word(text).assignment(), Assignment::Variable(b"x"), "{text}");
        }
        for text in ["x[", "x[y[1]", "x[i=1,", "x[@", "{x["] {
            assert_eq!(word(text).assignment(), Assignment::Subscript, "{text}");
        }
        for text in ["", "x", "1=", "[", "[@]=", "x[1]", "x]=", "@=", "./x=", "x+"] {
            assert_eq!(word(text).assignment(), Assignment::None, "{text}");
        }
    }

    #[test]
    fn what_is_quoted_is_told_to_commands_only() {
        let mut word = ShellWord::default();
        "x=".bytes().for_each(|byte| word.push_quoted(byte));
        assert_eq!(word.assignment(), Assignment::None);
        assert_eq!(word.declaration(), Assignment::Variable(b"x"));
    }

    #[test]
    fn a_value_may_be_an_option_at_the_beginning_and_behind_a_dash() {
        for text in ["@", "@x", "-@", "!@"] {
            assert!(word(text).may_be_option(), "{text}");
        }
        for text in ["", "-", "x@", "--@", "./@"] {
            assert!(!word(text).may_be_option(), "{text}");
        }
        assert!(word("@").is_value() && !word("@@").is_value() && !word("@x").is_value());
    }
}
