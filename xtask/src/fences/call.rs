//! A system call that can be refused: by its name, or by one meaning of a call that has several.

use std::collections::BTreeMap;

/// A system call, or one of its meanings.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) meaning: Option<Meaning>,
}

/// One meaning of a call: the value of an argument under a mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Meaning {
    name: &'static str,
    call: &'static str,
    argument: u32,
    mask: u32,
    value: u32,
}

/// The numbers of this machine's system calls by name.
pub(crate) type Numbers = BTreeMap<String, u32>;

const fn meaning(call: &'static str, name: &'static str, argument: u32, mask: u32, value: u32) -> Meaning {
    Meaning { name, call, argument, mask, value }
}

const MEANINGS: [Meaning; 18] = [
    meaning("clone", "CLONE_PIDFD", 0, 0x1000, 0x1000),
    meaning("clone", "CLONE_VM", 0, 0x100, 0x100),
    meaning("clone", "no CLONE_VM", 0, 0x100, 0),
    meaning("fcntl", "F_DUPFD_CLOEXEC", 1, !0, 1030),
    meaning("fcntl", "F_GETFD", 1, !0, 1),
    meaning("fcntl", "F_GETFL", 1, !0, 3),
    meaning("fcntl", "F_OFD_SETLK", 1, !0, 37),
    meaning("fcntl", "F_SETFD", 1, !0, 2),
    meaning("fcntl", "F_SETFL", 1, !0, 4),
    meaning("fcntl", "F_SETPIPE_SZ", 1, !0, 1031),
    meaning("ioctl", "FIONBIO", 1, !0, 0x5421),
    meaning("ioctl", "TCGETS", 1, !0, 0x5401),
    meaning("ioctl", "TIOCGPGRP", 1, !0, 0x540f),
    meaning("prctl", "PR_SET_CHILD_SUBREAPER", 0, !0, 36),
    meaning("prctl", "PR_SET_NAME", 0, !0, 15),
    meaning("prctl", "PR_SET_PDEATHSIG", 0, !0, 1),
    meaning("fallocate", "FALLOC_FL_PUNCH_HOLE", 1, 2, 2),
    meaning("waitid", "P_PIDFD", 0, !0, 3),
];

/// These can't fail, because the kernel returns nothing.
const WITHOUT_ANSWER: [&str; 4] = ["exit", "exit_group", "rt_sigreturn", "restart_syscall"];

/// Only the C library calls these, for each thread. It checks whether the first thread could, so they are
/// refused to the loader as well.
pub(crate) const RUNTIMES: [&str; 2] = ["rseq", "set_robust_list"];

impl Call {
    pub(crate) fn whole(name: &str) -> Call {
        Call { name: name.to_owned(), meaning: None }
    }

    /// The call and all its meanings; empty where it can't fail.
    pub(crate) fn all_of(name: &str) -> Vec<Call> {
        if WITHOUT_ANSWER.contains(&name) {
            return Vec::new();
        }
        let meanings = MEANINGS.iter().filter(|meaning| meaning.call == name);
        let narrow = meanings.map(|meaning| Call { name: name.to_owned(), meaning: Some(*meaning) });
        std::iter::once(Call::whole(name)).chain(narrow).collect()
    }

    /// The text that the preloaded fence reads; None where this machine has no such call.
    pub(crate) fn as_fence(&self, numbers: &Numbers, error: u32) -> Option<String> {
        let number = numbers.get(&self.name)?;
        let Meaning { argument, mask, value, .. } = self.meaning.unwrap_or(meaning("", "", 0, 0, 0));
        Some(format!("{number} {error} {argument} {mask} {value}"))
    }

    /// Its name in the table.
    pub(crate) fn told(&self) -> String {
        match self.meaning {
            None => self.name.clone(),
            Some(meaning) => format!("{}({})", self.name, meaning.name),
        }
    }

    /// Whether a message names the call: by the manual's name, without the kernel's version suffixes, or by
    /// what the call was for.
    pub(crate) fn is_named_in(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let words: &[&str] = match self.name.as_str() {
            "clone" | "clone3" | "fork" | "vfork" => &["clone", "fork", "no room"],
            "dup2" | "dup3" => &["dup"],
            "epoll_create1" => &["epoll"],
            // Where no descriptor is left, the message says that.
            "eventfd2" => &["eventfd", "descriptor"],
            "execve" => &["exec", "program", "no room"],
            "fcntl" => &["fcntl", "standard output", "\""],
            // Messages about files name the file and what was to be done with it.
            "flock" | "fsync" | "fdatasync" | "ftruncate" | "fallocate" | "getdents64" | "getcwd"
            | "mkdirat" | "mmap" | "renameat" | "lseek" | "unlinkat" | "fchmod" => {
                return text.contains('"') || text.contains(&self.name);
            }
            "fadvise64" => &["fadvise"],
            "newfstatat" | "fstat" | "statx" | "lstat" | "stat" => &["stat", "\""],
            "open" | "openat" | "mkdir" | "unlink" | "rename" | "readlink" => {
                &["open", "\"", "/dev/", "/proc", "no room"]
            }
            "pipe2" => &["pipe", "no room"],
            "poll" | "ppoll" => &["poll"],
            "pread64" => &["pread", "read"],
            "pwrite64" => &["pwrite", "write", "output"],
            "prlimit64" => &["limit"],
            "recvfrom" => &["recv"],
            "rt_sigaction" => &["sigaction"],
            "rt_sigprocmask" => &["sigprocmask", "sigmask"],
            "sendto" => &["send"],
            "signalfd4" => &["signalfd"],
            "socketpair" => &["socket"],
            "wait4" | "waitid" => &["wait"],
            name => return text.contains(name),
        };
        words.iter().any(|word| text.contains(word)) || text.contains(&self.name)
    }
}

/// Reads the numbers from the preprocessor's output for `<sys/syscall.h>`, whose lines are
/// `#define __NR_NAME NUMBER`.
pub(crate) fn numbers_in(defines: &str) -> Numbers {
    let number = |line: &str| {
        let (name, number) = line.strip_prefix("#define __NR_")?.split_once(' ')?;
        Some((name.to_owned(), number.trim().parse().ok()?))
    };
    defines.lines().filter_map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_from_the_headers() {
        let numbers = numbers_in("#define __NR_close_range 436\n#define __NR_x\n#define SYS_a __NR_a\n");
        assert_eq!(numbers, Numbers::from([("close_range".to_owned(), 436)]));
    }

    #[test]
    fn a_fence_is_a_call_or_one_of_its_meanings() {
        let numbers = Numbers::from([("prctl".to_owned(), 157)]);
        let fences: Vec<_> =
            Call::all_of("prctl").iter().map(|call| (call.told(), call.as_fence(&numbers, 1))).collect();
        assert_eq!(fences[0], ("prctl".to_owned(), Some("157 1 0 0 0".to_owned())));
        assert_eq!(
            fences[3],
            ("prctl(PR_SET_PDEATHSIG)".to_owned(), Some("157 1 0 4294967295 1".to_owned()))
        );
        assert_eq!(Call::whole("absent").as_fence(&numbers, 1), None);
        assert!(Call::all_of("exit_group").is_empty());
    }

    #[test]
    fn a_sentence_names_a_call_as_the_manual_does() {
        let names = |call: &str, text: &str| Call::whole(call).is_named_in(text);
        assert!(names("pipe2", "procpool: pipe(2): Operation not permitted"));
        assert!(names("getrandom", "getrandom(2): no"));
        assert!(!names("setsid", "no room for another"));
    }
}
