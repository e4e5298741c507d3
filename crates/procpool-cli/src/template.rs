//! The command with its placeholders: parsed once, rendered for each job.
//! Knows nothing of where values come from or how a command is run.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use procpool_core::Command;

/// A command in which placeholders may stand anywhere. Rendering replaces each by bytes and never splits:
/// one word is one argument, whatever the value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Template {
    program: Word,
    arguments: Vec<Word>,
}

/// One argument: pieces to put one after the other.
type Word = Vec<Piece>;

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Literal(Vec<u8>),
    Placeholder(Placeholder),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Placeholder {
    Value,
    WithoutExtension,
    BaseName,
    Directory,
    BaseNameWithoutExtension,
    Seq,
    Slot,
    Key,
}

/// GNU parallel's words for them, and `{key}`.
const PLACEHOLDERS: [(&[u8], Placeholder); 8] = [
    (b"{}", Placeholder::Value),
    (b"{.}", Placeholder::WithoutExtension),
    (b"{/}", Placeholder::BaseName),
    (b"{//}", Placeholder::Directory),
    (b"{/.}", Placeholder::BaseNameWithoutExtension),
    (b"{#}", Placeholder::Seq),
    (b"{%}", Placeholder::Slot),
    (b"{key}", Placeholder::Key),
];

/// What placeholders stand for, in one job.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Values<'a> {
    pub(crate) value: &'a OsStr,
    pub(crate) key: &'a OsStr,
    pub(crate) seq: u64,
    pub(crate) slot: usize,
}

impl Template {
    /// Parses a program and its arguments. Without any placeholder in them, the value becomes the last argument.
    pub(crate) fn parse(program: &OsStr, arguments: &[OsString]) -> Template {
        let program = parse_word(program.as_bytes());
        let mut arguments: Vec<Word> =
            arguments.iter().map(|argument| parse_word(argument.as_bytes())).collect();
        if !arguments.iter().chain([&program]).any(has_placeholder) {
            arguments.push(vec![Piece::Placeholder(Placeholder::Value)]);
        }
        Template { program, arguments }
    }

    /// The command for one job.
    pub(crate) fn render(&self, values: &Values<'_>) -> Command {
        let arguments = self.arguments.iter().map(|word| render_word(word, values));
        Command::new(render_word(&self.program, values)).args(arguments)
    }
}

fn has_placeholder(word: &Word) -> bool {
    word.iter().any(|piece| matches!(piece, Piece::Placeholder(_)))
}

fn parse_word(mut text: &[u8]) -> Word {
    let mut word = Word::new();
    let mut literal = Vec::new();
    while let Some((first, rest)) = text.split_first() {
        let found = PLACEHOLDERS.iter().find(|(name, _)| text.starts_with(name));
        match found {
            Some((name, placeholder)) => {
                if !literal.is_empty() {
                    word.push(Piece::Literal(std::mem::take(&mut literal)));
                }
                word.push(Piece::Placeholder(*placeholder));
                text = &text[name.len()..];
            }
            None => {
                literal.push(*first);
                text = rest;
            }
        }
    }
    if !literal.is_empty() {
        word.push(Piece::Literal(literal));
    }
    word
}

fn render_word(word: &Word, values: &Values<'_>) -> OsString {
    let mut bytes = Vec::new();
    for piece in word {
        match piece {
            Piece::Literal(literal) => bytes.extend(literal),
            Piece::Placeholder(placeholder) => append(&mut bytes, *placeholder, values),
        }
    }
    OsString::from_vec(bytes)
}

fn append(bytes: &mut Vec<u8>, placeholder: Placeholder, values: &Values<'_>) {
    let value = values.value.as_bytes();
    match placeholder {
        Placeholder::Value => bytes.extend(value),
        Placeholder::WithoutExtension => bytes.extend(without_extension(value)),
        Placeholder::BaseName => bytes.extend(base_name(value)),
        Placeholder::Directory => bytes.extend(directory(value)),
        Placeholder::BaseNameWithoutExtension => bytes.extend(without_extension(base_name(value))),
        Placeholder::Seq => bytes.extend(values.seq.to_string().bytes()),
        Placeholder::Slot => bytes.extend(values.slot.to_string().bytes()),
        Placeholder::Key => bytes.extend(values.key.as_bytes()),
    }
}

/// Without the last dot of the base name and what follows it. As GNU parallel has it, `.profile` is nothing
/// but an extension.
fn without_extension(path: &[u8]) -> &[u8] {
    match path.iter().rposition(|byte| matches!(byte, b'.' | b'/')) {
        Some(position) if path[position] == b'.' => &path[..position],
        _ => path,
    }
}

/// What follows the last slash: nothing, where that is the end.
fn base_name(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}

/// As dirname(1).
fn directory(path: &[u8]) -> &[u8] {
    let Some(end) = path.iter().rposition(|byte| *byte != b'/') else {
        return if path.is_empty() { b"." } else { b"/" };
    };
    let Some(slash) = path[..end].iter().rposition(|byte| *byte == b'/') else { return b"." };
    match path[..slash].iter().rposition(|byte| *byte != b'/') {
        Some(end) => &path[..=end],
        None => b"/",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn render(words: &[&str], value: &OsStr) -> Vec<OsString> {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        let command = Template::parse(&words[0], &words[1..]).render(&Values {
            value,
            key: "the key".as_ref(),
            seq: 12,
            slot: 3,
        });
        [&[command.program().to_owned()], command.arguments()].concat()
    }

    #[test]
    fn paths_are_taken_apart_as_gnu_parallel_does() {
        // Printed by GNU parallel 20221122 for each value.
        for (value, expected) in [
            ("a.b", "a|a.b|.|a"),
            (".bashrc", "|.bashrc|.|"),
            ("dir/.x", "dir/|.x|dir|"),
            ("a.", "a|a.|.|a"),
            ("a.b.c", "a.b|a.b.c|.|a.b"),
            ("d.e/f", "d.e/f|f|d.e|f"),
            ("/x", "/x|x|/|x"),
            ("/", "/||/|"),
            ("a/b/", "a/b/||a|"),
            ("", "||.|"),
            ("//a", "//a|a|/|a"),
            ("a//b", "a//b|b|a|b"),
            ("x/", "x/||.|"),
            ("..", ".|..|.|."),
            ("a..b", "a.|a..b|.|a."),
        ] {
            assert_eq!(render(&["x", "{.}|{/}|{//}|{/.}"], value.as_ref())[1], expected, "{value}");
        }
    }

    #[test]
    fn placeholders_stand_anywhere_and_several_times() {
        let rendered = render(&["{}", "<{}{}>", "{#}-{%}", "{key}!"], "v w".as_ref());
        assert_eq!(rendered, ["v w", "<v wv w>", "12-3", "the key!"]);
    }

    #[test]
    fn without_a_placeholder_the_value_is_appended() {
        assert_eq!(render(&["echo", "{print $1}"], "v".as_ref()), ["echo", "{print $1}", "v"]);
        assert_eq!(render(&["echo", "{#}"], "v".as_ref()), ["echo", "12"]);
    }

    #[test]
    fn other_braces_mean_themselves() {
        for literal in
            ["{print $1}", "${HOME}", "{1..3}", r#"{"a": {"b": 1}}"#, "{", "}", "{{", "{ }", "{keys}"]
        {
            assert_eq!(render(&["x", literal, "{}"], "v".as_ref())[1], literal);
        }
        assert_eq!(render(&["x", "{{}}"], "v".as_ref())[1], "{v}");
    }

    #[test]
    fn a_value_that_looks_like_a_placeholder_is_not_replaced_again() {
        assert_eq!(render(&["x", "{}{#}"], "{#}{}".as_ref())[1], "{#}{}12");
    }

    proptest! {
        #[test]
        fn any_bytes_make_exactly_one_argument(value: Vec<u8>, around in "[^{}]*") {
            let value = OsString::from_vec(value);
            let rendered = render(&["x", &format!("{around}{{}}{around}")], &value);
            let expected = [around.as_bytes(), value.as_bytes(), around.as_bytes()].concat();
            prop_assert_eq!(rendered.len(), 2);
            prop_assert_eq!(rendered[1].as_bytes(), expected);
        }

        #[test]
        fn the_parts_of_a_path_are_parts_of_it(value: Vec<u8>) {
            let joined = [without_extension(base_name(&value)), base_name(&value)];
            prop_assert!(value.ends_with(joined[1]));
            prop_assert!(joined[1].starts_with(joined[0]));
            prop_assert!(value.starts_with(without_extension(&value)));
            prop_assert!(!directory(&value).is_empty());
        }
    }
}
