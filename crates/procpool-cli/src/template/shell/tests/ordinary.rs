//! Ordinary commands: none is refused, and none runs a value.

use proptest::prelude::*;

use super::running::{Shell, VALUES};
use crate::shell::grammar::CHECK;

/// For all shells.
const COMMANDS: &[&str] = &[
    "echo {}",
    "echo \"{}\" '{}' a{}b",
    "echo -n {} >> log",
    "printf '%s\\n' {}",
    "printf \"%s: %s\\n\" {} \"$HOME\"",
    "printf '%s\\n' {} > out",
    "printf '%s\\0' {} | sort -z",
    "printf -- '%s' {}",
    "printf '%-20s|%5.2s|%b|%q|%c|100%%\\n' {} {} {} {} {}",
    "printf '{}\\n'",
    "printf 'value: {}\\n'",
    "cat {} | wc -l",
    "cat < {}",
    "wc -l < {} > {}.count",
    "sort {} > {}.out 2> {}.err",
    "sort {} > {.}.out 2>&1",
    "sort {} 2>/dev/null >&2",
    "gzip -9 -c {} > {}.gz && rm -f -- {}",
    "tar -czf {/}.tgz -C {//} {/}",
    "test -f {} && echo yes || echo no",
    "test ! -e {} || cat {}",
    "[ -f {} ] && [ -s \"{}\" ]",
    "[ -n {} ]",
    "[ {} ]",
    "[ {} = x ]",
    "[ x != \"{}\" ] && echo other",
    "[ -d {} -o -L {} ]",
    "[ \"$(wc -l < {})\" -gt 5 ]",
    "[ {#} -gt 5 ]",
    "if [ -e {} ]; then cat {}; else echo {} >&2; exit 1; fi",
    "if grep -q x {}; then echo {}; fi",
    "for i in 1 2; do echo {} $i; done",
    "for x in {} b; do echo \"$x\"; done",
    "while read -r line; do echo \"$line\"; done < {}",
    "while read line; do echo {} $line; done < /dev/null",
    "until test -e /; do sleep 1; done; echo {}",
    "case {} in *.gz) zcat {};; *) cat {};; esac",
    "case $HOME in {}) echo {};; esac",
    "(cd / && ls {})",
    "{ echo {}; echo b; } > log",
    "cd {} && ls",
    "mkdir -p {//} && touch {}",
    "x={}; echo \"${x%.*}\" \"${#x}\" \"$x\"",
    "x=$(basename {}); echo \"$x\"",
    "x=\"$(dirname \"{}\")\"; ls \"$x\"",
    "n=$(wc -l < {}); echo $((n + 1))",
    "n={}; case $n in ''|*[!0-9]*) exit 2;; esac; echo $((n + 1))",
    "f={}; trap 'rm -f \"$f\"' EXIT",
    "export X={}; env | grep X",
    "export \"X={}\"",
    "X={} Y=1 sh -c 'echo \"$X\"'",
    "X={} env | grep X",
    "env X={} sh -c 'echo \"$X\"'",
    "readonly X={}; echo $X",
    "sh -c 'echo \"$1\"' sh {}",
    "sh -eu -c 'echo \"$@\"' sh {} a",
    "sh ./nothing {}",
    "find {} -name '*.c' -exec sh -c 'echo \"$1\"' sh {} ';'",
    "command -v {}",
    "command cat {}",
    "exec cat {}",
    "time cat {}",
    "! grep x {}",
    "nice -n 19 cat {} &",
    "cat {} & wait",
    "cat {} > /dev/null; wait",
    "set -e; cat {}",
    "set -eu\ncat {}\nsort {}",
    "umask 022; cat {}",
    "type cat; ls {}",
    "awk '{print $1}' {}",
    "sed -e 's/a/b/' -n -- {}",
    "sed -i.bak 's|x|y|' {}",
    "grep -E 'a[0-9]+' -- {}",
    "cut -d: -f1 {} | tr a-z A-Z",
    "diff {} {}.orig",
    "python3 -c 'import sys; sys.argv[1]' {}",
    "cmd --set eval read unset let {}",
    "git log -- {}",
    "git commit -m {} -- x",
    "make CC={} ENV={} -n",
    "COLUMNS=80 ls {}",
    "echo a[1] {} b[{}]",
    "echo $((1 + 2)) {} ${HOME} \"${HOME:-x}\"",
    "echo `date` {}",
    "echo 1>&2 {}",
    "echo {} | while read x; do echo $x; done",
    "echo eval; echo {}",
    "echo {} # comment",
    "true && echo {} || false; echo $?",
    "ls {} >/dev/null 2>&1 || echo missing {}",
];

/// For shells other than dash, which lacks these.
const OF_LARGE_SHELLS: &[&str] = &[
    "[[ -f {} ]] && echo {}",
    "[[ {} == *.gz ]]",
    "[[ {} != x && -n {} ]]",
    "[[ {} =~ ^[0-9]+$ ]] && echo {}",
    "[[ $HOME -ef {} || ! -e {} ]]",
    "[[ {#} -gt 5 ]]",
    "[[ -n {} && 5 -gt 3 ]]",
    "a=({} b); echo \"${a[@]}\"",
    "a=(); a+=({}); echo ${#a[@]}",
    "a=(\n  -x\n  {}\n); echo \"${a[@]}\"",
    "a[1]={}; echo",
    "typeset x={}; echo \"$x\"",
    "typeset -i n=1; echo {} $((n + 1))",
    "typeset -i n=1; x={}",
    "read -r x <<< {}; echo \"$x\"",
    "cat <<< {}",
    "echo $'a\\tb' {}",
    "set -o pipefail; sort {} | uniq",
];

const OF_BASH: &[&str] = &[
    "diff <(sort {}) <(sort -u {})",
    "while read -r line; do echo \"$line\"; done < <(cat {})",
    "cat {} > >(wc -l)",
    "mapfile -t lines < {}; echo ${#lines[@]}",
    "read -ra words <<< {}; echo \"${words[0]}\"",
    "local_file={}; echo \"${local_file##*/}\"",
    "declare x={}; echo \"$x\"",
    "declare -r \"x={}\"",
    "declare -a a=({} b)",
    "declare -A a=([x]={})",
    "cat {} &> {}.log",
    "cat {} |& wc -l",
    "shopt -s nullglob; ls {}",
    "ls @({}|x)",
    "set -euo pipefail; shopt -s lastpipe; cat {} | sort",
    "cat {} 2> >(grep -v x >&2)",
    "coproc cat; echo {}",
    "source {}",
    ". {}",
    "for ((i = 0; i < 3; i++)); do echo {}; done",
];

/// For shells whose builtins accept only numbers.
const NUMBERS: &[&str] = &[
    "[ {} -gt 5 ]",
    "test {} -eq 1 && echo {}",
    "if [ 1 -le {} ]; then echo {}; fi",
    "printf '%03d\\n' {}",
    "printf '%s %5.2f\\n' a {}",
    "exit {}",
    "COLUMNS={} ls",
];

fn commands(shell: Shell) -> impl Iterator<Item = &'static str> {
    let none: &[&str] = &[];
    let large = if shell == Shell::Dash { none } else { OF_LARGE_SHELLS };
    let bash = if shell == Shell::Bash { OF_BASH } else { none };
    let numbers = if matches!(shell, Shell::Bash | Shell::Dash | Shell::Yash) { NUMBERS } else { none };
    [COMMANDS, large, bash, numbers].into_iter().flatten().copied()
}

#[test]
fn none_is_refused() {
    let refused: Vec<String> = Shell::ALL
        .into_iter()
        .flat_map(|shell| commands(shell).map(move |text| (shell, text)))
        .filter_map(|(shell, text)| Some(format!("{shell:?}: {text}: {:#}", shell.parse(text).err()?)))
        .collect();
    assert!(refused.is_empty(), "{refused:#?}");
}

#[test]
fn none_runs_a_value() {
    for shell in Shell::ALL.into_iter().filter(|shell| shell.is_here()) {
        // One value each: the random test below tries all combinations over time.
        let values = ["x[$(:>ran)]", "$(:>ran)", "-vx[$(:>ran)]"].into_iter().cycle();
        for (text, value) in commands(shell).zip(values) {
            let template = shell.parse(text).unwrap();
            assert!(!shell.runs_template(&template, value), "{shell:?} runs {value} in {text}");
        }
    }
}

#[test]
fn the_check_that_is_advised_lets_numbers_through_and_nothing_else() {
    let advice = CHECK.split('`').nth(1).unwrap().replace('…', ": $((n + 1)); : > ran");
    for shell in Shell::ALL.into_iter().filter(|shell| shell.is_here()) {
        let template = shell.parse(&advice).unwrap();
        assert!(shell.runs_template(&template, "7"), "{shell:?}");
        for value in VALUES.into_iter().chain(["", "7 x", "7\nx[$(:>ran)]", "-7"]) {
            assert!(!shell.runs_template(&template, value), "{shell:?} takes {value} for a number");
        }
    }
}

/// The words of random texts: all that the tables mention, and what may surround it.
const WORDS: [&str; 76] = [
    "{}",
    "{}",
    "{}",
    "{}",
    "{}",
    "\"{}\"",
    "'{}'",
    "x={}",
    "n={}",
    "a[{}]=1",
    "a[1]={}",
    "[{}]=1",
    "-{}",
    "{}[{}]",
    "1",
    "x",
    "n",
    "a",
    "a[",
    "]=1",
    "-v",
    "-eq",
    "-gt",
    "-n",
    "-a",
    "-i",
    "-c",
    "--",
    "%d",
    "%s",
    "!",
    "=",
    "=~",
    "==",
    "[[",
    "]]",
    "[",
    "]",
    "test",
    "printf",
    "print",
    "declare",
    "typeset",
    "export",
    "read",
    "let",
    "eval",
    "command",
    "builtin",
    "exec",
    "echo",
    ":",
    "for n in",
    "case x in",
    "x)",
    "esac",
    "; do",
    "done",
    "if",
    "then",
    "fi",
    "{ ",
    "; }",
    "(",
    ")",
    "a=(",
    "$(",
    ";",
    "&&",
    "|",
    "<<<",
    ">&",
    "${y:-\"\"}",
    "{}${y:-\"\"}",
    "$'a\\'b'",
    "<<E",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn whatever_is_accepted_runs_no_value(
        words in proptest::collection::vec(0..WORDS.len(), 1..8),
        value in 0..VALUES.len(),
        shell in 0..Shell::ALL.len(),
    ) {
        let text = words.into_iter().map(|word| WORDS[word]).collect::<Vec<_>>().join(" ");
        let shell = Shell::ALL[shell];
        if let Ok(template) = shell.parse(&text) {
            prop_assert!(!shell.is_here() || !shell.runs_template(&template, VALUES[value]), "{shell:?} runs {text}");
        }
    }
}
