//! Every byte of every job's output arrives, unmixed, in the requested order.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::fd::OwnedFd;

use rustix::process::Signal;
use sleeper::bytes::{Stream, all};

use crate::{Folder, Listener, Trial, wait_for, words};

/// A shell in a loop: 300 lines on each stream, in turn.
const CHATTER: &str = "i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo \"$PROCPOOL_KEY $i\"; echo \"$PROCPOOL_KEY -$i\" >&2; done";

#[test]
fn no_line_of_one_job_stands_within_anothers() {
    let values: Vec<String> = (0..64).map(|n| format!("job{n}")).collect();
    let ended = Folder::new().run("-j16 sh -c").args([CHATTER, ":::"]).args(&values).end().exited(0);
    for (stream, sign) in [(&ended.stdout, ""), (&ended.stderr, "-")] {
        let text = std::str::from_utf8(stream).unwrap();
        let mut lines = text.lines();
        let mut seen = Vec::new();
        while let Some(first) = lines.next() {
            let key = first.strip_suffix(&format!(" {sign}1")).expect("a block begins with its first line");
            for number in 2..=300 {
                assert_eq!(lines.next().unwrap(), format!("{key} {sign}{number}"));
            }
            seen.push(key.to_owned());
        }
        seen.sort();
        let mut expected = values.clone();
        expected.sort();
        assert_eq!(seen, expected);
    }
}

#[test]
fn each_stream_goes_to_its_own() {
    let ended = Folder::new().run("-k sh -c").args(["echo out; echo err >&2", ":::", "a", "b"]).end();
    let ended = ended.exited(0).printed("out\nout\n");
    assert_eq!(ended.error_text(), "err\nerr\n");
}

#[test]
fn bytes_are_exact_where_both_streams_are_full_at_once() {
    let options = "sleeper 0 --quiet --stdout-bytes 3M --stderr-bytes 2M --byte-seed {} ::: 5";
    let ended = Folder::new().run(options).end().exited(0);
    assert!(ended.stdout == all(5, Stream::Stdout, 3 << 20));
    assert!(ended.stderr == all(5, Stream::Stderr, 2 << 20));
}

#[test]
fn an_output_without_a_last_newline_or_with_odd_bytes_is_not_touched() {
    let folder = Folder::new();
    folder
        .run("-k printf {} :::")
        .args(["a", "\\377\\000\\r", "\\n\\n", "z"])
        .end()
        .exited(0)
        .printed(b"a\xff\0\r\n\nz");
    folder.run("printf {} ::: \\033[2J").end().exited(0).printed("\x1b[2J").silent();
}

/// The sizes of each job's outputs, always the same: some are empty, most small, few large.
fn sizes(jobs: u64) -> Vec<(u64, usize, usize)> {
    let size = |seed, stream| {
        let draw = all(seed, stream, 8);
        let most = [1_000, 20_000, 20_000, 40_000][usize::from(draw[0] % 4)];
        8 + usize::from(u16::from_le_bytes([draw[1], draw[2]])) % most
    };
    (1..=jobs).map(|seed| (seed, size(seed, Stream::Stdout), size(seed, Stream::Stderr))).collect()
}

/// Runs sleepers with outputs of these sizes from a job file.
fn run_sizes(options: &str, sizes: &[(u64, usize, usize)]) -> crate::Ended {
    let folder = Folder::new();
    let mut jobs = String::new();
    for (seed, out, err) in sizes {
        let comma = if jobs.is_empty() { "" } else { ",\n" };
        let sizes = format!("\"--stdout-bytes={out}\", \"--stderr-bytes={err}\", \"--byte-seed={seed}\"");
        write!(jobs, "{comma}\"{seed}\": [\"sleeper\", \"0\", \"--quiet\", {sizes}]").unwrap();
    }
    folder.write("jobs.json", format!("{{{jobs}}}"));
    folder.run(options).args(["--file", "jobs.json"]).end().exited(0)
}

#[test]
fn a_thousand_outputs_of_20_mb_arrive_whole_on_both_streams() {
    let sizes = sizes(1000);
    let total: usize = sizes.iter().map(|(_, out, err)| out + err).sum();
    assert!((15_000_000..30_000_000).contains(&total), "{total}");
    let ended = run_sizes("-j8", &sizes);
    for (stream, printed) in [(Stream::Stdout, &ended.stdout), (Stream::Stderr, &ended.stderr)] {
        // The first bytes identify the job.
        let by_start: HashMap<Vec<u8>, &(u64, usize, usize)> =
            sizes.iter().map(|job| (all(job.0, stream, 8), job)).collect();
        let mut rest = &printed[..];
        let mut count = 0;
        while !rest.is_empty() {
            let (seed, out, err) = by_start[&rest[..8]];
            let (whole, behind) = rest.split_at(if stream == Stream::Stdout { *out } else { *err });
            assert!(whole == all(*seed, stream, whole.len()), "job {seed}, {stream:?}");
            (rest, count) = (behind, count + 1);
        }
        assert_eq!((count, by_start.len()), (1000, 1000), "{stream:?}");
    }
}

#[test]
fn in_input_order_the_outputs_are_the_same_as_one_after_the_other() {
    let sizes = sizes(150);
    let ended = run_sizes("-j8 -k", &sizes);
    let expected = |stream, size: fn(&(u64, usize, usize)) -> usize| -> Vec<u8> {
        sizes.iter().flat_map(|job| all(job.0, stream, size(job))).collect()
    };
    assert!(ended.stdout == expected(Stream::Stdout, |job| job.1));
    assert!(ended.stderr == expected(Stream::Stderr, |job| job.2));
}

/// Job 1 ends only after this many others have.
const FIRST_ENDS_LAST: &str = "if [ $1 = 1 ]; then until [ $(ls | grep -c '^done') -ge $2 ]; do sleep 0.01; done; fi; \
     sleeper 0 --quiet --stdout-bytes $3 --byte-seed $1; echo \"of $1\"; : > done$1";

#[test]
fn kept_in_order_a_job_that_ends_late_is_printed_first_all_the_same() {
    let folder = Folder::new();
    let trial =
        folder.run("-k -j2 sh -c").args([FIRST_ENDS_LAST, "sh", "{}", "3", "0", ":::", "1", "2", "3", "4"]);
    trial.end().exited(0).printed("of 1\nof 2\nof 3\nof 4\n").silent();
    let trial = folder.run("-j1 sh -c").args([FIRST_ENDS_LAST, "sh", "{}", "0", "0", ":::", "2", "1"]);
    trial.end().exited(0).printed("of 2\nof 1\n").silent();
}

#[test]
fn not_kept_in_order_who_ends_first_is_printed_first() {
    let trial = Folder::new().run("-j2 sh -c").args([
        FIRST_ENDS_LAST,
        "sh",
        "{}",
        "3",
        "0",
        ":::",
        "1",
        "2",
        "3",
        "4",
    ]);
    trial.end().exited(0).printed("of 2\nof 3\nof 4\nof 1\n").silent();
}

#[test]
fn with_32_descriptors_200_big_outputs_wait_for_the_slow_first_job() {
    let folder = Folder::new();
    folder.write("job", FIRST_ENDS_LAST);
    let script = "ulimit -n 32; seq 200 | procpool run -k -j4 -- sh job {} 199 70000";
    let ended = folder.sh(script).end().exited(0);
    // Four jobs that start at the same moment may find no room: that is reported, and one waits for another.
    let is_shortage = |line: &str| line.starts_with("procpool: no room for another process: ");
    assert!(ended.error_text().lines().all(is_shortage), "{}", ended.describe());
    let mut expected = Vec::new();
    for job in 1..=200 {
        expected.extend(all(job, Stream::Stdout, 70_000));
        expected.extend(format!("of {job}\n").bytes());
    }
    assert!(ended.stdout == expected);
}

#[test]
fn the_first_job_is_printed_while_later_ones_still_run() {
    let script = "[ {} = 1 ] || until [ -e go ]; do sleep 0.01; done; echo {}";
    let folder = Folder::new();
    for (options, waiting) in [("-k", "-k"), ("", "grouped")] {
        let running = folder.run(options).args(words(&["-j2", "sh", "-c", script, ":::", "1", "2"])).start();
        running.has_printed("1\n");
        folder.write("go", "");
        running.end().exited(0).printed("1\n2\n").silent();
        std::fs::remove_file(folder.file("go")).expect(waiting);
    }
}

#[test]
fn a_tag_begins_each_line_of_both_streams_and_a_missing_newline_is_added() {
    let script = "printf 'a\\n\\nb'; printf 'c\\nd' >&2";
    let ended = Folder::new().run("-k --tag sh -c").args([script, ":::", "x y", "z"]).end().exited(0);
    let ended = ended.printed("x y\ta\nx y\t\nx y\tb\nz\ta\nz\t\nz\tb\n");
    assert_eq!(ended.error_text(), "x y\tc\nx y\td\nz\tc\nz\td\n");
}

#[test]
fn a_tag_stands_before_each_line_of_a_long_output_and_nowhere_else() {
    let ended = Folder::new().run("--tag -k seq {} ::: 30000 1").end().exited(0).silent();
    let expected: String = (1..=30_000).map(|n| format!("30000\t{n}\n")).chain(["1\t1\n".into()]).collect();
    assert!(ended.text() == expected);
}

#[test]
fn the_output_of_failed_jobs_is_delivered_like_any_other() {
    let ended =
        Folder::new().run("-k sh -c").args(["echo {}; echo e{} >&2; exit {}", ":::", "1", "0", "2"]).end();
    ended.exited(1).printed("1\n0\n2\n").said("e1\ne0\ne2\n");
}

/// A pipe for procpool's output, which the case reads only as far as it wants.
fn piped(trial: Trial) -> (crate::Running, File) {
    let (reader, writer): (OwnedFd, OwnedFd) =
        rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
    (trial.stdout(writer).start(), reader.into())
}

#[test]
fn where_nobody_reads_any_more_it_ends_quietly_by_sigpipe() {
    for options in ["-0 echo line", "-0 -k echo line", "-0 --tag echo line"] {
        let folder = Folder::new();
        let (running, reader) = piped(folder.run(options).endless_input());
        let mut reader = BufReader::new(reader);
        let mut lines = String::new();
        reader.read_line(&mut lines).unwrap();
        reader.read_line(&mut lines).unwrap();
        assert_eq!(lines.matches("line").count(), 2);
        drop(reader);
        running.end().died_of(Signal::PIPE).silent();
    }
}

#[test]
fn head_ends_an_endless_run() {
    let script = "{ yes | procpool run -k echo; echo $? > status; } | head -n 2";
    let folder = Folder::new();
    folder.sh(script).end().exited(0).printed("y\ny\n").silent();
    assert_eq!(folder.read("status"), "141\n");
}

#[test]
fn a_full_disk_is_said_and_is_no_success() {
    for options in ["echo", "-k echo", "--tag echo"] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let ended = Folder::new().run(options).args(["{}", ":::", "a"]).stdout(full).end();
        ended.exited(3).said("can't write to standard output").said("No space left on device");
    }
    // Nothing to print, so nothing is lost.
    let full = File::options().write(true).open("/dev/full").unwrap();
    Folder::new().run("true ::: a").stdout(full).end().exited(0).silent();
    let full = File::options().write(true).open("/dev/full").unwrap();
    Folder::new().run("sh -c").args(["echo >&2", ":::", "a"]).stderr(full).end().exited(3).printed("");
}

#[test]
fn a_standard_output_that_would_not_wait_is_waited_for() {
    use rustix::fs::{OFlags, fcntl_setfl};
    let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
    fcntl_setfl(&writer, OFlags::NONBLOCK).unwrap();
    let screen = Listener::new(Some(File::from(reader)));
    let running = Folder::new().run("sleeper 0 --quiet --stdout-bytes {} ::: 1M").stdout(writer).start();
    running.end().exited(0).silent();
    wait_for("all of it has come", || screen.heard().len() == 1 << 20);
}

#[test]
fn a_tag_with_a_newline_in_it_stays_on_its_line() {
    let ended = Folder::new().run("-0 --tag echo x").input("a\nb\0").end();
    ended.exited(0).printed("a\\nb\tx a\na\\nb\tb\n");
}

#[test]
fn after_a_write_that_failed_nothing_new_is_started() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let ended = Folder::new().run("-0 echo").endless_input().stdout(full).end();
    ended.exited(3).said("No space left on device");
}

#[test]
fn a_closed_standard_output_is_no_success() {
    for options in ["", "-k", "--tag"] {
        let ended = Folder::new().sh(&format!("procpool run {options} -- echo ::: a >&-")).end().exited(3);
        ended.said("can't write to standard output").said("Bad file descriptor");
    }
    Folder::new().sh("procpool run -- sh -c 'echo >&2' ::: a 2>&-").end().exited(3);
    // Nothing to print, so nothing is lost. A null device that was given is not a closed descriptor.
    Folder::new().sh("procpool run true ::: a >&-").end().exited(0).silent();
    Folder::new().sh("procpool run echo ::: a 1<>/dev/null").end().exited(0).silent();
}

/// Each job records its start, and writes more than a pipe holds.
const LOUD: &str = ": > started$PROCPOOL_SEQ; sleeper 0 --quiet --stdout-bytes 70000";

#[test]
fn jobs_wait_for_a_reader_that_is_slow() {
    let folder = Folder::new();
    let (running, mut reader) = piped(folder.run("-0 -j2 sh -c").arg(LOUD).endless_input());
    // At most twice the limit, and some more, may be ahead of what is printed: see `Pool::run`.
    let bound = 12;
    let mut quiet = 0;
    let mut before = 0;
    wait_for("procpool waits for its reader", || {
        let started = folder.files("started").len();
        assert!(started <= bound, "{started} were started");
        quiet = if started > 0 && started == before && !has_children(&running) { quiet + 1 } else { 0 };
        before = started;
        quiet == 30
    });
    // It goes on once somebody reads.
    reader.by_ref().take(20 * 70_000).read_to_end(&mut Vec::new()).unwrap();
    wait_for("procpool goes on", || folder.files("started").len() >= 20);
    drop(reader);
    running.end().died_of(Signal::PIPE).silent();
}

fn has_children(running: &crate::Running) -> bool {
    let tasks = format!("/proc/{}/task", running.pool());
    let lists = std::fs::read_dir(tasks).unwrap().flatten().map(|task| task.path().join("children"));
    lists.filter_map(|list| std::fs::read_to_string(list).ok()).any(|list| !list.is_empty())
}

#[test]
fn a_terminal_gets_all_of_it_too() {
    let terminal = crate::terminal::Terminal::new();
    terminal.run(&Folder::new(), "-k echo ::: a b").end().exited(0);
    terminal.shows("a\nb\nprocpool: 2 jobs: 2 succeeded; ");
}

#[test]
fn a_tag_may_be_a_text_with_placeholders() {
    let folder = Folder::new();
    let words =
        ["--tag-with", "{#}:{/.}:{key}", "sh", "-c", "echo a; echo b >&2; printf c", ":::", "d/x.y", "z"];
    for mode in ["-k", "-j1", "-j1 --output lines", "-k --output lines"] {
        let ended = folder.run(mode).args(words).end().exited(0);
        let ended = ended.printed("1:x:d/x.y\ta\n1:x:d/x.y\tc\n2:z:z\ta\n2:z:z\tc\n");
        assert_eq!(ended.error_text(), "1:x:d/x.y\tb\n2:z:z\tb\n", "{mode}");
    }
    let ended =
        folder.run("--retries 1 --output lines --tag-with {}! sh -c").args(["echo x; exit 1", ":::", "v"]);
    ended.end().exited(1).printed("v!\tx\nv!\tx\n");
}

#[test]
fn a_tag_for_what_no_job_has_is_refused() {
    let folder = Folder::new();
    folder.write("jobs.json", r#"{"a": ["echo", "x"], "b": ["echo", "y"]}"#);
    folder.run("-f jobs.json -k --tag-with {key}").end().exited(0).printed("a\tx\nb\ty\n");
    folder.run("-f jobs.json --tag-with {}").end().exited(2).said("--tag-with").said("`{key}`");
    folder.run("--tag-with {2} echo ::: a").end().exited(2).said("--tag-with").said("`{2}`");
}
