//! The text that a shell is given, and that a value arrives unchanged in every accepted place.

mod dangers;
mod ordinary;
mod running;

use std::os::unix::ffi::OsStringExt;
use std::process;

use proptest::prelude::*;

use super::*;
use crate::template::word::JobContext;

fn parse(text: &str, names: &Names) -> anyhow::Result<Template> {
    Template::parse_for_shell("sh".as_ref(), &[text.into()], names)
}

fn words(text: &str, lists: usize) -> Vec<String> {
    let template = parse(text, &Names::Lists(lists)).unwrap();
    let values: Vec<OsString> = ["v", "w"][..lists].iter().map(OsString::from).collect();
    let command = template.render(&values, JobContext { key: "key".as_ref(), seq: 7, slot: 1 });
    command.arguments()[1..].iter().map(|word| word.to_string_lossy().into_owned()).collect()
}

#[test]
fn a_placeholder_becomes_a_parameter_in_quotes() {
    assert_eq!(words("echo {} \"<{}>\" 'a{}b'", 1), ["echo \"${1}\" \"<${1}>\" 'a'\"${1}\"'b'", "sh", "v"]);
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
        ("command shift; echo {}", "`shift`"),
        ("\\shift; echo {}", "`shift`"),
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
        ("[[ {} -gt 5 ]]", "`-gt`"),
        ("[[ 5 -gt {} ]] && echo", "`-gt`"),
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
fn of_two_values_side_by_side_one_could_be_an_operator() {
    assert!(parse("[ -n {1} ] && [ {1} = {2} ]", &Names::Lists(2)).is_ok());
    for text in ["[ {1} {2} ]", "[ {} ]", "[ ! {1} {2} ]", "printf {1} {2}"] {
        assert!(parse(text, &Names::Lists(2)).is_err(), "{text}");
    }
}

#[test]
fn in_zsh_a_name_has_subscripts_without_braces() {
    let parse = |text: &str| Template::parse_for_shell("zsh".as_ref(), &[text.into()], &Names::Lists(1));
    for text in ["echo $x[{}]", "echo $x[1][{}]", "echo \"$#x[1,{}]\"", "echo $12[{}]", "echo $@[{}]"] {
        assert!(parse(text).is_err(), "{text}");
    }
    for text in ["echo $x[1] {}", "echo $x[1][2] {}", "echo x[{}]", "echo \"$x {}\""] {
        assert!(parse(text).is_ok(), "{text}");
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
    // No value is inserted.
    assert!(parse("cat <<E\n`it's`\nE", &Names::NoValues).is_ok());
}

/// Texts, and the output that each must have, with `@` for the value.
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
        let command = template.render(&values, JobContext { key: "key".as_ref(), seq: 1, slot: 1 });
        let expected: Vec<Vec<u8>> = expected.split('@').map(|part| part.as_bytes().to_vec()).collect();
        let expected = expected.join(&value[..]);
        for shell in ["sh", "bash"] {
            let output = process::Command::new(shell).args(command.arguments()).output().unwrap();
            prop_assert_eq!(&output.stdout, &expected, "{} by {}", text, shell);
            prop_assert!(output.stderr.is_empty(), "{} by {}: {:?}", text, shell, output.stderr);
        }
    }
}
