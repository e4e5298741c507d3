//! A test program that was started with signals ignored doesn't pass that on to its children.

use std::env;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

/// Environment variable: set when another test runs `inner`.
const INNER: &str = "SLEEPER_TEST_INNER";

#[test]
fn inner() {
    if env::var_os(INNER).is_none() {
        return;
    }
    sleeper::heed_all_signals();
    for (name, number) in [("HUP", 1), ("INT", 2), ("PIPE", 13), ("TERM", 15)] {
        let status = Command::new("sh").args(["-c", &format!("kill -{name} $$")]).status().unwrap();
        assert_eq!(status.signal(), Some(number), "{name}: {status}");
    }
}

#[test]
fn what_a_test_starts_heeds_all_signals_however_the_test_was_started() {
    let mut shell = Command::new("sh");
    shell.args(["-c", r#"trap "" HUP INT PIPE TERM; exec "$@""#, "sh"]).arg(env::current_exe().unwrap());
    let output = shell.args(["heeding::inner", "--exact"]).env(INNER, "1").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}
