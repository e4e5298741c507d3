//! Writes words so that a shell reads them back as they are.
//! Knows nothing of what they are for.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use procpool_core::Command;

/// What a word with a control character is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    /// Any POSIX shell: all bytes stand as they are, newlines too.
    Shell,
    /// A file that has one line a command: control characters, and what is no UTF-8, are written as bash(1), ksh
    /// and zsh read them, `$'\n'`.
    Line,
}

/// A command as it would be typed: the variables and the directory that were given to it are not in it.
pub(crate) fn command_line(command: &Command, reader: Reader) -> OsString {
    let words = [command.program()].into_iter().chain(command.arguments().iter().map(OsString::as_os_str));
    let mut line = Vec::new();
    for word in words {
        if !line.is_empty() {
            line.push(b' ');
        }
        append(&mut line, word.as_bytes(), reader);
    }
    OsString::from_vec(line)
}

fn append(line: &mut Vec<u8>, word: &[u8], reader: Reader) {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-./,:+@%".contains(byte);
    if !word.is_empty() && word.iter().all(is_plain) {
        line.extend(word);
    } else if reader == Reader::Line && (word.iter().any(u8::is_ascii_control) || !is_text(word)) {
        line.extend(b"$'");
        for byte in word {
            line.extend(byte_in_ansi_quotes(*byte, is_text(word)));
        }
        line.push(b'\'');
    } else {
        // Nothing is special between single quotes but the quote itself.
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

fn is_text(word: &[u8]) -> bool {
    std::str::from_utf8(word).is_ok()
}

fn byte_in_ansi_quotes(byte: u8, is_text: bool) -> Vec<u8> {
    match byte {
        b'\n' => b"\\n".to_vec(),
        b'\r' => b"\\r".to_vec(),
        b'\t' => b"\\t".to_vec(),
        b'\'' | b'\\' => vec![b'\\', byte],
        byte if byte.is_ascii_control() || (!byte.is_ascii() && !is_text) => {
            // Octal: of hexadecimal digits a shell may take more than two.
            format!("\\{byte:03o}").into_bytes()
        }
        plain => vec![plain],
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use proptest::prelude::*;

    use super::*;

    fn word(word: &OsStr, reader: Reader) -> OsString {
        let mut quoted = Vec::new();
        append(&mut quoted, word.as_bytes(), reader);
        OsString::from_vec(quoted)
    }

    fn read_back(shell: &str, quoted: &OsStr) -> Vec<u8> {
        let mut script = OsString::from("printf %s ");
        script.push(quoted);
        std::process::Command::new(shell).arg("-c").arg(script).output().unwrap().stdout
    }

    #[test]
    fn what_needs_no_quotes_has_none() {
        let line = |words: &[&str]| command_line(&Command::new(words[0]).args(&words[1..]), Reader::Shell);
        assert_eq!(line(&["convert", "a.gif", "-resize", "50%", "x:y@2"]), "convert a.gif -resize 50% x:y@2");
        assert_eq!(
            line(&["echo", "", "a b", "it's", "~", "*", "#", "a=b"]),
            r"echo '' 'a b' 'it'\''s' '~' '*' '#' 'a=b'"
        );
    }

    #[test]
    fn a_command_stays_on_its_line_where_it_has_to() {
        assert_eq!(word("a\nb'\\\t\x1b".as_ref(), Reader::Line), r"$'a\nb\'\\\t\033'");
        assert_eq!(word(OsStr::from_bytes(b"\xff1"), Reader::Line), r"$'\3771'");
        assert_eq!(word("ä b".as_ref(), Reader::Line), "'ä b'");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_shell_reads_any_word_back(bytes in proptest::collection::vec(1_u8.., 0..20)) {
            let bytes = OsString::from_vec(bytes);
            prop_assert_eq!(read_back("sh", &word(&bytes, Reader::Shell)), bytes.as_bytes());
            prop_assert_eq!(read_back("bash", &word(&bytes, Reader::Line)), bytes.as_bytes());
        }
    }
}
