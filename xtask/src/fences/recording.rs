//! Which system calls procpool makes in a scene, as strace(1) saw them: those of its processes and threads,
//! and of a child up to its exec. Calls of the loader and of Rust's runtime, before procpool's own first
//! one, don't count.

use std::collections::BTreeSet;

/// procpool's own first call, which unblocks all signals.
const FIRST: &str = "rt_sigprocmask";

/// The names of the calls in the log of `strace -f`: lines `PID NAME(…`, or `PID <... NAME resumed>…`.
pub(crate) fn calls_in(log: &str) -> BTreeSet<String> {
    let mut calls = BTreeSet::new();
    let mut front = None;
    let mut jobs = BTreeSet::new();
    let mut has_begun = false;
    for line in log.lines() {
        let Some((process, event)) = line.split_once(' ') else { continue };
        let event = event.trim_start();
        let front = *front.get_or_insert(process);
        let is_exec = event.starts_with("execve(") || event.starts_with("<... execve resumed>");
        let Some((name, _)) = event.split_once('(').filter(|(name, _)| is_name(name)) else {
            if is_exec && event.ends_with("= 0") {
                jobs.insert(process);
            }
            continue;
        };
        if jobs.contains(process) {
            continue;
        }
        has_begun |= name == FIRST;
        if has_begun {
            calls.insert(name.to_owned());
        }
        if is_exec && event.ends_with("= 0") && process != front {
            jobs.insert(process);
        }
    }
    calls
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_the_loader_and_of_jobs_are_left_out() {
        let log = "10 execve(\"procpool\", [], 0x7 /* 1 var */) = 0\n\
                   10 brk(NULL) = 0x1\n\
                   10 rt_sigprocmask(SIG_SETMASK, [], NULL, 8) = 0\n\
                   10 clone(child_stack=0x1 <unfinished ...>\n\
                   11 setsid() = 11\n\
                   11 execve(\"job\", [], 0x7 /* 1 var */ <unfinished ...>\n\
                   10 <... clone resumed>) = 11\n\
                   11 <... execve resumed>) = 0\n\
                   11 writev(1, [], 1) = 0\n\
                   12 dup2(3, 1) = 1\n\
                   12 execve(\"job\", [], 0x7 /* 1 var */) = 0\n\
                   12 pause() = 0\n\
                   10 --- SIGCHLD {si_signo=SIGCHLD} ---\n\
                   10 wait4(-1, 0x1, 0, NULL) = 11\n\
                   10 +++ exited with 0 +++\n";
        let expected = ["clone", "dup2", "execve", "rt_sigprocmask", "setsid", "wait4"];
        assert_eq!(calls_in(log).into_iter().collect::<Vec<_>>(), expected);
    }
}
