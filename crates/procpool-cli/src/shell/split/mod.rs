//! Splits a command as a POSIX shell does, and refuses what only a shell could carry out.
//! It never guesses: whatever it accepts, `sh` and bash split into the same words.

mod error;

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use crate::shell::lexer::{Lexer, Quotes, Token, name_length};
pub(crate) use crate::shell::split::error::SplitError;

/// Reserved words of POSIX and of bash(1). `time` is missing because it is also a program.
const KEYWORDS: [&str; 22] = [
    "!", "{", "}", "case", "do", "done", "elif", "else", "esac", "fi", "for", "if", "in", "then", "until",
    "while", "function", "select", "coproc", "[[", "]]", "((",
];

/// Commands that change or end the shell itself. Run as programs, if there are any, they would have no
/// effect.
const BUILTINS: [&str; 27] = [
    ".", ":", "alias", "bg", "break", "builtin", "cd", "continue", "declare", "eval", "exec", "exit",
    "export", "fg", "let", "local", "popd", "pushd", "read", "return", "set", "shift", "source", "trap",
    "ulimit", "umask", "unset",
];

/// The words of a command. A blank line and a comment have none.
///
/// # Errors
/// If a shell would do more than split it.
pub(crate) fn split(command: &[u8]) -> Result<Vec<OsString>, SplitError> {
    let mut words = Vec::new();
    if is_blank(command) {
        return Ok(words);
    }
    let mut lexer = Lexer::default();
    let mut rest = command;
    while let Some(token) = lexer.next(&mut rest) {
        match token {
            Token::Blank => end_word(&mut lexer, &mut words)?,
            token => refuse(token, lexer.quotes())?,
        }
    }
    match lexer.quotes() {
        Quotes::None => end_word(&mut lexer, &mut words)?,
        Quotes::Single => return Err(SplitError::Unterminated('\'')),
        Quotes::Double => return Err(SplitError::Unterminated('"')),
    }
    if words.first().is_some_and(|program| program.is_empty()) {
        return Err(SplitError::EmptyProgram);
    }
    Ok(words)
}

/// Whether it is only blanks or a comment.
pub(crate) fn is_blank(command: &[u8]) -> bool {
    command.iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\n')).is_none_or(|byte| *byte == b'#')
}

/// An error for each token that is more than a part of a word.
fn refuse(token: Token, quotes: Quotes) -> Result<(), SplitError> {
    Err(match token {
        Token::Bare(byte @ (b'*' | b'?' | b'[')) => SplitError::Pattern(byte.into()),
        Token::Operator(b'\n') | Token::Continuation => SplitError::Newline,
        Token::Backslash if quotes == Quotes::None => SplitError::Newline,
        Token::Operator(byte) => SplitError::Operator(byte.into()),
        Token::Expansion(byte) => SplitError::Expansion(byte.into()),
        Token::Comment => SplitError::Comment,
        // In quotes: the end of the text will report that they are not closed.
        Token::Backslash | Token::Bare(_) | Token::Part | Token::Blank => return Ok(()),
    })
}

fn end_word(lexer: &mut Lexer, words: &mut Vec<OsString>) -> Result<(), SplitError> {
    let Some(word) = lexer.end_word() else { return Ok(()) };
    check_word(word.bare())?;
    if words.is_empty() {
        check_first_word(word.bare())?;
    }
    words.push(OsString::from_vec(word.into_bytes()));
    Ok(())
}

/// Refuses what a shell expands in any word.
fn check_word(bare: &[u8]) -> Result<(), SplitError> {
    if let Some(brace) = bare.iter().position(|byte| *byte == b'{') {
        let behind = &bare[brace..];
        if behind.contains(&b',') || behind.windows(2).any(|pair| pair == b"..") {
            return Err(SplitError::Braces);
        }
    }
    // After `=`, and after a later `:`, only some shells expand it.
    let mut in_assignment = false;
    let mut before = b'=';
    for byte in bare {
        if *byte == b'~' && (before == b'=' || (before == b':' && in_assignment)) {
            return Err(SplitError::Tilde);
        }
        in_assignment |= *byte == b'=';
        before = *byte;
    }
    Ok(())
}

/// Refuses a first word that isn't a program to a shell.
fn check_first_word(bare: &[u8]) -> Result<(), SplitError> {
    if let Some(keyword) = KEYWORDS.iter().chain(&BUILTINS).find(|keyword| keyword.as_bytes() == bare) {
        return Err(SplitError::Keyword(keyword));
    }
    let Some(equals) = bare.iter().position(|byte| *byte == b'=') else { return Ok(()) };
    let name = bare[..equals].strip_suffix(b"+").unwrap_or(&bare[..equals]);
    if !name.is_empty() && name_length(name) == name.len() {
        return Err(SplitError::Assignment(String::from_utf8_lossy(name).into_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;

    use proptest::prelude::*;

    use super::*;

    fn words(command: &str) -> Vec<String> {
        let words = split(command.as_bytes()).unwrap();
        words.into_iter().map(|word| word.into_string().unwrap()).collect()
    }

    fn refused(command: &str) -> SplitError {
        split(command.as_bytes()).unwrap_err()
    }

    #[test]
    fn words_end_at_blanks_and_quotes_hold_them_together() {
        assert_eq!(words("  ls\t-l   a b "), ["ls", "-l", "a", "b"]);
        assert_eq!(words(r#"echo 'a  b' "c d" e\ f '' """#), ["echo", "a  b", "c d", "e f", "", ""]);
        assert_eq!(words(r#"a'b'"c"\d"#), ["abcd"]);
    }

    #[test]
    fn a_backslash_means_something_else_in_each_kind_of_quotes() {
        assert_eq!(words(r"x \$HOME \\ \' \n"), ["x", "$HOME", r"\", "'", "n"]);
        assert_eq!(words(r#"x "\$HOME \\ \" \` \n \'""#), ["x", r#"$HOME \ " ` \n \'"#]);
        assert_eq!(words(r"x '\$HOME \\ \n'"), ["x", r"\$HOME \\ \n"]);
    }

    #[test]
    fn what_is_blank_or_a_comment_has_no_words() {
        for blank in ["", "   ", "\t", "# a | b", "  #!", "#'"] {
            assert!(is_blank(blank.as_bytes()), "{blank:?}");
            assert!(words(blank).is_empty(), "{blank:?}");
        }
        assert!(!is_blank(b"a # b"));
        assert!(!is_blank(b"''"));
    }

    #[test]
    fn what_needs_a_shell_is_refused_by_name() {
        for operator in "|&;<>()".chars() {
            assert_eq!(refused(&format!("a {operator} b")), SplitError::Operator(operator));
            assert_eq!(refused(&format!("a{operator}b")), SplitError::Operator(operator));
        }
        for expansion in "$`".chars() {
            assert_eq!(refused(&format!("a {expansion}b")), SplitError::Expansion(expansion));
            assert_eq!(refused(&format!("a \"{expansion}b\"")), SplitError::Expansion(expansion));
        }
        for pattern in "*?[".chars() {
            assert_eq!(refused(&format!("ls {pattern}b")), SplitError::Pattern(pattern));
        }
        for (command, refusal) in [
            ("ls # all", SplitError::Comment),
            ("ls ~/x", SplitError::Tilde),
            ("make --prefix=~/x", SplitError::Tilde),
            ("make P=a:~/x", SplitError::Tilde),
            ("echo {a,b}", SplitError::Braces),
            ("echo x{1..3}", SplitError::Braces),
            ("A=1 ls", SplitError::Assignment("A".into())),
            ("A_1+='x y' ls", SplitError::Assignment("A_1".into())),
            ("A=1", SplitError::Assignment("A".into())),
            ("if true", SplitError::Keyword("if")),
            ("! true", SplitError::Keyword("!")),
            ("{ true", SplitError::Keyword("{")),
            ("cd /tmp", SplitError::Keyword("cd")),
            (": x", SplitError::Keyword(":")),
            ("ls \\", SplitError::Newline),
            ("ls\npwd", SplitError::Newline),
            ("ls \"a\\\nb\"", SplitError::Newline),
            ("ls 'a", SplitError::Unterminated('\'')),
            ("ls it's", SplitError::Unterminated('\'')),
            ("ls \"a", SplitError::Unterminated('"')),
            ("ls \"a\\", SplitError::Unterminated('"')),
            ("'' a", SplitError::EmptyProgram),
        ] {
            assert_eq!(refused(command), refusal, "{command:?}");
        }
    }

    #[test]
    fn what_is_special_in_other_places_only_means_itself() {
        for command in [
            "a# b",
            "a b#c",
            "dd if=x",
            "./A=1 x",
            "'A'=1 x",
            "1A=2 x",
            "scp h:~/x y",
            "a~ b~",
            "find x -exec {} +",
            "echo { }",
            "echo {a} {a}.b",
            "echo a,b a..b",
            "echo if then ! ]",
            "'if' x",
            "\\if",
            "'a|b' \"c;d\" e\\&f",
            "'a\nb'",
            "ls --color=auto",
            "time ls",
            "echo -e a^b %1 @ :",
        ] {
            assert!(split(command.as_bytes()).is_ok(), "{command:?}");
        }
    }

    #[test]
    fn a_refusal_says_what_to_write_instead() {
        assert!(refused("a | b").to_string().contains("`|` is for a shell: give --shell"));
        assert!(refused("A=1 b").to_string().contains("write `env A=…`"));
        assert!(refused("it's").to_string().contains(r"\'"));
    }

    /// The words as a shell passes them to `printf`.
    fn shells_words(shell: &str, command: &[u8]) -> Vec<u8> {
        let script = OsString::from_vec([b"printf '%s\\0' ", command].concat());
        std::process::Command::new(shell).arg("-c").arg(script).output().unwrap().stdout
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn whatever_is_accepted_a_shell_splits_the_same(
            command in r#"[ab{}~=:.,#!^%@/ \t'"\\$|*é\r\x01\x7f-]{1,24}"#
        ) {
            if let Ok(words) = split(command.as_bytes()) {
                let ours: Vec<u8> =
                    words.iter().flat_map(|word| [word.as_bytes(), b"\0"].concat()).collect();
                if !ours.is_empty() {
                    prop_assert_eq!(shells_words("sh", command.as_bytes()), ours.clone());
                    prop_assert_eq!(shells_words("bash", command.as_bytes()), ours);
                }
            }
        }

        #[test]
        fn any_words_that_are_quoted_come_back(words in proptest::collection::vec(".*", 1..5)) {
            let quoted: Vec<String> = words.iter().map(|word| format!("'{}'", word.replace('\'', r"'\''"))).collect();
            match split(quoted.join(" ").as_bytes()) {
                Ok(split) => prop_assert_eq!(split, words.iter().map(OsString::from).collect::<Vec<_>>()),
                Err(refusal) => {
                    prop_assert_eq!(refusal, SplitError::EmptyProgram);
                    prop_assert!(words[0].is_empty());
                }
            }
        }

        #[test]
        fn any_bytes_are_split_or_refused(command: Vec<u8>) {
            if let Ok(words) = split(&command) {
                prop_assert_eq!(words.is_empty(), is_blank(&command));
            }
        }
    }
}
