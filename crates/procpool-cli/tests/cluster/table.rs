//! What the local pool decides about jobs is decided the same way on the cluster: a table of options and
//! commands. The expected result of each row is that of a run on this machine.

use std::thread;

use crate::case::Case;
use crate::cluster::Cluster;
use crate::running::Running;

/// Options separated by spaces, the script that `sh -c` runs for each value, and the values.
struct Row {
    options: &'static str,
    script: &'static str,
    values: &'static [&'static str],
}

const fn row(options: &'static str, script: &'static str, values: &'static [&'static str]) -> Row {
    Row { options, script, values }
}

const ROWS: [Row; 22] = [
    // Timeouts.
    row("-j4 --timeout 3s", "echo $1; exec sleep $1", &["0", "100", "0.1"]),
    row("-j4 --timeout 3s --grace 300ms", "trap '' TERM; echo deaf; sleep $1; sleep $1", &["100", "0"]),
    row("-j1 --timeout 3s --retries 1", "echo again; sleep $1", &["0", "100"]),
    // Retries.
    row("-j4 --retries 2", "echo $PROCPOOL_ATTEMPT; exit $1", &["0", "1", "75"]),
    row("-j1 --retries 3", "echo $PROCPOOL_ATTEMPT; [ $PROCPOOL_ATTEMPT = $1 ]", &["1", "2", "3", "9"]),
    row("-j4 --retries 2 --retry-on exit:75", "echo $PROCPOOL_ATTEMPT; exit $1", &["0", "1", "75"]),
    row("-j1 --retries 1 --retry-on signal", "kill -$1 $$; exit 4", &["0", "9", "15"]),
    // Halts.
    row("-j1 --halt soon,fail=1", "echo $1; exit $1", &["0", "0", "3", "0", "0"]),
    row("-j1 --halt soon,fail=2", "echo $1; exit $1", &["0", "3", "0", "4", "0", "5"]),
    row("-j1 --halt soon,success=1", "exit $1", &["3", "0", "0"]),
    row("-j1 --halt soon,done=2", "exit $1", &["0", "0", "3", "0"]),
    row("-j1 --halt never", "exit $1", &["3", "0", "4"]),
    row("-j1 --fail-fast", "echo $1; exit $1", &["0", "5", "0"]),
    // The job that fails waits for the others.
    row(
        "-j3 --fail-fast",
        "f=with-$PROCPOOL_RUN; case $1 in 9) until [ -e $f ] && { [ \"$(cat $f)\" = ab ] || [ \"$(cat $f)\" = ba ]; }; do sleep 0.1; done; exit 9;; \
         *) printf $1 >> $f; sleep 1000;; esac",
        &["a", "b", "9", "c"],
    ),
    // Exit statuses and outputs.
    row("-j4 --exit-code max", "exit $1", &["0", "7", "3"]),
    row("-j4 --exit-code count", "exit $1", &["0", "7", "3"]),
    row("-j4 --tag", "echo one; echo two", &["a", "b"]),
    row("-j1 --output lines", "echo one; echo two >&2", &["a", "b"]),
    row("-j1 --output none", "echo one", &["a"]),
    row("-j4", "printf '%s' \"$1\"", &["a", "", "a", "\u{e9} \n'\""]),
    row("-j4", "echo $1; kill -$1 $$", &["1", "9", "15"]),
    row("-j1 --env A=b --cwd /tmp", "echo $A $PWD $PROCPOOL_KEY $PROCPOOL_SEQ $PROCPOOL_SLOT", &["a", "b"]),
];

/// What can only be specified in a job file.
const FILE: &str = r#"{"jobs": {
    "late": {"cmd": ["sleep", "100"], "timeout": "3s"},
    "again": {"shell": "echo $PROCPOOL_ATTEMPT; exit 3", "retries": 2},
    "missing": {"cmd": ["./there-is-no-such-program"]},
    "forbidden": {"cmd": ["./file.json"]},
    "fed": {"cmd": ["cat"], "stdin": "some words\n"},
    "elsewhere": {"shell": "pwd; echo $WORD", "cwd": "/tmp", "env": {"WORD": "a b"}},
    "leaks": {"shell": "sleep 100 & echo started"}
}}"#;

#[test]
#[ignore = "wants a Slurm cluster: cargo xtask cluster test"]
fn each_row_comes_out_as_on_this_machine() {
    let case = Case::new(Cluster::shared());
    case.write("file.json", FILE);
    let file = vec!["-j4", "--file", "file.json"];
    let differences: Vec<String> = thread::scope(|scope| {
        let mut threads = Vec::new();
        for (number, words) in ROWS.iter().map(Row::words).chain([file]).enumerate() {
            let case = &case;
            threads.push(scope.spawn(move || difference(case, number, &words)));
        }
        threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(differences.is_empty(), "{}", differences.join("\n\n"));
}

impl Row {
    fn words(&self) -> Vec<&str> {
        let options = self.options.split(' ');
        options
            .chain(["--", "sh", "-c", self.script, "sh", "{}", ":::"])
            .chain(self.values.iter().copied())
            .collect()
    }
}

/// Runs this here and on the cluster, and describes the first difference.
fn difference(case: &Case, number: usize, words: &[&str]) -> Option<String> {
    let (here, there) = (format!("here-{number}"), format!("there-{number}"));
    let run = |place: &str| {
        let mut command = case.procpool(&format!("run -k {place}"));
        Running::start(command.args(words), b"")
    };
    let on_cluster = run(&format!("--on slurm --slices 1 --journal {there}"));
    let local = run(&format!("--journal {here}")).end();
    let on_cluster = on_cluster.end();
    let difference = if local.code().is_none() || local.code() != on_cluster.code() {
        Some("exit status".to_owned())
    } else if local.stdout != on_cluster.stdout {
        Some("standard output".to_owned())
    } else {
        case.outcomes(&here).difference(&case.outcomes(&there))
    };
    difference.map(|difference| {
        format!("{words:?}: {difference}\nhere: {}\nthere: {}", local.describe(), on_cluster.describe())
    })
}
