//! What a test wants of the machine beyond Rust, gcc and a bare Debian, and the one line that says why it is skipped.
//!
//! ```
//! # fn a_case() {
//! sleeper::needs!(Strace, Mounts);
//! // From here on both are there.
//! # }
//! ```
//!
//! Each is tried once, not guessed from who we are: a container may refuse root what another lets anybody do. With
//! `PROCPOOL_TESTS=all` nothing is skipped: what is missing is a failure.

use std::env;
use std::io::{Write, stderr};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::thread;

use crate::locate;

/// Something that a test wants, and that not every machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// strace(1), which may trace what it has started.
    Strace,
    /// strace(1), which may trace what is not below it (`-p`).
    Attach,
    /// File systems that a test mounts in a namespace of its own: [`Need::unshare`].
    Mounts,
    /// FUSE, for a file system that doesn't answer, in a namespace as above.
    DeadMounts,
    /// A PID namespace of a test's own, with a /proc of its own: [`Need::unshare`].
    Pids,
    /// Somebody whom a file's mode keeps out, which root is not: [`Need::wrapper`].
    Modes,
    /// To be root: to become another user, for example.
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

/// Ends the calling test where something of the list is missing, and says so.
#[macro_export]
macro_rules! needs {
    ($($need:ident),+ $(,)?) => {
        if !$crate::needs::Need::are_met(&[$($crate::needs::Need::$need),+]) {
            return;
        }
    };
}

impl Need {
    /// All there are.
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

    /// Why a test is skipped where this is missing.
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

    /// Whether all of it is there. What is missing is said in one line of standard error, past what captures the
    /// output of tests.
    ///
    /// # Panics
    /// Where something is missing and `PROCPOOL_TESTS` is `all`.
    #[must_use]
    pub fn are_met(needs: &[Need]) -> bool {
        let Some(missing) = needs.iter().find(|need| need.find().is_none()) else { return true };
        skip(missing.reason());
        false
    }

    /// What has unshare(1) make the namespaces that this needs: as root, or for others in a user namespace in which they
    /// are root.
    ///
    /// # Panics
    /// Where the machine doesn't have it.
    #[must_use]
    pub fn unshare(self) -> Vec<&'static str> {
        let options = self.find().unwrap_or_else(|| panic!("the case hasn't said that it needs {self:?}"));
        options.split(' ').collect()
    }

    /// The words that stand in front of a command to which this is to hold.
    ///
    /// # Panics
    /// Where the machine doesn't have it.
    #[must_use]
    pub fn wrapper(self) -> Vec<&'static str> {
        self.unshare()
    }

    /// How to come by it; tried once.
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

/// Says that the calling test is skipped: for one that finds out by itself what it lacks, and then returns.
///
/// # Panics
/// Where `PROCPOOL_TESTS` is `all`.
pub fn skip(reason: &str) {
    let all = env::var_os("PROCPOOL_TESTS").is_some_and(|tests| tests == "all");
    assert!(!all, "nothing may be skipped (PROCPOOL_TESTS=all), but {reason}");
    let thread = thread::current();
    let test = thread.name().unwrap_or("a test");
    // In one write, so that lines of tests that run at once don't mix.
    let _ = stderr().write_all(format!("{test}: {SKIPPED} {reason}\n").as_bytes());
}

/// A reason of that kind.
pub const NO_MEMORY_CGROUP: &str = "no memory cgroup can be made here, so nothing runs out of memory";

/// What stands in each line about a skipped test, before the reason.
pub const SKIPPED: &str = "skipped, because";

/// Traces a process that is its sibling, and ends it once strace(1) has said how that went.
const ATTACH: &str = "sleep 60 & strace -o /dev/null -p $! 2>&1 | {
        read -r said; kill $!; case $said in *attached) ;; *) exit 1 ;; esac
    }";

/// Succeeds where a folder without any rights can't be looked into.
const CLOSED: &str = "folder=$(mktemp -d) && chmod 000 $folder && ! ls $folder/. 2> /dev/null; closed=$?; \
    chmod 700 $folder && rmdir $folder; exit $closed";

/// Those of the options with which unshare(1) lets the script succeed.
fn unsharing(options: [&'static str; 2], script: &str) -> Option<&'static str> {
    options.into_iter().find(|options| works("unshare", &format!("{options} sh -c"), script))
}

/// Whether the program succeeds with these words and, if there is one, a script behind them.
fn works(program: &str, words: &str, script: &str) -> bool {
    let mut command = Command::new(program);
    command.args(words.split(' ')).args(Some(script).filter(|script| !script.is_empty()));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
