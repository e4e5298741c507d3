//! Starts a process by `posix_spawn(3)`, which doesn't copy the caller's memory.
//! Knows nothing of where a program is found or what an error means.

use std::ffi::{CStr, CString, c_char, c_int};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;
use std::sync::OnceLock;

use rustix::process::Pid;

/// What a process is started with, in the form in which the system takes it.
pub(crate) struct Image<'a> {
    pub(crate) program: &'a CStr,
    /// `argv`, with the program's name first.
    pub(crate) arguments: &'a [CString],
    /// `NAME=VALUE` each.
    pub(crate) environment: &'a [&'a CStr],
    pub(crate) directory: Option<&'a CStr>,
    /// Standard input, output and error; `None` is the caller's own. None of them may be descriptor 0, 1 or 2.
    pub(crate) streams: [Option<BorrowedFd<'a>>; 3],
}

/// Starts it as the leader of a session and a process group of its own, with every signal at its default and
/// none blocked, whatever the caller has inherited.
///
/// std's `Command` can do neither without `fork(2)`. In a session of its own the process has no terminal, so
/// that `/dev/tty` fails at once (`ENXIO`, tty(4)) where reading it from a background group would stop it.
#[expect(unsafe_code, reason = "rustix has no posix_spawn, and std's resets no signals")]
pub(crate) fn start(image: &Image<'_>) -> io::Result<Pid> {
    let attributes = Attributes::new()?;
    let actions = Actions::new(image)?;
    let arguments = pointers(image.arguments.iter().map(CString::as_c_str));
    let environment = pointers(image.environment.iter().copied());
    let mut pid = 0;
    // SAFETY: every pointer is to a live object of the type that posix_spawn(3) asks for; both lists end with
    // a null pointer, and their strings live as long as `image`. It writes to `pid` alone.
    check(unsafe {
        libc::posix_spawn(
            &raw mut pid,
            image.program.as_ptr(),
            &raw const actions.0,
            &raw const attributes.0,
            arguments.as_ptr(),
            environment.as_ptr(),
        )
    })?;
    Ok(Pid::from_raw(pid).expect("BUG: a child without a number"))
}

/// A list as execve(2) wants it. It writes to none of the strings, whatever the type says.
fn pointers<'a>(strings: impl Iterator<Item = &'a CStr>) -> Vec<*mut c_char> {
    strings.map(|string| string.as_ptr().cast_mut()).chain([ptr::null_mut()]).collect()
}

/// The functions of this family return their error.
fn check(code: i32) -> io::Result<()> {
    if code == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(code)) }
}

struct Attributes(libc::posix_spawnattr_t);

impl Attributes {
    #[expect(unsafe_code, reason = "the attributes of posix_spawn")]
    fn new() -> io::Result<Attributes> {
        let flags = libc::POSIX_SPAWN_SETSIGDEF | libc::POSIX_SPAWN_SETSIGMASK;
        let flags =
            libc::c_short::try_from(flags).expect("BUG: two of the low bits") | libc::POSIX_SPAWN_SETSID;
        let mut attributes = MaybeUninit::uninit();
        let mut signals = MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: init fills the attributes in, and they are used only where it succeeded; a set is an array of
        // bits, and any bits will do; sigemptyset fills it in and can't fail, see sigsetops(3); the setters copy
        // what they are given.
        unsafe {
            check(libc::posix_spawnattr_init(attributes.as_mut_ptr()))?;
            let mut attributes = Attributes(attributes.assume_init());
            check(libc::posix_spawnattr_setflags(&raw mut attributes.0, flags))?;
            // sigfillset(3) leaves out the two that glibc keeps for itself, and what is left out of those is ignored
            // by whatever the child becomes.
            signals.as_mut_ptr().write_bytes(0xff, 1);
            check(libc::posix_spawnattr_setsigdefault(&raw mut attributes.0, signals.as_ptr()))?;
            libc::sigemptyset(signals.as_mut_ptr());
            check(libc::posix_spawnattr_setsigmask(&raw mut attributes.0, signals.as_ptr()))?;
            Ok(attributes)
        }
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        #[expect(unsafe_code, reason = "the other half of posix_spawnattr_init")]
        // SAFETY: they were made by posix_spawnattr_init, and nobody uses them after this.
        unsafe {
            libc::posix_spawnattr_destroy(&raw mut self.0);
        }
    }
}

/// The first descriptor that is none of the standard three.
const FIRST_OTHER: c_int = 3;

type CloseFrom = unsafe extern "C" fn(*mut libc::posix_spawn_file_actions_t, c_int) -> c_int;

/// `posix_spawn_file_actions_addclosefrom_np`, which the C library may have (glibc has since 2.34).
///
/// Close-on-exec alone is too late: the kernel lets the parent of a vfork(2) go on *before* it closes those
/// descriptors in the child, and on a busy machine the child then holds copies of other jobs' pipes for a tenth
/// of a second. That looks like a leak. And what somebody else has left open without that flag is closed too.
fn close_from() -> Option<CloseFrom> {
    static FOUND: OnceLock<Option<CloseFrom>> = OnceLock::new();
    #[expect(unsafe_code, reason = "a symbol that is looked up by its name")]
    // SAFETY: the name ends with a NUL. Where there is a function of this name it has this type: it is the C
    // library's, whose names with `posix_` are reserved. A null pointer becomes `None`.
    *FOUND.get_or_init(|| unsafe {
        let symbol = libc::dlsym(libc::RTLD_DEFAULT, c"posix_spawn_file_actions_addclosefrom_np".as_ptr());
        std::mem::transmute::<*mut libc::c_void, Option<CloseFrom>>(symbol)
    })
}

/// What the child does before it becomes the program.
struct Actions(libc::posix_spawn_file_actions_t);

impl Actions {
    #[expect(unsafe_code, reason = "the file actions of posix_spawn")]
    fn new(image: &Image<'_>) -> io::Result<Actions> {
        let mut actions = MaybeUninit::uninit();
        // SAFETY: init fills the actions in, and they are used only where it succeeded; the others copy what
        // they are given, the path included.
        unsafe {
            check(libc::posix_spawn_file_actions_init(actions.as_mut_ptr()))?;
            let mut actions = Actions(actions.assume_init());
            for (target, stream) in (0..).zip(image.streams) {
                if let Some(stream) = stream {
                    debug_assert!(stream.as_raw_fd() > 2, "a later stream would be overwritten");
                    let source = stream.as_raw_fd();
                    check(libc::posix_spawn_file_actions_adddup2(&raw mut actions.0, source, target))?;
                }
            }
            if let Some(close_from) = close_from() {
                check(close_from(&raw mut actions.0, FIRST_OTHER))?;
            }
            if let Some(directory) = image.directory {
                let directory = directory.as_ptr();
                check(libc::posix_spawn_file_actions_addchdir_np(&raw mut actions.0, directory))?;
            }
            Ok(actions)
        }
    }
}

impl Drop for Actions {
    fn drop(&mut self) {
        #[expect(unsafe_code, reason = "the other half of posix_spawn_file_actions_init")]
        // SAFETY: they were made by posix_spawn_file_actions_init, and nobody uses them after this.
        unsafe {
            libc::posix_spawn_file_actions_destroy(&raw mut self.0);
        }
    }
}
