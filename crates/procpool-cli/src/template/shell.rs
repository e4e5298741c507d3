//! A command as a text for a shell: each placeholder becomes a parameter in quotes, so that no value is read as text.
//! Knows nothing of which placeholders there are, or of how a command is run.

mod position;
mod reader;

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anyhow::{Context, bail};

use crate::shown;
use crate::template::command::{Spread, SpreadWord, Template};
use crate::template::names::{Names, Placeholder};
use crate::template::path::Form;
use crate::template::shell::reader::{Quotes, Reader};
use crate::template::word::{Piece, Word};

impl Template {
    /// Parses a command, its words joined by a space, as a text for this shell. Without any placeholder in it, the
    /// values, if there are any, become its last words; with `-I` they don't.
    ///
    /// # Errors
    /// Where it has a placeholder for what no job has, or one in a place where it isn't sure how the shell reads it.
    pub(crate) fn parse_for_shell(
        shell: &OsStr,
        command: &[OsString],
        names: &Names,
    ) -> anyhow::Result<Template> {
        check_shell(shell)?;
        let words: Vec<&[u8]> = command.iter().map(|word| word.as_bytes()).collect();
        let mut parsed = Word::parse(&words.join(&b' '), names)?;
        let lacks_values =
            parsed.placeholders().next().is_none() && !matches!(names, Names::Only(_) | Names::NoValues);
        if lacks_values {
            parsed.0.push(Piece::Literal(b" ".to_vec()));
            parsed.0.push(Piece::Placeholder(Placeholder::Values(Form::Whole)));
        }
        let mut text = Text {
            bytes: Vec::new(),
            parameters: Vec::new(),
            reader: Reader::default(),
        };
        for piece in parsed.0 {
            match piece {
                Piece::Literal(literal) => text.add_literal(&literal),
                Piece::Placeholder(placeholder) => {
                    if lacks_values {
                        text.reader
                            .quotes_here()
                            .and_then(|_| text.reader.takes_arguments())
                            .context("--shell")?;
                    }
                    text.add_placeholder(placeholder, names).context("--shell")?;
                }
            }
        }
        text.reader.end().context("--shell")?;
        Ok(text.into_template(shell))
    }
}

/// Shells that read quotes and parameters as POSIX has them, by the names of their programs.
const SHELLS: [&str; 11] =
    ["sh", "bash", "dash", "ash", "ksh", "ksh93", "mksh", "yash", "zsh", "posh", "busybox"];

fn check_shell(shell: &OsStr) -> anyhow::Result<()> {
    let name = Path::new(shell).file_name().unwrap_or(shell);
    if SHELLS.iter().any(|known| name == *known) {
        return Ok(());
    }
    bail!(
        "--shell={}: it is not known to read quotes as a POSIX shell does, so a value could be read as text; name one of {}, \
         or write the command without --shell: procpool run -- {} …",
        shown::name(shell),
        SHELLS.join(", "),
        shown::name(shell)
    )
}

/// The text so far, and what its parameters stand for.
struct Text {
    bytes: Vec<u8>,
    parameters: Vec<Placeholder>,
    reader: Reader,
}

impl Text {
    fn add_literal(&mut self, literal: &[u8]) {
        if self.bytes.is_empty() && matches!(literal.first(), Some(b'-' | b'+')) {
            // A shell would take it for options of its own.
            self.bytes.push(b' ');
        }
        self.bytes.extend(literal);
        self.reader.read(literal);
    }

    fn add_placeholder(&mut self, placeholder: Placeholder, names: &Names) -> anyhow::Result<()> {
        let (before, after): (&[u8], &[u8]) = match self.reader.quotes_here()? {
            Quotes::None => (b"\"", b"\""),
            Quotes::Double => (b"", b""),
            Quotes::Single => (b"'\"", b"\"'"),
        };
        let parts = match (self.reader.quotes_here()?, placeholder) {
            // As without a shell, each value is a word.
            (Quotes::None, Placeholder::Values(form)) if values_of(names) > 1 => {
                (0..values_of(names)).map(|position| Placeholder::Position(position, form)).collect()
            }
            _ => vec![placeholder],
        };
        for (part, index) in parts.into_iter().zip(0..) {
            if index > 0 {
                self.bytes.push(b' ');
            }
            let number = self.parameter(part);
            self.bytes.extend([before, format!("${{{number}}}").as_bytes(), after].concat());
        }
        self.reader.pass_placeholder();
        Ok(())
    }

    /// The number of the parameter that stands for this.
    fn parameter(&mut self, placeholder: Placeholder) -> usize {
        let known = self.parameters.iter().position(|known| *known == placeholder);
        let index = known.unwrap_or_else(|| {
            self.parameters.push(placeholder);
            self.parameters.len() - 1
        });
        index + 1
    }

    fn into_template(self, shell: &OsStr) -> Template {
        let literal = |bytes: &[u8]| Word(vec![Piece::Literal(bytes.to_vec())]);
        // What stands behind the text is `$0`, by which the shell begins its complaints.
        let own = [shell.as_bytes(), b"-c", &self.bytes, shell.as_bytes()].map(literal);
        let parameters =
            self.parameters.into_iter().map(|parameter| Word(vec![Piece::Placeholder(parameter)]));
        let words = own.into_iter().chain(parameters);
        Template {
            words: words.map(|word| SpreadWord { word, spread: Spread::Joined }).collect(),
        }
    }
}

/// How many values a job has.
fn values_of(names: &Names) -> usize {
    match names {
        Names::Lists(lists) => *lists,
        Names::Columns(columns) => columns.len(),
        Names::UpTo(_) | Names::AnyNumber | Names::Only(_) | Names::NoValues => 1,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;
    use std::process;

    use proptest::prelude::*;

    use super::*;
    use crate::template::word::Place;

    fn parse(text: &str, names: &Names) -> anyhow::Result<Template> {
        Template::parse_for_shell("sh".as_ref(), &[text.into()], names)
    }

    fn words(text: &str, lists: usize) -> Vec<String> {
        let template = parse(text, &Names::Lists(lists)).unwrap();
        let values: Vec<OsString> = ["v", "w"][..lists].iter().map(OsString::from).collect();
        let command = template.render(&values, Place { key: "key".as_ref(), seq: 7, slot: 1 });
        command.arguments()[1..].iter().map(|word| word.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_placeholder_becomes_a_parameter_in_quotes() {
        assert_eq!(
            words("echo {} \"<{}>\" 'a{}b'", 1),
            ["echo \"${1}\" \"<${1}>\" 'a'\"${1}\"'b'", "sh", "v"]
        );
        assert_eq!(words("echo {} {#}{.}", 1), ["echo \"${1}\" \"${2}\"\"${3}\"", "sh", "v", "7", "v"]);
        assert_eq!(words("wc | cat", 1), ["wc | cat \"${1}\"", "sh", "v"]);
        assert_eq!(words("-x", 1)[0], " -x \"${1}\"");
        assert_eq!(words("echo {} \"{}\"", 2)[0], "echo \"${1}\" \"${2}\" \"${3}\"");
        assert_eq!(words("echo", 2), ["echo \"${1}\" \"${2}\"", "sh", "v", "w"]);
    }

    #[test]
    fn where_it_is_not_sure_how_a_shell_reads_it_a_placeholder_is_refused_by_name() {
        for (text, says) in [
            ("echo \\{}", "a backslash"),
            ("echo \"\\{}\"", "a backslash"),
            ("echo ${}", "`$`"),
            ("echo ${#}", "`$`"),
            ("echo # {}", "a comment"),
            ("echo # x", "a comment"),
            ("cat << E\n{}\nE", "a here-document"),
            ("echo $((1 + {}))", "an arithmetic"),
            ("((x = {}))", "an arithmetic"),
            ("echo ${x:-{}}", "`${`"),
            ("echo `basename {}`", "backquotes"),
            ("echo `a \\` {}`", "backquotes"),
            ("echo $'a{}'", "`$'`"),
            ("echo $[1+{}]", "`$[`"),
            ("f() { echo {}; }; f", "a function"),
            ("f ( ) { echo {}; }; f", "a function"),
            ("function f { echo {}; }", "a function"),
            ("shift; echo {}", "`shift`"),
            ("set -- a; echo {}", "`set`"),
            ("set -e a; echo {}", "`set`"),
            ("echo \"$(case x in x) echo {};; esac)\"", "`case`"),
            ("echo hi;", "be run"),
            ("echo hi &", "be run"),
            ("echo hi |", "be run"),
            ("echo hi\n", "be run"),
            ("> file", "be run"),
            ("x=1", "be run"),
            ("if true; then", "be run"),
            ("(echo hi)", "no place"),
            ("if true; then echo hi; fi", "no place"),
            ("for x in a; do echo; done 2>&1", "no place"),
            ("[[ {} -gt 5 ]]", "`[[`"),
            ("[[ 5 -gt {} ]] && echo", "`[[`"),
            ("let x={}", "let"),
            ("let {}", "let"),
            ("a[{}]=1", "the subscript"),
            ("trap \"echo {}\" EXIT", "trap"),
            ("declare {}", "declare"),
            ("eval echo {}", "eval"),
            ("echo 'a", "a quote"),
            ("echo \"{}", "a quote"),
        ] {
            let error = format!("{:#}", parse(text, &Names::Lists(1)).unwrap_err());
            assert!(error.starts_with("--shell: ") && error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn what_is_read_the_same_by_all_shells_stands_in_no_placeholders_way() {
        for text in [
            "echo ${HOME} \"${HOME}\" $((1 + 2)) `date` {}",
            "set -eu; echo {} a#b # a comment",
            "echo {} ${x:-\"}\"} `a \\` b` # comment",
            "cat {} <<E\ntext\nE",
            "echo # comment\necho {}",
            "case {} in a) echo {};; esac",
            "set -euo pipefail; echo {}",
            "set -o pipefail; echo {} | cat",
            "gsettings set org.x key {}",
            "redis-cli set {} 1",
            "echo a shift in {}",
            "[[ -f {} ]] && echo {}",
            "export x={}; echo",
            "{} --version",
            "echo a \\\n# it's\necho {} # '",
            "echo hi > out",
            "echo hi 2>&1",
            "(cd x; echo {}) | (cat)",
            "echo $'a' $\"b\" {} <<< {}",
        ] {
            assert!(parse(text, &Names::Lists(1)).is_ok(), "{text}");
        }
        // Nothing is put into it.
        assert!(parse("cat <<E\n`it's`\nE", &Names::NoValues).is_ok());
    }

    /// In each, what follows the arrow is expected, with the value for `@`.
    const PLACES: [(&str, &str); 14] = [
        ("printf '%s\\0' {}", "@\0"),
        ("printf '%s\\0' \"{}\"", "@\0"),
        ("printf '%s\\0' '{}'", "@\0"),
        ("printf '%s\\0' a\"b{}c\"d'e{}f'{}g", "ab@cde@f@g\0"),
        ("printf '%s\\0' 'it'\\''s {}' \"\\\"{}\\\\\"", "it's @\0\"@\\\0"),
        ("printf '%s\\0' \"$(printf '%s.' {})\"", "@.\0"),
        ("printf '%s\\0' \"$(printf '%s.' \"<{}>\" | cat)\"", "<@>.\0"),
        ("printf '%s\\0' \"$( (printf '%s.' '{}') )\"", "@.\0"),
        ("x={}; printf '%s\\0' \"$x\"", "@\0"),
        ("( printf '%s\\0' {} )", "@\0"),
        ("if true; then printf '%s\\0' {}; fi # it's the end", "@\0"),
        ("case {} in '{}') printf '%s\\0' {};; esac", "@\0"),
        ("for x in {} \"$((1 + 1))\"; do printf '%s\\0' \"$x\"; done", "@\x002\0"),
        ("printf '%s\\0'", "@\0"),
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn a_value_arrives_as_it_is_in_every_place_and_nothing_else_runs(
            value in prop_oneof![
                proptest::collection::vec(1_u8.., 0..12),
                r#"[$`'"\\;|&(){}\[\]*?~#!<>a \n]{1,12}"#.prop_map(String::into_bytes),
                Just(b"$(echo ran >&2)".to_vec()),
                Just(b"'; echo ran >&2; '".to_vec()),
                Just(b"\"; echo ran >&2; \"".to_vec()),
                Just(b"-e".to_vec()),
            ],
            place in 0..PLACES.len(),
        ) {
            let (text, expected) = PLACES[place];
            let template = parse(text, &Names::Lists(1)).unwrap();
            let values = [OsString::from_vec(value.clone())];
            let command = template.render(&values, Place { key: "key".as_ref(), seq: 1, slot: 1 });
            let expected: Vec<Vec<u8>> = expected.split('@').map(|part| part.as_bytes().to_vec()).collect();
            let expected = expected.join(&value[..]);
            for shell in ["sh", "bash"] {
                let output = process::Command::new(shell).args(command.arguments()).output().unwrap();
                prop_assert_eq!(&output.stdout, &expected, "{} by {}", text, shell);
                prop_assert!(output.stderr.is_empty(), "{} by {}: {:?}", text, shell, output.stderr);
            }
        }
    }
}
