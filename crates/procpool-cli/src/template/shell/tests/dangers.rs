//! Places where quotes don't help. Each is refused, and a run in the shells named proves that it is
//! dangerous.

use super::running::Shell::{self, Bash, Dash, Ksh, Mksh, Yash, Zsh};
use super::running::{VALUES, unchecked};

const EACH: &[Shell] = &Shell::ALL;
const ARITHMETIC: &[Shell] = &[Bash, Zsh, Mksh];

/// The shells that run a value there, and the places.
const DANGERS: &[(&[Shell], &[&str])] = &[
    (
        EACH,
        &[
            "eval {}",
            "eval : {}; :",
            "'eval' {}",
            "\\eval {}",
            "e\"\"val \"{}\"",
            "\"ev\\\nal\" {}",
            "trap {} EXIT",
            "trap -- '{}' EXIT",
            ": && eval {}",
            ": | eval {}",
            "! eval {}",
            "{ eval {}; }",
            "(eval {})",
            "x=$(eval {})",
            ": \"$(eval {})\"",
            "if eval {}; then :; fi",
            "if :; then eval {}; fi",
            "while eval {}; do break; done",
            "for x in a; do eval {}; done",
            "case x in x) eval {};; esac",
            "case x in (x) eval {};; esac",
            "x=1 eval {}",
            ": # comment\neval {}",
            ": >/dev/null; >/dev/null eval {}",
            "sh -c 'echo {}'",
            "sh -ec \"echo {}\"",
            "env sh -c \": {}\"",
            "BASH_ENV={} bash -c :",
            "env BASH_ENV={} bash -c :",
            "export BASH_ENV={}; bash -c :",
        ],
    ),
    (
        &[Bash, Dash, Ksh, Mksh, Yash],
        &["command eval {}", "if(eval {}); then :; fi", "case x in(x) eval {};; esac"],
    ),
    (&[Dash, Ksh, Mksh, Yash], &["alias q={}\nq"]),
    (&[Bash, Ksh, Mksh], &["PS4={}; set -x; :", "time eval {}"]),
    (&[Bash, Mksh], &["time -p eval {}"]),
    (&[Bash, Zsh, Ksh], &[": <(eval {}); sleep 0.3"]),
    (&[Bash, Zsh, Mksh], &["builtin eval {}"]),
    (&[Zsh, Mksh], &["exec eval {}"]),
    (
        ARITHMETIC,
        &[
            "(({}))",
            "let {}",
            "let x={}",
            "let 'x={}'",
            "[[ {} -eq 1 ]]",
            "[[ 1 -lt {} ]]",
            "[[ -n x && {} -gt 1 ]]",
            "[[ -z x || 1 -ge {} ]]",
            "[[ ( {} -ne 1 ) ]]",
            "[[ ! {} -le 1 ]]",
            "typeset -i n={}",
            "typeset -i n; n={}",
            "typeset -i n=1; n+={}",
            "typeset -i n; export n={}",
            "typeset -i n; read n <<< {}",
            "typeset -i n; for n in {}; do :; done",
            "read {} <<< x",
            "x=abc; : ${x:0:{}}",
            "OPTIND={}",
            "RANDOM={}",
            "for SECONDS in {}; do :; done",
        ],
    ),
    (
        &[Zsh, Mksh],
        &[
            "getopts x {} -x",
            "integer n={}",
            "integer n; n={}",
            "COLUMNS={}",
            "SECONDS={}",
            "LINES={} :",
            "export SECONDS={}",
            "read -A {} <<< x",
        ],
    ),
    (
        &[Bash, Mksh],
        &[
            "[ -v {} ]",
            "test -v {}",
            "[[ -v {} ]]",
            "[[ -n x && -v {} ]]",
            "[[ ( -v {} ) ]]",
            "a=(1); unset 'a[{}]'",
        ],
    ),
    (
        &[Bash, Zsh],
        &[
            "printf -v {} x",
            ": $((1 + {}))",
            "typeset -i n; printf -v n %s {}",
            "a[{}]=1",
            "path[{}]=1",
            "a[i=1,{}]=2",
            "a=([{}]=1)",
            "a+=(1 [{}]=2)",
            "declare -i n={}",
            "declare -i n; n={}",
            "declare a[{}]=1",
            "coproc let {}; sleep 0.3",
            "coproc sh -c 'echo {}'; sleep 0.3",
            "coproc eval {}; sleep 0.3",
        ],
    ),
    (
        &[Bash],
        &[
            "declare -ai a=({})",
            "declare -a a={}",
            "declare -A a={}",
            "readonly -a a={}",
            "a=(1); declare a={}",
            "a[1]=2; declare a={}",
            "declare -a a; declare a={}",
            "read -a a <<< x; declare a={}",
            "mapfile a <<< x; typeset a={}",
            "declare DIRSTACK={}",
            "declare -n r={}; : $r",
            "declare -n r; r={}; : $r",
            "a[ {} ]=1",
            ": & wait -n -p {}",
            ": & wait {}",
            "mapfile -C {} -c 1 a < /etc/passwd",
            "compgen -W {}",
            "printf {} x",
            "printf -v{} x",
            "$'eval' {}",
            "$\"eval\" {}",
            "{x}>/dev/null eval {}",
            "x=-v; [ $x {} ]",
            "[ x = x -a -v {} ]",
            "a=(1); declare -x a={}",
            "typeset -ia a=({})",
            "printf \"{}\" x",
            ": >& {}",
            ": >&\"{}\"",
            "exec {a[{}]}>/dev/null",
            "{a[{}]}>/dev/null",
            ": {a[{}]}>/dev/null",
            "RANDOM={} :; SRANDOM={}",
            "HISTCMD={}",
            "BASH_ALIASES[f]={}; shopt -s expand_aliases; eval f",
            "coproc N { eval {}; }; sleep 0.3",
            ": ${a[{}]}",
            ": $[{}]",
            "[[ {}${y:-\"\"} -eq 1 ]]",
            "[[ {}$(case x in x) :;; esac) -eq 1 ]]",
            "printf {} ${y:-\"x\"}",
            "printf {}$(case x in x) :;; esac) x",
            "printf {} $[1]",
            "printf {} $'a\\'b'",
            "printf {} <<E x\nE",
            "printf {} > ${y:-\"/dev/null\"} x",
        ],
    ),
    (
        &[Zsh],
        &[
            "[ -t {} ]",
            "[[ -t {} ]]",
            "printf %d {}",
            "printf '%s %5d' a {}",
            "printf '%*s' {} x",
            "print {}",
            "print -rn {}",
            "print -v {} x",
            "print -f %d {}",
            "setopt promptsubst; print -P -- {}",
            "float n={}",
            "float n; n={}",
            "typeset -F n={}",
            "typeset -E 2 n={}",
            "zmodload zsh/param/private; private -i n={}",
            "exit {}",
            "break {}",
            "repeat {} :",
            "repeat 1 eval {}",
            "noglob eval {}",
            "nocorrect eval {}",
            ":; - eval {}",
            "local -i n={}",
            "for x (a) eval {}",
            "for x (a) { eval {} }",
            "foreach x (a) { eval {} }",
            "while [[ -n x ]] { eval {}; break }",
            "{ : } always { eval {} }",
            "if (false) { : } else { eval {} }",
            ": =(eval {})",
            ": *(+{})",
            ": > f; : *(e.{}.)",
            ": > f; : *(e@{}@)",
            ": $path[{}]",
            ": \"$path[{}]\"",
            ": ${x:{}}",
            "emulate sh -c {}",
            "functions[f]={}; f",
            "aliases[f]={}; eval f",
            "zstyle -e a b {}; zstyle -s a b c",
            "zmodload zsh/zpty; zpty x {}; sleep 0.3",
            "zmodload zsh/zutil; zparseopts -a {} x",
            "zmodload zsh/zutil; zregexparse a {} x",
            "zmodload zsh/zutil; zformat -f {} x y:z",
            "zmodload zsh/system; echo x | sysread {}",
            "zmodload zsh/system; sysopen -r -u {} /dev/null",
            "zmodload zsh/datetime; strftime -s {} %s 0",
            "zmodload zsh/stat; zstat -A {} /",
            "autoload -U zmv; : > a; zmv '(*)' {}",
            "set -A {} x",
            "print -z x; getln {}",
            "SHLVL={}",
            "HISTSIZE={}",
            "read -t {} x",
        ],
    ),
    (
        &[Mksh],
        &[
            "[ {} -eq 1 ]",
            "[ 1 -lt {} ]",
            "[ {} <<E -gt 5 ]\nE",
            "op=-gt; [ {} $op 5 ]",
            "op=-gt; test {} \"$op\" 5",
            "test {} -gt 5",
            "unset {}",
            "shift {}",
            "command shift {}",
            "builtin shift {}",
            "ulimit -n {}",
            "TMOUT={}",
            "a[b[{}]]=2",
        ],
    ),
    (&[Yash], &["COMMAND_NOT_FOUND_HANDLER={}; nosuchcommand", "YASH_AFTER_CD={}; cd ."]),
];

fn dangers() -> impl Iterator<Item = (Shell, &'static str)> {
    let rows = DANGERS.iter();
    rows.flat_map(|(shells, texts)| shells.iter().flat_map(|shell| texts.iter().map(|text| (*shell, *text))))
}

#[test]
fn each_is_refused_with_a_reason_and_with_what_to_write_instead() {
    for (shell, text) in dangers() {
        let error = match shell.parse(text) {
            Ok(_) => panic!("{text} is not refused for {shell:?}"),
            Err(error) => format!("{error:#}"),
        };
        assert!(error.starts_with("--shell: ") && error.contains("write "), "{text}: {error}");
    }
}

/// Fails if a place is harmless: refusing it would take something from users for nothing.
fn check(shell: Shell) {
    if !shell.is_here() {
        return;
    }
    let of_shell = dangers().filter(|(other, _)| *other == shell);
    let harmless: Vec<&str> = of_shell
        .map(|(_, text)| text)
        .filter(|text| !VALUES.iter().any(|value| shell.runs(&unchecked(text), value)))
        .collect();
    assert!(harmless.is_empty(), "{shell:?} runs no value in {harmless:#?}");
}

#[test]
fn bash_would_run_a_value_in_each_of_its_own() {
    check(Bash);
}

#[test]
fn dash_would_run_a_value_in_each_of_its_own() {
    check(Dash);
}

#[test]
fn zsh_would_run_a_value_in_each_of_its_own() {
    check(Zsh);
}

#[test]
fn ksh_would_run_a_value_in_each_of_its_own() {
    check(Ksh);
}

#[test]
fn mksh_would_run_a_value_in_each_of_its_own() {
    check(Mksh);
}

#[test]
fn yash_would_run_a_value_in_each_of_its_own() {
    check(Yash);
}
