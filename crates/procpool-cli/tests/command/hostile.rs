//! A job name with control characters, wherever procpool prints names: it can't control the terminal or forge
//! a line.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use rustix::process::Signal;

use crate::terminal::Terminal;
use crate::{Folder, Trial, comes_true, wait_for};

/// A name that would clear the screen, ring the bell, overwrite its line, forge a summary, and reverse the
/// text that follows.
const TEXT: &str = "\x1b[2J\x07\r\x08\nprocpool: 9 jobs: 9 succeeded; 1ms\n\u{9b}31m\u{85}\u{202e}\u{2066}\u{200f}\u{61c}\u{2028}";

/// However procpool escapes the name, this remains.
const SEEN: &str = "[2J";

fn names() -> [OsString; 2] {
    [TEXT.into(), OsString::from_vec([TEXT.as_bytes(), b"\xffz"].concat())]
}

/// Words separated by spaces, with the name in place of NAME.
fn words(pattern: &str, name: &OsStr) -> Vec<OsString> {
    let word = |word: &str| {
        let parts: Vec<&[u8]> = word.split("NAME").map(str::as_bytes).collect();
        OsString::from_vec(parts.join(name.as_bytes()))
    };
    pattern.split(' ').map(word).collect()
}

/// The control characters in the output, except colours and line ends.
fn controls(written: &[u8]) -> Vec<char> {
    let text = String::from_utf8_lossy(written).replace("\r\n", "\n");
    let mut pieces = text.split("\x1b[");
    let mut left = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let parameters = |character: char| character.is_ascii_digit() || character == ';';
        match piece.trim_start_matches(parameters).strip_prefix('m') {
            Some(coloured) => left.push_str(coloured),
            None => left.extend(["\x1b[", piece]),
        }
    }
    let is_control = |character: &char| match character {
        '\n' | '\t' => false,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        other => other.is_control(),
    };
    left.chars().filter(is_control).collect()
}

#[track_caller]
fn is_harmless(written: &[u8], case: &str) {
    let text = String::from_utf8_lossy(written);
    assert_eq!(controls(written), Vec::<char>::new(), "{case}: {text:?}");
    let forged = text.lines().find(|line| line.trim_start().starts_with("procpool: 9 jobs"));
    assert_eq!(forged, None, "{case}: {text:?}");
    assert!(text.contains(SEEN), "{case}: the name is not there: {text:?}");
}

/// Everything that this writes to a terminal, errors included.
fn on_terminal(trial: Trial) -> Vec<u8> {
    let terminal = Terminal::new();
    trial.stdout(terminal.device()).stderr(terminal.device()).end();
    whole(&terminal)
}

/// Everything that was written to the terminal.
fn whole(terminal: &Terminal) -> Vec<u8> {
    const END: &[u8] = b"<end>";
    terminal.device().write_all(END).unwrap();
    let is_whole = || terminal.bytes().ends_with(END);
    assert!(comes_true(crate::DEADLINE, is_whole), "{:?}", terminal.bytes());
    terminal.bytes().strip_suffix(END).unwrap().to_vec()
}

fn folder() -> Folder {
    let folder = Folder::new();
    let quoted = serde_json::to_string(TEXT).unwrap();
    for name in names() {
        let directory = folder.0.path().join(words("NAME.d", &name).remove(0));
        fs::create_dir(&directory).unwrap();
        fs::write(directory.join("other"), "").unwrap();
    }
    folder.write("file", "").write("cr", "a\r\n").write("one.csv", "a,b\n1,2\n");
    folder.write("twice.csv", format!("\"{TEXT}\",\"{TEXT}\"\n1,2\n"));
    folder.write("columns.csv", format!("\"{TEXT}\",b\n1,2\n"));
    folder.write("part.csv", format!("\"{TEXT}\",\"{TEXT}.\"\n1,2\n"));
    folder.write("field.json", format!("{{\"jobs\": {{{quoted}: {{\"cmd\": [\"true\"], {quoted}: 1}}}}}}"));
    folder.write("double.json", format!("{{{quoted}: [\"true\"], {quoted}: [\"true\"]}}"));
    folder.write("double.jsonl", format!("{{\"key\": {quoted}, \"cmd\": [\"true\"]}}\n").repeat(2));
    folder.write("field.jsonl", format!("{{\"key\": \"a\", {quoted}: 1}}\n"));
    folder.write("field.toml", format!("[jobs.a]\ncmd = [\"true\"]\n{quoted} = 1\n"));
    folder.write("value.toml", format!("[jobs.{quoted}]\ncmd = {quoted}\n"));
    folder.write("double.toml", format!("jobs.{quoted} = [\"true\"]\njobs.{quoted} = [\"true\"]\n"));
    folder.write("time.toml", format!("[jobs.a]\ncmd = [\"true\"]\ntimeout = {quoted}\n"));
    folder
}

/// Commands that fail with the name in their error message.
const ERRORS: &[&str] = &[
    "run --cwd NAME true ::: a",
    "run --file NAME.json",
    "run --file file/NAME",
    "run --file NAME",
    "run --file field.json",
    "run --file double.json",
    "run --file double.jsonl",
    "run --file field.jsonl",
    "run --file field.toml",
    "run --file value.toml",
    "run --file double.toml",
    "run --file time.toml",
    "run --journal file/NAME true ::: a",
    "run --journal NAME.d true ::: a",
    "resume NAME",
    "ls NAME",
    "show NAME a",
    "export NAME --format csv",
    "export NAME --format NAME",
    "run --results file/NAME true ::: a",
    "run --joblog file/NAME true ::: a",
    "run --junit file/NAME true ::: a",
    "run --events file/NAME true ::: a",
    "run -a NAME echo",
    "run echo :::: NAME",
    "run echo ::: a :::+ NAME b",
    "run --env NAME true ::: a",
    "run --env PROCPOOL_SEQ=NAME true ::: a",
    "run --shell=NAME x ::: a",
    "run --csv --key NAME echo {a} :::: one.csv",
    "run --csv echo {1} :::: NAME.csv",
    "run --csv echo {1} :::: twice.csv",
    "run --csv echo {x} :::: columns.csv",
    "run --csv echo {1} :::: part.csv",
    "run --NAME",
    "NAME",
    "run -j NAME true ::: a",
    "run -j4 --output NAME true ::: a",
    "run --timeout NAME true ::: a",
    "run --tag=NAME true ::: a",
    "run --on slurm --sbatch-arg --array=NAME true ::: a",
];

/// Commands that run jobs with the name, some of which fail.
const RUNS: &[&str] = &[
    "run false ::: NAME",
    "run --env A=NAME false ::: a",
    "run --env NAME=1 false ::: a",
    "run NAME ::: a",
    "run ./NAME ::: a",
    "run --shell false ::: NAME",
    "run --output none sh say ::: NAME",
];

#[test]
fn an_error_is_one_line_whatever_it_names() {
    let folder = folder();
    for (pattern, name) in ERRORS.iter().flat_map(|pattern| names().map(|name| (pattern, name))) {
        let trial = || folder.procpool(&[]).args(words(pattern, &name));
        let ended = trial().end().printed("");
        is_harmless(&ended.stderr, pattern);
        is_harmless(&on_terminal(trial()), pattern);
    }
}

#[test]
fn variables_of_options_are_named_without_what_they_would_do() {
    let folder = Folder::new();
    for variable in ["PROCPOOL_LIMIT", "PROCPOOL_TAG", "PROCPOOL_OUTPUT", "PROCPOOL_CWD"] {
        let ended = folder.run("true ::: a").env(variable, TEXT).end().exited(2);
        is_harmless(&ended.stderr, variable);
    }
    let ended = folder.run("true ::: a").env("TMPDIR", TEXT).end().exited(0);
    is_harmless(&ended.stderr, "TMPDIR");
}

#[test]
fn a_warning_names_a_file_without_what_its_name_would_do() {
    let folder = Folder::new();
    folder.write(TEXT, "a\r\n");
    let ended = folder.run("true ::::").arg(TEXT).end().exited(0);
    is_harmless(&ended.stderr, "a carriage return");
}

#[test]
fn the_closing_summary_is_procpools_own() {
    let folder = Folder::new();
    folder.write("say", "printf '%s\\n' \"$1\" >&2; exit 1");
    for (pattern, name) in RUNS.iter().flat_map(|pattern| names().map(|name| (pattern, name))) {
        let trial = || folder.procpool(&[]).args(words(pattern, &name));
        let ended = trial().end().exited(1);
        is_harmless(&ended.stderr, pattern);
        is_harmless(&on_terminal(trial()), pattern);
    }
}

#[test]
fn what_is_said_to_be_run_again_is_exactly_that_when_it_is_typed() {
    let folder = Folder::new();
    let print = "printf '<%s>' \"$0\"; exit 3";
    for name in names() {
        let ended = folder.run("--output none sh -c").arg(print).arg(":::").arg(&name).end().exited(1);
        let said = ended.error_text();
        let again = said.lines().find_map(|line| line.trim_start().strip_prefix("again: ")).unwrap();
        let expected = [b"<", name.as_bytes(), b">"].concat();
        folder.command("bash").args(["-c", again]).end().exited(3).printed(&expected);

        let dry = on_terminal(folder.run("--dry-run printf <%s> :::").arg(&name));
        is_harmless(&dry, "--dry-run");
        let dry = dry.strip_suffix(b"\r\n").unwrap();
        folder.command("bash").arg("-c").arg(OsStr::from_bytes(dry)).end().exited(0).printed(&expected);
    }
}

#[test]
fn a_journal_is_told_without_what_its_keys_would_do() {
    let folder = Folder::new();
    let mut run = folder.run("--journal j --output none --env").arg(format!("A={TEXT}"));
    run = run.args(["false", ":::"]).args(names());
    run.end().exited(1);
    let patterns = [
        "ls j",
        "ls j --slowest 9",
        "ls j xNAME",
        "show j NAME",
        "show j NAME-",
        "show j --stdout NAME-",
        "export j --format csv",
        "export j --format csv --all --csv-safe",
        "export j --format jsonl",
        "export j --format joblog",
        "export j --format junit",
    ];
    for (pattern, name) in patterns.iter().flat_map(|pattern| names().map(|name| (pattern, name))) {
        is_harmless(&on_terminal(folder.procpool(&[]).args(words(pattern, &name))), pattern);
    }
    let changed = folder.run("--journal j --resume --output none true :::").args(names()).end().exited(2);
    is_harmless(&changed.stderr, "--resume");
}

#[test]
fn records_on_a_terminal_and_tags_control_nothing() {
    let folder = Folder::new();
    for name in names() {
        for options in ["--events -", "--joblog /dev/stdout --output none", "--tag", "--tag --output lines"] {
            // The output of jobs is not escaped, so this job doesn't print its name.
            let trial = folder.run(options).args(["sh", "-c", "echo x", ":::"]).arg(&name);
            is_harmless(&on_terminal(trial), options);
        }
    }
}

#[test]
fn a_job_can_not_write_another_tag_over_its_own() {
    let (folder, terminal) = (Folder::new(), Terminal::new());
    let job =
        "printf 'one\\rforged\\tx\\ny\\b\\b\\b\\b\\b\\b\\b\\b\\b\\bforged\\tx\\n'; printf '1%%\\r2%%\\r\\n'";
    folder.run("--tag-with name sh -c").arg(job).args([":::", "a"]).stdout(terminal.device()).end().exited(0);
    whole(&terminal);
    let lines = terminal.picture().history();
    let own = |line: &&String| line.starts_with("name ");
    assert_eq!(lines.iter().filter(own).count(), 3, "{lines:?}");
    assert!(!lines.iter().any(|line| line.starts_with("forged")), "{lines:?}");
}

#[test]
fn what_runs_now_is_told_without_what_its_key_would_do() {
    let folder = Folder::new();
    let job = "printf '%s\\n' \"$1\"; : > started; exec sleep 1000";
    let running = folder.run("sh -c").args([job, "sh", "{}", ":::"]).arg(&names()[1]).start();
    wait_for("the job has started", || folder.has("started"));
    running.signal(Signal::USR1);
    wait_for("it is told", || running.stderr.heard().ends_with(b"\n"));
    let told = running.stderr.heard();
    is_harmless(&told, "USR1");
    running.signal(Signal::INT);
    running.end().died_of(Signal::INT);
}

#[test]
fn the_display_and_what_it_says_of_failures_control_nothing() {
    let (folder, terminal) = (Folder::new(), Terminal::new());
    let job = "until [ -e go ]; do sleep 0.01; done; exit 3";
    let trial = terminal.run(&folder, "--summary never sh -c").args([job, ":::"]).arg(&names()[1]);
    let running = trial.env("TERM", "xterm").start();
    terminal.comes_to_show(SEEN);
    folder.write("go", "");
    running.end().exited(1);
    let written = whole(&terminal);
    let text = String::from_utf8_lossy(&written);
    assert!(text.contains("FAIL"), "{text:?}");
    // The display moves the cursor; a name must not.
    assert!(!text.contains("\x1b[2J"), "{text:?}");
    let others = ['\r', '\x0b', '\x1b'];
    let left: Vec<char> =
        controls(&written).into_iter().filter(|control| !others.contains(control)).collect();
    assert_eq!(left, Vec::<char>::new(), "{text:?}");
    let forged = terminal.picture().history().into_iter().find(|line| line.starts_with("procpool: 9 jobs"));
    assert_eq!(forged, None);
}

#[test]
fn a_process_that_is_left_is_named_without_what_its_name_would_do() {
    let folder = Folder::new();
    // The kernel keeps 15 bytes of a name.
    folder.write("copy", "cp \"$(command -v sleep)\" \"$1\"");
    let program = "\x1b[2J\x07\nx\u{202e}";
    folder.command("sh").args(["copy", program]).end().exited(0);
    let job = "./\"$1\" 1000 > /dev/null 2>&1 & exit 1";
    let ended = folder.run("sh -c").args([job, "sh", "{}", ":::", program]).end().exited(1);
    assert!(ended.error_text().contains("ended what jobs had left: "), "{}", ended.describe());
    is_harmless(&ended.stderr, "what is left");
}
