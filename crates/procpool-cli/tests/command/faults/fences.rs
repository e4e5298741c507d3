//! System calls that a kernel or a container's seccomp filter refuses. Calls with a fallback may be refused
//! without losing a job; a call that nothing can run without is named before the first job starts.

use sleeper::needs;

use crate::Folder;
use crate::faults::tracing::strace;

/// Runs ten jobs while these calls are refused.
#[track_caller]
fn runs_where(refused: &[&str]) {
    let folder = Folder::new();
    let mut options = Vec::new();
    for refusal in refused {
        let (call, _) = refusal.split_once(':').unwrap();
        options.extend(["-e".into(), format!("trace={call}"), "-e".into(), format!("inject={refusal}")]);
    }
    let program = env!("CARGO_BIN_EXE_procpool");
    // Without a guardian, because the filter would apply to it as well. The jobs check that they have only
    // the three standard descriptors.
    let script = "n=$1; set -- /proc/$$/fd/*; test $# -le 4 && echo out $n && echo err $n >&2";
    let words = ["run", "--no-guard", "-k", "-j3", "--", "sh", "-c", script, "sh", ":::"];
    let values: Vec<String> = (1..=10).map(|n| n.to_string()).collect();
    // If a child has to close its descriptors one by one, strace stops at each of these calls.
    let mut all = vec!["-c", "ulimit -n 256; exec \"$@\"", "sh", "strace", "-qq", "-f", "-o", "log"];
    all.extend(options.iter().map(String::as_str));
    all.push(program);
    all.extend(words);
    all.extend(values.iter().map(String::as_str));
    let expected = values.iter().fold(String::new(), |text, n| text + &format!("out {n}\n"));
    let ended = folder.command("sh").args(all).end().exited(0).printed(expected);
    let said = ended.error_text();
    let of_jobs = said.lines().filter(|line| line.starts_with("err ")).count();
    assert_eq!(of_jobs, 10, "{refused:?}: {said}");
    assert!(said.lines().count() <= 11, "{refused:?}: {said}");
}

#[test]
fn whichever_call_of_a_start_is_refused_all_jobs_run() {
    needs!(Strace);
    for error in ["ENOSYS", "EPERM", "EINVAL", "EACCES"] {
        runs_where(&[&format!("close_range:error={error}")]);
        runs_where(&[&format!("close_range:error={error}"), &format!("unshare:error={error}")]);
        runs_where(&[&format!("clone:error={error}")]);
    }
}

#[test]
fn whichever_call_beside_a_start_is_refused_all_jobs_run() {
    needs!(Strace);
    for call in ["eventfd2", "memfd_create", "pidfd_open", "pidfd_send_signal", "prctl", "waitid", "clone3"] {
        runs_where(&[&format!("{call}:error=ENOSYS")]);
    }
    for call in ["eventfd2", "memfd_create", "pidfd_open", "pidfd_send_signal", "waitid"] {
        runs_where(&[&format!("{call}:error=EPERM")]);
    }
}

#[test]
fn a_thread_of_procpools_own_that_is_refused_once_is_tried_again() {
    needs!(Strace);
    runs_where(&["clone,clone3:error=EAGAIN:when=1"]);
}

#[test]
fn a_call_that_nothing_runs_without_is_named_before_anything_begins() {
    needs!(Strace);
    for (call, name) in
        [("ppoll", "ppoll(2)"), ("wait4", "wait4(2)"), ("sendto", "sendto(2)"), ("uname", "uname(2)")]
    {
        let folder = Folder::new();
        let (trace, inject) = (format!("trace={call}"), format!("inject={call}:error=EPERM"));
        let words = [env!("CARGO_BIN_EXE_procpool"), "run", "touch", ":::", "ran"];
        let ended = strace(&folder, &["-e", &trace, "-e", &inject]).args(words).end().exited(3).said(name);
        assert_eq!(ended.error_text().lines().count(), 1, "{}", ended.error_text());
        assert!(!folder.has("ran"), "{call}");
    }
}

#[test]
fn without_a_guard_it_is_said_where_jobs_would_outlive_a_killed_procpool() {
    needs!(Strace);
    let folder = Folder::new();
    for (inject, lines) in [("prctl:error=EPERM", 1), ("pidfd_open:error=EPERM", 0)] {
        let (trace, inject) =
            (format!("trace={}", inject.split(':').next().unwrap()), format!("inject={inject}"));
        let words = [env!("CARGO_BIN_EXE_procpool"), "run", "-k", "--no-guard", "echo", ":::", "a", "b"];
        let ended =
            strace(&folder, &["-e", &trace, "-e", &inject]).args(words).end().exited(0).printed("a\nb\n");
        let said = ended.error_text();
        assert_eq!(said.matches("procpool: jobs would outlive a killed caller").count(), lines, "{said}");
        assert_eq!(said.lines().count(), lines, "{said}");
    }
}

#[test]
fn where_no_guard_can_be_made_each_job_runs_once() {
    needs!(Strace);
    for (call, said) in [("ioctl", "ioctl(2)"), ("signalfd4", "signalfd(2)"), ("prctl", "subreapers")] {
        let folder = Folder::new();
        let (trace, inject) = (format!("trace={call}"), format!("inject={call}:error=ENOSYS"));
        let words = [env!("CARGO_BIN_EXE_procpool"), "run", "--shell", "echo {} >> ran", ":::", "a"];
        let ended = strace(&folder, &["-e", &trace, "-e", &inject]).args(words).end().exited(0).said(said);
        assert_eq!(ended.error_text().lines().count(), 1, "{}", ended.error_text());
        assert_eq!(folder.read("ran"), "a\n", "{call}");
    }
}
