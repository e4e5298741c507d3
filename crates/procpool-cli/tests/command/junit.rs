//! `--junit`: the report for Jenkins and GitLab.

use std::fs::File;
use std::os::unix::fs::symlink;

use quick_xml::Reader;
use quick_xml::events::Event;
use rustix::process::Signal;

use crate::{Folder, lines, wait_for, words};

/// A report without its times, after a check that it is well-formed.
#[track_caller]
fn report(folder: &Folder, name: &str) -> String {
    let report = folder.read(name);
    let mut reader = Reader::from_str(&report);
    while !matches!(reader.read_event().unwrap(), Event::Eof) {}
    let mut parts = report.split("time=\"");
    let first = parts.next().unwrap().to_owned();
    let without = parts.map(|part| part.split_once('"').unwrap().1);
    let timeless = without.fold(first, |text, part| text + "T" + part);
    let mut parts = timeless.split("timestamp=\"");
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |text, part| text + "S" + part.split_once('"').unwrap().1)
}

#[test]
fn a_job_is_a_test_case_with_what_came_of_it() {
    let folder = Folder::new();
    folder.write(
        "jobs.json",
        r#"{"jobs": {"fine": {"shell": "echo fine"}, "fails": {"shell": "echo out; echo 'a <b> & ]]>' >&2; exit 3"},
            "slow & \"late\"": {"shell": "echo early; sleep 1000", "timeout": "200ms"},
            "missing": {"cmd": ["./missing"]}}}"#,
    );
    folder.run("--junit report.xml -j1 --file jobs.json").end().exited(1);
    let expected = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="procpool" tests="4" failures="2" errors="1" skipped="0" T>
<testsuite name="procpool" tests="4" failures="2" errors="1" skipped="0" T S>
<testcase name="fine" classname="procpool" T/>
<testcase name="fails" classname="procpool" T><failure message="exit 3" type="exited">a &lt;b&gt; &amp; ]]&gt;
</failure></testcase>
<testcase name="slow &amp; &quot;late&quot;" classname="procpool" T><failure message="timed out (killed by SIGTERM)" type="timed_out">early
</failure></testcase>
<testcase name="missing" classname="procpool" T><error message="not started: program &quot;./missing&quot;: No such file or directory (os error 2)" type="not_started"/></testcase>
</testsuite>
</testsuites>
"#;
    assert_eq!(report(&folder, "report.xml"), expected);
}

#[test]
fn whatever_a_job_writes_the_report_is_xml() {
    let folder = Folder::new();
    let script = "printf '\\033[1mbold\\033[m\\000\\001\\377\\357\\277\\276 end\\n'; exit 1";
    let input = b"a\x01\x1b[m\xff\xef\xbf\xbf\0".to_vec();
    folder.run("--junit report.xml -0 sh -c").arg(script).input(input).end().exited(1);
    let report = report(&folder, "report.xml");
    assert!(report.contains(">bold\u{fffd} end\n</failure>"), "{report}");
    assert!(report.contains(r#"name="a\u{1}\u{1b}[m"#), "{report}");
}

#[test]
fn after_a_signal_there_is_a_report_too() {
    let folder = Folder::new();
    let script = ": > started; exec sleep 1000";
    let running = folder.run("--junit report.xml -j1 sh -c").args([script, ":::", "a"]).start();
    wait_for("the job has started", || folder.has("started"));
    assert!(!folder.has("report.xml"));
    running.signal(Signal::INT);
    running.end().died_of(Signal::INT);
    let report = report(&folder, "report.xml");
    let expected = r#"<error message="stopped (killed by SIGINT)" type="stopped"/>"#;
    assert!(report.contains(expected) && report.contains(r#"errors="1""#), "{report}");
}

#[test]
fn a_report_is_replaced_and_nothing_else_is_left_beside_it() {
    let folder = Folder::new();
    folder.write("old", "old").write("report.xml", "old");
    symlink("old", folder.file("link.xml")).unwrap();
    for name in ["report.xml", "link.xml", "new.xml"] {
        folder.run("--junit").arg(name).args(words(&["true", ":::", "a"])).end().exited(0);
        assert!(report(&folder, name).contains(r#"tests="1""#), "{name}");
    }
    assert!(folder.file("link.xml").is_symlink() && folder.read("old").contains("testsuites"));
    assert_eq!(folder.files("").len(), 4);
}

#[test]
fn a_report_that_can_not_be_written_is_an_error_before_any_job() {
    for path in ["missing/report.xml", ".", "/dev/null", "/proc/report.xml"] {
        let folder = Folder::new();
        let ended = folder.run("--junit").arg(path).args(words(&["touch", "ran", ":::", "a"])).end();
        ended.exited(2).said(&format!("--junit {path:?}"));
        assert!(!folder.has("ran"), "{path:?}");
    }
}

#[test]
fn a_report_that_finds_no_room_is_no_success_and_the_old_one_stays() {
    let folder = Folder::new();
    folder.write("report.xml", "old");
    let script = "ulimit -f 1; seq 100 | procpool run --junit report.xml -- true";
    let ended = folder.sh(script).end().exited(3);
    ended.said("report.xml").said("File too large");
    assert_eq!(folder.read("report.xml"), "old");
    assert_eq!(folder.files("").len(), 1);
}

#[test]
fn where_standard_output_fails_there_is_a_report_all_the_same() {
    let folder = Folder::new();
    let full = File::options().write(true).open("/dev/full").unwrap();
    folder.run("--junit report.xml echo ::: a").stdout(full).end().exited(3);
    assert!(report(&folder, "report.xml").contains(r#"tests="1""#));
}

#[test]
fn jobs_that_were_never_read_are_counted() {
    let folder = Folder::new();
    let trial = folder.run("--junit report.xml --halt now,fail=1 -j1 false :::").args(lines(1000).lines());
    trial.end().exited(1).said("999 not run");
    let all = report(&folder, "report.xml");
    let head = r#"<testsuite name="procpool" tests="1000" failures="1" errors="0" skipped="999" "#;
    assert!(all.contains(head), "{all}");
    let named = all.matches("<testcase ").count() - 1;
    let rest = format!(
        r#"<testcase name="({} more jobs)" classname="procpool" T><skipped message="not started: its turn never came" type="never_reached"/></testcase>"#,
        1000 - named
    );
    assert!(all.contains(&rest), "{rest} in {all}");
}

#[test]
fn an_input_that_was_not_read_to_its_end_is_told() {
    let folder = Folder::new();
    let mut running = folder.run("--junit report.xml --halt now,fail=1 -j1 false").open_input().start();
    running.write("1\n");
    wait_for("the report", || folder.has("report.xml"));
    running.end().exited(1);
    let report = report(&folder, "report.xml");
    assert!(report.contains(r#" tests="1" failures="1" errors="0" skipped="0""#), "{report}");
    assert!(report.contains(r#"<testcase name="(the rest of the input)""#), "{report}");
}

#[test]
fn keys_that_differ_only_in_bytes_that_are_no_text_have_names_that_differ() {
    let folder = Folder::new();
    let keys = b"a\xff\0a\xfe\0a\\xff\0a\x1b\0a\\u{1b}\0a\xef\xbf\xbd\0";
    folder.run("--journal j --junit xml -k -j1 -0 true").input(keys.to_vec()).end().exited(0);
    let exported = folder.procpool(&["export", "j", "--format", "junit"]).end().exited(0);
    for report in [folder.read("xml"), exported.text().to_owned()] {
        let names: Vec<&str> =
            report.split("<testcase name=\"").skip(1).map(|case| case.split('"').next().unwrap()).collect();
        assert_eq!(names, [r"a\xff", r"a\xfe", r"a\\xff", r"a\u{1b}", r"a\\u{1b}", "a\u{fffd}"]);
    }
}
