//! The message for a test whose requirement is missing: this program runs such a test in a process of its
//! own, as a developer would.

use std::env;
use std::process::{Command, Output};

use sleeper::needs;

/// Environment variable: set when another test runs `inner`.
const INNER: &str = "SLEEPER_TEST_INNER";

#[test]
fn inner() {
    if env::var_os(INNER).is_none() {
        return;
    }
    needs!(Strace, Sqlite);
    println!("it has begun");
}

/// Runs the test `inner` with a PATH that contains no programs.
fn inner_without_programs(tests: &str) -> Output {
    let mut this = Command::new(env::current_exe().unwrap());
    this.args(["needs::inner", "--exact", "--show-output"]).env(INNER, "1");
    this.env("PATH", "/nowhere").env("PROCPOOL_TESTS", tests).output().unwrap()
}

#[test]
fn a_test_that_lacks_something_passes_and_says_why_in_one_line_that_is_seen() {
    let output = inner_without_programs("");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        said,
        "needs::inner: skipped, because strace(1) is not here or may not trace (apt-get install strace)\n"
    );
    assert!(output.status.success());
    assert!(!String::from_utf8(output.stdout).unwrap().contains("it has begun"));
}

#[test]
fn where_nothing_may_be_skipped_it_fails() {
    let output = inner_without_programs("all");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(!output.status.success());
    assert!(
        said.contains("nothing may be skipped (PROCPOOL_TESTS=all), but strace(1) is not here"),
        "{said}"
    );
}
