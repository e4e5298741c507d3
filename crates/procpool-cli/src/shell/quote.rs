//! Writes words and commands so that a shell reads them back unchanged: for `--dry-run`, the summary,
//! records. Words without special bytes stay unquoted, as people type them; the lexer says which bytes those
//! are.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::str;

use procpool_core::{Command, EnvironmentBase, Shown, Stdin};

use crate::shell::lexer::is_plain;

/// Who reads a word: this decides how control characters are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum QuoteStyle {
    /// Any POSIX shell: all bytes are written unchanged, newlines included.
    Shell,
    /// A terminal, or a file with one command per line: control characters and bytes that aren't UTF-8 are
    /// escaped in `$'\n'`, which bash(1), ksh and zsh read.
    Line,
}

/// A command as one would type it, without its standard input. One with its own directory runs in a subshell,
/// so that the next line starts in the old directory.
pub(crate) fn command_line(command: &Command, style: QuoteStyle) -> OsString {
    let mut line = Vec::new();
    append_variables(&mut line, command, style);
    let words = [command.program()].into_iter().chain(command.arguments().iter().map(OsString::as_os_str));
    for word in words {
        append(&mut line, word.as_bytes(), style);
        line.push(b' ');
    }
    line.pop();
    if let Some(directory) = command.working_directory() {
        let mut there = b"(cd ".to_vec();
        append(&mut there, &directory_word(directory), style);
        line = [&there, &b" && "[..], &line, b")"].concat();
    }
    OsString::from_vec(line)
}

/// The same, with the command's standard input if it has one.
pub(crate) fn line_with_input(command: &Command, style: QuoteStyle) -> OsString {
    let line = command_line(command, style).into_vec();
    let mut whole = Vec::new();
    match command.standard_input() {
        Stdin::Nothing => whole = line,
        Stdin::Bytes(bytes) => {
            whole.extend(b"printf %s ");
            append(&mut whole, bytes, style);
            whole.extend([b" | ", &line[..]].concat());
        }
        Stdin::File(path) => {
            whole.extend([&line[..], b" < "].concat());
            append(&mut whole, path.as_os_str().as_bytes(), style);
        }
    }
    OsString::from_vec(whole)
}

/// Writes `env` and the command's changes to the environment, or nothing if there are none.
fn append_variables(line: &mut Vec<u8>, command: &Command, style: QuoteStyle) {
    let changes: Vec<_> = command.environment_changes().collect();
    let last = changes
        .iter()
        .enumerate()
        .filter(|(place, (name, _))| !changes[place + 1..].iter().any(|(later, _)| later == name));
    let last: Vec<(&OsStr, Option<&OsStr>)> = last.map(|(_, change)| *change).collect();
    if last.is_empty() && command.environment_base() == EnvironmentBase::Inherited {
        return;
    }
    line.extend(b"env ");
    if command.environment_base() == EnvironmentBase::Empty {
        line.extend(b"-i ");
    }
    for (name, _) in last.iter().filter(|(_, value)| value.is_none()) {
        line.extend(b"-u ");
        append(line, name.as_bytes(), style);
        line.push(b' ');
    }
    if last.iter().any(|(name, _)| name.as_bytes().starts_with(b"-")) {
        line.extend(b"-- ");
    }
    for (name, value) in last.iter().filter_map(|(name, value)| Some((name, (*value)?))) {
        append_assignment(line, name, value, style);
        line.push(b' ');
    }
    if command.program().as_bytes().contains(&b'=') {
        // env(1) would take it for another variable.
        line.extend(br#"sh -c '"$0" "$@"' "#);
    }
}

fn append_assignment(line: &mut Vec<u8>, name: &OsStr, value: &OsStr, style: QuoteStyle) {
    let is_name = name.as_bytes().iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    if is_name {
        line.extend(name.as_bytes());
        line.push(b'=');
        append(line, value.as_bytes(), style);
    } else {
        append(line, &[name.as_bytes(), b"=", value.as_bytes()].concat(), style);
    }
}

/// With `./` before a relative path: cd(1) reads `-` as the previous directory, accepts options, and searches
/// CDPATH.
fn directory_word(directory: &Path) -> Vec<u8> {
    let bytes = directory.as_os_str().as_bytes();
    if bytes.starts_with(b"/") || bytes.starts_with(b"./") { bytes.to_vec() } else { [b"./", bytes].concat() }
}

fn append(line: &mut Vec<u8>, word: &[u8], style: QuoteStyle) {
    if !word.is_empty() && word.iter().copied().all(is_plain) {
        line.extend(word);
    } else if style == QuoteStyle::Line && !is_harmless(word) {
        line.extend(b"$'");
        for chunk in word.utf8_chunks() {
            chunk.valid().chars().for_each(|character| append_in_ansi_quotes(line, character));
            append_octal(line, chunk.invalid());
        }
        line.push(b'\'');
    } else {
        // Between single quotes only the quote itself is special.
        line.push(b'\'');
        for byte in word {
            match byte {
                b'\'' => line.extend(b"'\\''"),
                other => line.push(*other),
            }
        }
        line.push(b'\'');
    }
}

fn is_harmless(word: &[u8]) -> bool {
    str::from_utf8(word).is_ok_and(|text| !text.contains(Shown::controls))
}

fn append_in_ansi_quotes(line: &mut Vec<u8>, character: char) {
    let mut bytes = [0; 4];
    let bytes = character.encode_utf8(&mut bytes).as_bytes();
    match character {
        '\n' => line.extend(b"\\n"),
        '\r' => line.extend(b"\\r"),
        '\t' => line.extend(b"\\t"),
        '\'' | '\\' => line.extend([b"\\", bytes].concat()),
        // As bytes: what `\u` means depends on the shell's locale.
        control if Shown::controls(control) => append_octal(line, bytes),
        _ => line.extend(bytes),
    }
}

/// Octal, because some shells read more than two hexadecimal digits.
fn append_octal(line: &mut Vec<u8>, bytes: &[u8]) {
    for byte in bytes {
        line.extend(format!("\\{byte:03o}").bytes());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn word(word: &OsStr, style: QuoteStyle) -> OsString {
        let mut quoted = Vec::new();
        append(&mut quoted, word.as_bytes(), style);
        OsString::from_vec(quoted)
    }

    fn read_back(shell: &str, quoted: &OsStr) -> Vec<u8> {
        let mut script = OsString::from("printf %s ");
        script.push(quoted);
        std::process::Command::new(shell).arg("-c").arg(script).output().unwrap().stdout
    }

    #[test]
    fn what_needs_no_quotes_has_none() {
        let line =
            |words: &[&str]| command_line(&Command::new(words[0]).args(&words[1..]), QuoteStyle::Shell);
        assert_eq!(line(&["convert", "a.gif", "-resize", "50%", "x:y@2"]), "convert a.gif -resize 50% x:y@2");
        assert_eq!(
            line(&["echo", "", "a b", "it's", "~", "*", "#", "a=b"]),
            r"echo '' 'a b' 'it'\''s' '~' '*' '#' 'a=b'"
        );
    }

    #[test]
    fn what_the_command_was_given_stands_before_it() {
        let line = |command: Command| command_line(&command, QuoteStyle::Shell);
        let plain = Command::new("ls").arg("a b");
        assert_eq!(
            line(plain.clone().env("A", "1").env("B", "x y").env("A", "2")),
            "env B='x y' A=2 ls 'a b'"
        );
        assert_eq!(line(plain.clone().directory("it's")), r"(cd './it'\''s' && ls 'a b')");
        assert_eq!(line(plain.clone().env_clear()), "env -i ls 'a b'");
        assert_eq!(line(plain.clone().env_remove("A").directory("/d")), "(cd /d && env -u A ls 'a b')");
        assert_eq!(line(plain.env("-a", "1")), "env -- '-a=1' ls 'a b'");
        let odd = Command::new("a=b").arg("c");
        assert_eq!(line(odd.clone()), "'a=b' c");
        assert_eq!(line(odd.env("A", "1")), r#"env A=1 sh -c '"$0" "$@"' 'a=b' c"#);
    }

    #[test]
    fn a_command_stays_on_its_line_where_it_has_to() {
        assert_eq!(word("a\nb'\\\t\x1b".as_ref(), QuoteStyle::Line), r"$'a\nb\'\\\t\033'");
        assert_eq!(word(OsStr::from_bytes(b"\xff1"), QuoteStyle::Line), r"$'\3771'");
        assert_eq!(word("ä b".as_ref(), QuoteStyle::Line), "'ä b'");
        assert_eq!(
            word("ä\u{9b}\u{202e}\u{2028}".as_ref(), QuoteStyle::Line),
            r"$'ä\302\233\342\200\256\342\200\250'"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_shell_reads_any_word_back(bytes in proptest::collection::vec(1_u8.., 0..20)) {
            let bytes = OsString::from_vec(bytes);
            prop_assert_eq!(read_back("sh", &word(&bytes, QuoteStyle::Shell)), bytes.as_bytes());
            prop_assert_eq!(read_back("bash", &word(&bytes, QuoteStyle::Line)), bytes.as_bytes());
        }

        #[test]
        fn a_line_controls_no_terminal_and_a_shell_reads_it_back(
            text in "[a 'ä\u{1b}\u{7}\r\n\u{8}\u{9b}\u{85}\u{202e}\u{2066}\u{200e}\u{61c}\u{2028}]{0,20}", bytes: [u8; 2],
        ) {
            let bytes: Vec<u8> = [text.as_bytes(), &bytes].concat().into_iter().filter(|byte| *byte != 0).collect();
            let quoted = word(OsStr::from_bytes(&bytes), QuoteStyle::Line);
            prop_assert!(!quoted.to_str().unwrap().contains(Shown::controls), "{:?}", quoted);
            prop_assert_eq!(read_back("bash", &quoted), bytes);
        }
    }
}
