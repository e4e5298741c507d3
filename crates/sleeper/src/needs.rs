//! What a test needs of the machine beyond Rust, gcc and a bare Debian, and the line that says why a test
//! is skipped.
//!
//! ```
//! # fn a_case() {
//! sleeper::needs!(Strace, Mounts);
//! // From here on both are there.
//! # }
//! ```
//!
//! Each need is tried once and not derived from the user: a container may refuse root what another one
//! allows everybody. With `PROCPOOL_TESTS=all` nothing is skipped, and a missing need is a failure.

use std::env;
use std::io::{Write, stderr};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::thread;

use crate::locate;

/// Something that a test needs and that not every machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// strace(1) that may trace its own children.
    Strace,
    /// strace(1) that may trace other processes (`-p`).
    Attach,
    /// Mounting file systems in a mount namespace: [`Need::unshare`].
    Mounts,
    /// FUSE, for a file system that doesn't answer, in a mount namespace.
    DeadMounts,
    /// A PID namespace with its own /proc: [`Need::unshare`].
    Pids,
    /// A user for whom file modes count, which root is not: [`Need::wrapper`].
    Modes,
    /// Being root, to become another user for example.
    Root,
    /// sqlite3(1).
    Sqlite,
    /// bash(1).
    Bash,
    /// dash(1).
    Dash,
    /// zsh(1).
    Zsh,
    /// ksh93(1).
    Ksh,
    /// mksh(1).
    Mksh,
    /// yash(1).
    Yash,
}

/// Returns from the calling test if one of the needs is missing, and says so.
#[macro_export]
macro_rules! needs {
    ($($need:ident),+ $(,)?) => {
        if !$crate::needs::Need::are_met(&[$($crate::needs::Need::$need),+]) {
            return;
        }
    };
}

impl Need {
    /// All needs.
    pub const ALL: [Need; 14] = [
        Need::Strace,
        Need::Attach,
        Need::Mounts,
        Need::DeadMounts,
        Need::Pids,
        Need::Modes,
        Need::Root,
        Need::Sqlite,
        Need::Bash,
        Need::Dash,
        Need::Zsh,
        Need::Ksh,
        Need::Mksh,
        Need::Yash,
    ];

    /// Why a test is skipped if this is missing.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Need::Strace => "strace(1) is not here or may not trace (apt-get install strace)",
            Need::Attach => {
                "strace(1) is not here or may not attach to processes (apt-get install strace; ptrace(2), ptrace_scope)"
            }
            Need::Mounts => "nothing can be mounted here, neither as root nor in a user namespace",
            Need::DeadMounts => {
                "no FUSE file system can be mounted here (/dev/fuse), neither as root nor in a user namespace"
            }
            Need::Pids => "no PID namespace can be made here, neither as root nor in a user namespace",
            Need::Modes => {
                "no mode of a file keeps us out, and setpriv(1) can't change that (apt-get install util-linux)"
            }
            Need::Root => "it takes root",
            Need::Sqlite => "sqlite3(1) is not here (apt-get install sqlite3)",
            Need::Bash => "bash(1) is not here (apt-get install bash)",
            Need::Dash => "dash(1) is not here (apt-get install dash)",
            Need::Zsh => "zsh(1) is not here (apt-get install zsh)",
            Need::Ksh => "ksh93(1) is not here (apt-get install ksh93u+m)",
            Need::Mksh => "mksh(1) is not here (apt-get install mksh)",
            Need::Yash => "yash(1) is not here (apt-get install yash)",
        }
    }

    /// Whether all needs are met. The first missing one is named in one line on standard error, which the
    /// capture of test output doesn't hide.
    ///
    /// # Panics
    /// If one is missing and `PROCPOOL_TESTS` is `all`.
    #[must_use]
    pub fn are_met(needs: &[Need]) -> bool {
        let Some(missing) = needs.iter().find(|need| need.find().is_none()) else { return true };
        skip(missing.reason());
        false
    }

    /// The options of unshare(1) for the namespaces of this need: as root, or for others in a user
    /// namespace in which they are root.
    ///
    /// # Panics
    /// If the machine lacks it.
    #[must_use]
    pub fn unshare(self) -> Vec<&'static str> {
        let options = self.find().unwrap_or_else(|| panic!("the case hasn't said that it needs {self:?}"));
        options.split(' ').collect()
    }

    /// The words before a command for which this must hold.
    ///
    /// # Panics
    /// If the machine lacks it.
    #[must_use]
    pub fn wrapper(self) -> Vec<&'static str> {
        self.unshare()
    }

    /// The options with which it works, if any; tried once.
    fn find(self) -> Option<&'static str> {
        static FOUND: [OnceLock<Option<&str>>; Need::ALL.len()] =
            [const { OnceLock::new() }; Need::ALL.len()];
        *FOUND[self as usize].get_or_init(|| match self {
            Need::Strace => works("strace", "-f -o /dev/null true", "").then_some(""),
            Need::Attach => works("sh", "-c", ATTACH).then_some(""),
            Need::Mounts => unsharing(["--mount", "--map-root-user --mount"], "mount -t tmpfs none /mnt"),
            Need::DeadMounts => unsharing(
                ["--mount", "--map-root-user --mount"],
                &format!("exec '{}' /mnt unread true", locate::dead_mount().display()),
            ),
            Need::Pids => unsharing(
                ["--pid --fork --mount-proc", "--map-root-user --pid --fork --mount-proc"],
                "[ $$ = 1 ]",
            ),
            Need::Modes => ["env", "setpriv --bounding-set=-dac_override,-dac_read_search"]
                .into_iter()
                .find(|words| works("sh", "-c", &format!("exec {words} sh -c '{CLOSED}'"))),
            Need::Root => rustix::process::geteuid().is_root().then_some(""),
            Need::Sqlite => works("sqlite3", "-version", "").then_some(""),
            Need::Bash => works("bash", "-c", ":").then_some(""),
            Need::Dash => works("dash", "-c", ":").then_some(""),
            Need::Zsh => works("zsh", "-f -c", ":").then_some(""),
            Need::Ksh => works("ksh93", "-c", ":").then_some(""),
            Need::Mksh => works("mksh", "-c", ":").then_some(""),
            Need::Yash => works("yash", "-c", ":").then_some(""),
        })
    }
}

/// Says that the calling test is skipped, for a test that finds out by itself what is missing and then
/// returns.
///
/// # Panics
/// If `PROCPOOL_TESTS` is `all`.
pub fn skip(reason: &str) {
    let all = env::var_os("PROCPOOL_TESTS").is_some_and(|tests| tests == "all");
    assert!(!all, "nothing may be skipped (PROCPOOL_TESTS=all), but {reason}");
    let thread = thread::current();
    let test = thread.name().unwrap_or("a test");
    // In one write, so that lines of concurrent tests don't mix.
    let _ = stderr().write_all(format!("{test}: {SKIPPED} {reason}\n").as_bytes());
}

/// A reason for [`skip`].
pub const NO_MEMORY_CGROUP: &str = "no memory cgroup can be made here, so nothing runs out of memory";

/// The words before the reason in each line about a skipped test.
pub const SKIPPED: &str = "skipped, because";

/// Traces a sibling process, and ends it once strace(1) has reported success or failure.
const ATTACH: &str = "sleep 60 & strace -o /dev/null -p $! 2>&1 | {
        read -r said; kill $!; case $said in *attached) ;; *) exit 1 ;; esac
    }";

/// Succeeds if a folder without any rights can't be read.
const CLOSED: &str = "folder=$(mktemp -d) && chmod 000 $folder && ! ls $folder/. 2> /dev/null; closed=$?; \
    chmod 700 $folder && rmdir $folder; exit $closed";

/// The first of the options with which the script succeeds under unshare(1).
fn unsharing(options: [&'static str; 2], script: &str) -> Option<&'static str> {
    options.into_iter().find(|options| works("unshare", &format!("{options} sh -c"), script))
}

/// Whether the program succeeds with these arguments and the script as the last one, if there is one.
fn works(program: &str, words: &str, script: &str) -> bool {
    let mut command = Command::new(program);
    command.args(words.split(' ')).args(Some(script).filter(|script| !script.is_empty()));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
