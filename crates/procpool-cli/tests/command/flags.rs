//! A row for each option of `procpool run`: a command line as a user types it, and what it does. The details
//! of an option are tested elsewhere; here, no option may be without a row.

use crate::Folder;
use crate::cluster::SLURM;

/// An option, a command line for a shell, its standard output, and its exit status.
type Row = (&'static str, &'static str, &'static str, i32);

const INPUT: &[Row] = &[
    ("null", r"printf 'a\nb\0c\0' | procpool run -k -0 printf '<%s>'", "<a\nb><c>", 0),
    ("delimiter", "printf 'a:b:' | procpool run -k -d: echo", "a\nb\n", 0),
    ("arg-file", "printf '1\n2\n' > list; procpool run -k -a list echo", "1\n2\n", 0),
    ("csv", r#"printf 'x,y\n"a, b",2\n' | procpool run --csv echo {y}:{x}"#, "2:a, b\n", 0),
    ("tsv", r"printf 'x\ty\n1\t2\n' | procpool run --tsv echo {y}-{1}", "2-1\n", 0),
    ("replace", "procpool run -I @ echo @.{} ::: a", "a.{}\n", 0),
    ("max-args", "seq 3 | procpool run -k -n2 echo", "1 2\n3\n", 0),
    ("xargs", "seq 3 | procpool run -X echo", "1 2 3\n", 0),
    ("key", "procpool run --tag --key {2}:{1} echo ::: a ::: b", "b:a\ta b\n", 0),
    ("shell", "procpool run --shell 'echo {} | tr a-z A-Z' ::: ab", "AB\n", 0),
    ("pipe", "seq 5 | procpool run --pipe wc -l", "5\n", 0),
    ("block", "seq 4 | procpool run -k --pipe --block 4 -- tail -n1", "2\n4\n", 0),
    (
        "records",
        "printf 'a;b;' | procpool run -k --pipe --block 2 --records ';' -- sed 's/$/!/'",
        "a;!b;!",
        0,
    ),
    ("file", r#"echo '{"a": ["echo", "x y"]}' > j.json; procpool run -f j.json"#, "x y\n", 0),
    ("dry-run", "procpool run --dry-run touch {} ::: 'a b'; ls", "touch 'a b'\n", 0),
    ("no-run-if-empty", "procpool run -r echo < /dev/null", "", 0),
];

const SCHEDULING: &[Row] = &[
    ("limit", "seq 4 | procpool run -j1 echo", "1\n2\n3\n4\n", 0),
    ("timeout", "procpool run --timeout 50ms sleep ::: 100", "", 1),
    ("retries", "procpool run --retries 1 -- sh -c 'test $PROCPOOL_ATTEMPT = {}' ::: 2", "", 0),
    ("retry-delay", "procpool run --retries 1 --retry-delay 1ms -- test 1 = ::: 2", "", 1),
    (
        "retry-max-delay",
        "procpool run --retries 9 --retry-delay 1ms --retry-max-delay 2ms -- test 1 = ::: 2",
        "",
        1,
    ),
    (
        "retry-on",
        "procpool run --retries 9 --retry-on exit:9 -- sh -c 'echo $PROCPOOL_ATTEMPT; exit 8' ::: x",
        "1\n",
        1,
    ),
    ("halt", "procpool run -j1 --halt soon,fail=2 -- sh -c 'echo {}; exit 1' ::: 1 2 3", "1\n2\n", 1),
    ("fail-fast", "procpool run -j1 --fail-fast -- sh -c 'echo {}; exit 1' ::: 1 2 3", "1\n", 1),
    ("delay", "procpool run -k --delay 1ms echo ::: 1 2", "1\n2\n", 0),
    ("load", "procpool run --load 1000000 echo ::: 1", "1\n", 0),
    ("mem-free", "procpool run --mem-free 1k echo ::: 1", "1\n", 0),
    ("shuffle", "seq 20 | procpool run -k --shuffle echo | tail -n1", "20\n", 0),
    (
        "seed",
        "seq 20 > n; f() { procpool run -j1 --shuffle --seed $1 echo < n | cksum; }; [ \"$(f 7)\" = \"$(f 7)\" ] && echo same",
        "same\n",
        0,
    ),
];

const OUTPUT: &[Row] = &[
    ("keep-order", "procpool run -k -- sh -c 'sleep {}; echo {}' ::: 0.1 0", "0.1\n0\n", 0),
    ("output", "procpool run --output none echo ::: 1", "", 0),
    ("tag", "procpool run --tag printf ::: x", "x\tx\n", 0),
    ("tag-with", "procpool run --tag-with '{#}:' echo ::: x", "1:\tx\n", 0),
    ("raw-control", r"procpool run --raw-control printf ::: '\033[2J'", "\x1b[2J", 0),
    ("progress", "procpool run --progress none echo ::: 1", "1\n", 0),
    ("bar", "procpool run --bar echo ::: 1 2> /dev/null", "1\n", 0),
    (
        "color",
        "procpool run --color always false ::: 1 2>&1 | grep -c \"$(printf '\\033')\\[\" > n; test $(cat n) -gt 0 && echo coloured",
        "coloured\n",
        0,
    ),
    ("exit-code", "procpool run --exit-code count false ::: 1 2 3", "", 3),
    (
        "summary",
        "procpool run --summary always true ::: 1 2>&1 | cut -d';' -f1",
        "procpool: 1 job: 1 succeeded\n",
        0,
    ),
];

const JOBS: &[Row] = &[
    (
        "on-leak",
        "procpool run --on-leak wait -- sh -c '(sleep 0.4; echo late) & echo now' ::: x 2> /dev/null",
        "now\nlate\n",
        0,
    ),
    (
        "no-guard",
        "procpool run --no-guard -- sh -c 'echo $PPID' ::: x > got & echo $! > started; wait; cmp got started && echo one",
        "one\n",
        0,
    ),
    (
        "grace",
        "procpool run --timeout 50ms --grace 50ms -- sh -c \"trap '' TERM; while :; do sleep 0.01; done\" ::: x",
        "",
        1,
    ),
    ("env", "procpool run --env A=b=c -- sh -c 'echo $A' ::: x", "b=c\n", 0),
    ("env-clear", "B=1 procpool run --env-clear -- sh -c 'echo \"<$B>\"' ::: x", "<>\n", 0),
    ("cwd", "mkdir sub; procpool run --cwd sub -- sh -c 'basename \"$PWD\"' ::: x", "sub\n", 0),
    ("nice", "procpool run --nice 3 -- sh -c 'echo $(($(nice) - {}))' ::: $(nice)", "3\n", 0),
];

const RECORDS: &[Row] = &[
    ("results", "procpool run --results r echo ::: a/b > /dev/null; cat r/a%2Fb/stdout", "a/b\n", 0),
    (
        "joblog",
        "procpool run --joblog log false ::: 'x y'; cut -f1,7- log",
        "Seq\tExitval\tSignal\tCommand\n1\t1\t0\tfalse 'x y'\n",
        0,
    ),
    ("junit", "procpool run --junit j false ::: x; grep -c '<failure' j", "1\n", 0),
    ("events", "procpool run --events - echo ::: x | grep -c job-finished", "1\n", 0),
];

const JOURNAL: &[Row] = &[
    (
        "journal",
        "procpool run --journal j echo ::: 1 > /dev/null; procpool resume j; ls j/journal.jsonl",
        "j/journal.jsonl\n",
        0,
    ),
    (
        "resume",
        "f() { procpool run --journal j --resume -- sh -c 'echo {}; test -e {}' ::: a b; }; touch a; f > /dev/null; touch b; f",
        "b\n",
        0,
    ),
    (
        "changed",
        "f() { echo '{\"a\": [\"echo\", \"'$1'\"]}' > j.json; procpool run --journal j --resume --changed rerun -f j.json; }; f 1; f 2",
        "1\n2\n",
        0,
    ),
    (
        "durable",
        "procpool run --journal j --durable echo ::: 1; grep -c '\"success\":true' j/journal.jsonl",
        "1\n1\n",
        0,
    ),
];

/// Command lines for a shell that has read [`SLURM`].
const CLUSTER: &[Row] = &[
    (
        "on",
        "procpool run --on slurm -k --slices 2 echo {} {#} ::: a b c; ls",
        "a 1\nb 2\nc 3\nasked\nbin\nslurm\n",
        0,
    ),
    ("slices", "procpool run --on slurm --slices 3 true ::: 1 2 3 4 5; grep array asked", "--array=0-2\n", 0),
    (
        "nodes",
        "procpool run --on slurm --slices 3 --nodes 2 true ::: 1 2 3; grep array asked",
        "--array=0-2%2\n",
        0,
    ),
    (
        "sbatch-arg",
        "procpool run --on slurm --sbatch-arg=-C --sbatch-arg 'a b' true ::: 1; grep -A1 -e -C asked",
        "-C\na b\n",
        0,
    ),
    ("time", "procpool run --on slurm --time 61s true ::: 1; grep time asked", "--time=2\n", 0),
    (
        "detach",
        "procpool run --on slurm --detach --journal j echo ::: a 2> said; grep -c 'procpool resume j' said; procpool resume j",
        "1\na\n",
        0,
    ),
    (
        "on-term",
        "procpool run --on slurm --on-term leave true ::: 1; echo $?; procpool run --on slurm --on-term x true ::: 1 2>&1 | grep -c leave",
        "0\n1\n",
        0,
    ),
    (
        "bad-node",
        "export at_once=1; procpool run --on slurm --slices 2 -j1 --bad-node keep \
         sh -c '[ $SLURMD_NODENAME = n0 ] || exit 1; sleep 0.1' ::: $(seq 40) 2>&1 | grep -c 'while others succeed$'",
        "1\n",
        0,
    ),
    (
        "slice-exit",
        "procpool run --on slurm --slice-exit --journal j true ::: 1; grep -o -e --slice-exit j/slices-1-1.jsonl",
        "--slice-exit\n",
        0,
    ),
    (
        "at-most-once",
        "procpool run --on slurm --at-most-once true ::: 1; grep requeue asked",
        "--no-requeue\n",
        0,
    ),
];

fn all() -> impl Iterator<Item = &'static Row> {
    [INPUT, SCHEDULING, OUTPUT, JOBS, RECORDS, JOURNAL, CLUSTER].into_iter().flatten()
}

#[test]
fn each_option_does_what_its_row_says() {
    for (option, line, printed, status) in all() {
        let folder = Folder::new();
        let is_of_cluster = CLUSTER.iter().any(|(own, ..)| own == option);
        let ended = if is_of_cluster {
            folder.write("slurm", SLURM);
            folder.sh(&format!(". ./slurm; {line}")).end()
        } else {
            folder.sh(line).end()
        };
        assert_eq!(ended.text(), *printed, "--{option}: {line}\n{}", ended.error_text());
        assert_eq!(ended.status.code(), Some(*status), "--{option}: {line}\n{}", ended.error_text());
    }
}

#[test]
fn each_option_has_a_row() {
    let help = Folder::new().run("--help").end().exited(0);
    let options = help.text().lines().filter_map(|line| {
        let option = line.strip_prefix("  ")?.split_once("--")?;
        let is_definition = option.0.trim_start().is_empty() || option.0.trim_start().starts_with('-');
        let name: String =
            option.1.chars().take_while(|letter| letter.is_ascii_lowercase() || *letter == '-').collect();
        (is_definition && line.len() - line.trim_start().len() <= 6).then_some(name)
    });
    let names: Vec<&str> = all().map(|(option, ..)| *option).collect();
    let without: Vec<String> =
        options.filter(|option| option != "help" && !names.contains(&option.as_str())).collect();
    assert_eq!(without, Vec::<String>::new());
    // Checks that the list above is really a list of options.
    assert!(
        help.text().contains("\n      --joblog <FILE>\n") && help.text().contains("\n  -j, --limit <N>\n")
    );
}
