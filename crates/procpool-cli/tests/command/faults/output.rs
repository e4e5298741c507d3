//! Output that is large, unusual or not read: all of it arrives, whole and unmixed, or procpool says what is
//! missing.

use std::collections::BTreeSet;
use std::fs;

use sleeper::bytes::{Stream, all};

use crate::processes::children;
use crate::{Folder, wait_for};

#[test]
fn of_64_jobs_with_10_000_lines_each_no_line_stands_within_anothers() {
    let folder = Folder::new();
    let job = "seq -f \"$1 %.0f\" 10000; seq -f \"$1 -%.0f\" 10000 >&2";
    let values: Vec<String> = (1..=64).map(|value| format!("job{value}")).collect();
    let ended = folder.run("-j64 sh -c").args([job, "sh", ":::"]).args(&values).end().exited(0);
    for (stream, sign) in [(&ended.stdout, ""), (&ended.stderr, "-")] {
        let lines: Vec<&str> = std::str::from_utf8(stream).unwrap().lines().collect();
        let mut seen = BTreeSet::new();
        for block in lines.chunks(10_000) {
            let key = block[0].split_once(' ').unwrap().0;
            let expected = (1..=10_000).map(|number| format!("{key} {sign}{number}"));
            assert!(block.iter().copied().eq(expected), "lines of others among those of {key}");
            seen.insert(key);
        }
        assert!(seen.iter().copied().eq(values.iter().map(String::as_str).collect::<BTreeSet<_>>()));
    }
}

#[test]
fn a_binary_line_of_many_mb_without_a_newline_at_its_end_is_exact_on_both_streams() {
    let folder = Folder::new();
    let job = "head -c 33333333 /dev/zero | tr '\\0' '\\377'";
    for options in ["", "-k"] {
        let ended = folder
            .run(options)
            .args(["sh", "-c", &format!("{job}; {{ {job}; }} >&2"), ":::", "a"])
            .end()
            .exited(0);
        for stream in [&ended.stdout, &ended.stderr] {
            assert_eq!(stream.len(), 33_333_333);
            assert!(stream.iter().all(|byte| *byte == 0xff));
        }
    }
}

/// Peak memory in bytes.
fn memory(pid: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(peak.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}

#[test]
fn an_output_of_300_mb_takes_no_memory() {
    let folder = Folder::new();
    let pid = |word: &str| {
        let script =
            "sleeper 0 --quiet --stdout-bytes $1; echo $$ > pid.$1; until [ -e go ]; do sleep 0.01; done";
        folder.run("-k sh -c").args([script, "sh", ":::", word])
    };
    let peak = |word: &str| {
        let out = fs::File::create("/dev/null").unwrap();
        let running = pid(word).stdout(out).start();
        wait_for("all to be written", || folder.has(&format!("pid.{word}")));
        let peak = memory(&running.pool()).unwrap();
        folder.write("go", "");
        running.end().exited(0);
        fs::remove_file(folder.file("go")).unwrap();
        peak
    };
    let (small, large) = (peak("1"), peak("300M"));
    assert!(large < small + (16 << 20), "{large} after {small}");
}

#[test]
fn the_outputs_of_a_job_that_was_killed_are_whole_up_to_there() {
    let folder = Folder::new();
    let script = "sleeper 0 --quiet --byte-seed 7 --stdout-bytes 3M --stderr-bytes 3M; kill -9 $$";
    let ended = folder.run("sh -c").args([script, ":::", "a"]).end().exited(1);
    assert!(ended.stdout == all(7, Stream::Stdout, 3 << 20));
    assert!(ended.stderr.starts_with(&all(7, Stream::Stderr, 3 << 20)));
    ended.said("killed by SIGKILL");
}

#[test]
fn jobs_wait_where_nobody_reads_and_nothing_is_kept_of_those_to_come() {
    let folder = Folder::new();
    let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
    let script = ": > begun.$PROCPOOL_SEQ; exec sleeper 0 --quiet --stdout-bytes 1M";
    let running = folder.run("-0 -j2 sh -c").arg(script).endless_input().stdout(writer).start();
    let pool = running.pool();
    let mut quiet = 0;
    wait_for("procpool to wait", || {
        quiet = if children(&pool).is_empty() && folder.has("begun.3") { quiet + 1 } else { 0 };
        quiet == 30
    });
    assert!(folder.files("begun.").len() <= 12);
    assert!(memory(&pool).unwrap() < 64 << 20);
    drop(reader);
    running.end().died_of(rustix::process::Signal::PIPE).silent();
}

#[test]
fn what_a_terminal_or_pipe_did_not_take_is_named_also_for_standard_error() {
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let ended = Folder::new().run("--tag sh -c").args(["echo >&2; exit 0", ":::", "a"]).stderr(full).end();
    ended.exited(3).printed("");
    for closed in ["2>&-", ">&- 2>&-"] {
        let script = format!("procpool run sh -c 'echo out; echo error >&2' ::: a {closed}");
        Folder::new().sh(&script).end().exited(3);
    }
}
