//! All that is of the operating system: Linux 5.4 or later (waiting for a pidfd is from 5.3).
//! Knows nothing of jobs. The crate's only `unsafe` is here, calls that rustix does not have.

pub(crate) mod proc;
mod start;

pub(crate) use crate::sys::start::{Image, start};

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::thread;
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec};
use rustix::fs::{FallocateFlags, MemfdFlags, OFlags};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, SpliceFlags};

use crate::signal::Signal;
use crate::status::{PeakMemory, Status, Usage};

/// A process of ours that has not been reaped, so that its number can't be anybody else's.
pub(crate) type Pid = rustix::process::Pid;

/// What poll(2) says of a descriptor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Readiness {
    Quiet,
    /// Reading won't block, and may bring something.
    Readable,
    /// Nothing is left to read and nobody can write any more.
    HungUp,
}

/// Waits until one of `sources` has news or `deadline` has passed, and says which have. May come back early
/// with nothing. The places in the array stay the same; `None` is not waited for and always quiet.
pub(crate) fn wait_any<const N: usize>(
    sources: [Option<BorrowedFd<'_>>; N],
    deadline: Option<Instant>,
) -> [Readiness; N] {
    let mut polled: Vec<PollFd<'_>> = Vec::with_capacity(N);
    polled.extend(sources.iter().flatten().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)));
    let timeout = deadline.map(|deadline| timespec(deadline.saturating_duration_since(Instant::now())));
    match rustix::event::poll(&mut polled, timeout.as_ref()) {
        Ok(_) => {}
        Err(Errno::INTR) => return [Readiness::Quiet; N],
        Err(_) => {
            // Out of memory, see poll(2). Trying again is right; trying again at once would spin.
            thread::sleep(Duration::from_millis(1));
            return [Readiness::Quiet; N];
        }
    }
    let mut answers = polled.iter().map(|fd| {
        if fd.revents().contains(PollFlags::IN) {
            Readiness::Readable
        } else if fd.revents().is_empty() {
            Readiness::Quiet
        } else {
            Readiness::HungUp
        }
    });
    sources.map(|source| source.and_then(|_| answers.next()).unwrap_or(Readiness::Quiet))
}

/// Waits until the descriptor is readable, or `at_most` this long.
pub(crate) fn wait_readable(fd: BorrowedFd<'_>, at_most: Option<Duration>) {
    // A time too far away for the clock is as good as for ever.
    let deadline = at_most.and_then(|at_most| Instant::now().checked_add(at_most));
    while wait_any([Some(fd)], deadline) == [Readiness::Quiet] {
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return;
        }
    }
}

fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    }
}

/// Reads once into the spare capacity of `buffer`, which must have some. 0 is the end.
pub(crate) fn read(fd: BorrowedFd<'_>, buffer: &mut Vec<u8>) -> io::Result<usize> {
    Ok(rustix::io::retry_on_intr(|| rustix::io::read(fd, spare_capacity(buffer)))?)
}

/// Moves once from a pipe to a place in a file, past our memory. 0 is the end. Where it fails nothing has
/// moved; the error may be about either side.
pub(crate) fn splice(pipe: BorrowedFd<'_>, file: &File, offset: u64, at_most: usize) -> io::Result<usize> {
    let flags = SpliceFlags::empty();
    Ok(rustix::io::retry_on_intr(|| {
        let mut offset = offset;
        rustix::pipe::splice(pipe, None, file, Some(&mut offset), at_most, flags)
    })?)
}

/// Makes a pipe hold at least so much, where that is allowed.
pub(crate) fn grow_pipe(pipe: BorrowedFd<'_>, size: usize) {
    // A process that wants its own pipe larger can have made it so.
    if rustix::pipe::fcntl_getpipe_size(pipe).is_ok_and(|now| now < size) {
        // Refused where the user has too much in pipes already, or pipes may not be as large: it works as it is.
        let _ = rustix::pipe::fcntl_setpipe_size(pipe, size);
    }
}

/// How many bytes a pipe holds that were not read yet.
pub(crate) fn readable_bytes(pipe: BorrowedFd<'_>) -> u64 {
    // Of a pipe it can't fail.
    rustix::io::ioctl_fionread(pipe).unwrap_or(0)
}

/// An eventfd(2): not readable until it is raised, readable ever after.
#[derive(Debug)]
pub(crate) struct Event(OwnedFd);

impl Event {
    pub(crate) fn new() -> io::Result<Event> {
        Ok(Event(rustix::event::eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?))
    }

    pub(crate) fn raise(&self) {
        // It can only fail with EAGAIN, once the counter is at its top: then it has been raised already.
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }

    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// How many descriptors this process may have.
pub(crate) fn allowed_descriptors() -> u64 {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// Whether an error says that there are too many descriptors, here or on the whole machine: that passes.
pub(crate) fn is_descriptor_shortage(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
}

/// Whether an error says that the machine has no room for another process or its descriptors, now.
pub(crate) fn is_shortage(error: &io::Error) -> bool {
    is_descriptor_shortage(error) || matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::ENOMEM))
}

/// How many threads this process may have before a new one could find no room for its mappings.
///
/// Asking for one too many is no error then: the standard library aborts where it has made a thread and
/// gets no stack for its handler of overflows. A thread takes four mappings; a fifth is left for all else.
pub(crate) fn most_threads() -> usize {
    const DEFAULT: usize = 65_530;
    let text = std::fs::read_to_string("/proc/sys/vm/max_map_count");
    text.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(DEFAULT) / 5
}

/// Sends a signal to the process group that `leader` leads. The leader must not have been reaped: as long
/// as it is there, if only as a zombie, no other group can have its number.
pub(crate) fn signal_group(leader: Pid, signal: Signal) {
    // SAFETY: killpg(2) takes two integers and touches no memory of ours.
    #[expect(unsafe_code, reason = "rustix knows no signal by its bare number")]
    // An error can only be ESRCH or EPERM: nobody is there, or all of them have changed their user.
    let _ = unsafe { libc::killpg(leader.as_raw_nonzero().get(), signal.number()) };
}

/// Kills the process of a pidfd.
pub(crate) fn kill(pidfd: BorrowedFd<'_>) {
    // An error can only be ESRCH or EPERM, as above.
    let _ = rustix::process::pidfd_send_signal(pidfd, rustix::process::Signal::KILL);
}

/// Waits for the process to end, reaps it and says how it ended and what it used.
pub(crate) fn reap(pid: Pid) -> (Status, Usage) {
    let mut status = 0;
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    loop {
        // SAFETY: both pointers are to live locals of the types that wait4(2) writes.
        #[expect(unsafe_code, reason = "rustix has no wait4, and no other call tells what one child used")]
        let reaped =
            unsafe { libc::wait4(pid.as_raw_nonzero().get(), &raw mut status, 0, usage.as_mut_ptr()) };
        if reaped != -1 {
            break;
        }
        let error = io::Error::last_os_error();
        assert!(
            error.kind() == io::ErrorKind::Interrupted,
            "BUG: somebody else reaped our child {pid:?}: {error}"
        );
    }
    // SAFETY: all-zero bytes are a valid rusage, and wait4 succeeded.
    #[expect(unsafe_code, reason = "the other half of wait4")]
    let usage = unsafe { usage.assume_init() };
    (decode_status(status), decode_usage(&usage))
}

/// The most memory that this process has held at once, as far as that is known.
pub(crate) fn own_peak_memory() -> PeakMemory {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is to a live local of the type that getrusage(2) writes; and all-zero bytes are a valid one.
    #[expect(unsafe_code, reason = "rustix has no getrusage")]
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr());
        usage.assume_init()
    };
    decode_usage(&usage).peak_memory
}

fn decode_status(status: i32) -> Status {
    if libc::WIFSIGNALED(status) {
        let number = libc::WTERMSIG(status);
        Status::Signalled(Signal::from_number(number).unwrap_or(Signal::KILL))
    } else {
        // The kernel has masked it to eight bits.
        Status::Exited(u8::try_from(libc::WEXITSTATUS(status)).unwrap_or(u8::MAX))
    }
}

fn decode_usage(usage: &libc::rusage) -> Usage {
    let duration = |time: libc::timeval| {
        let seconds = Duration::from_secs(u64::try_from(time.tv_sec).unwrap_or(0));
        seconds + Duration::from_micros(u64::try_from(time.tv_usec).unwrap_or(0))
    };
    Usage {
        user: duration(usage.ru_utime),
        system: duration(usage.ru_stime),
        // getrusage(2): kilobytes, by which it means 1024 bytes.
        peak_memory: PeakMemory::Known(u64::try_from(usage.ru_maxrss).unwrap_or(0) * 1024),
    }
}

/// A pipe: the end to read from and the end to write to. Reading doesn't wait: what poll(2) has promised, a job
/// that opens its own output through `/proc` can have read away. Writing does, as every program expects.
pub(crate) fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (reader, writer) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
    rustix::fs::fcntl_setfl(&reader, OFlags::NONBLOCK)?;
    Ok((reader, writer))
}

/// The descriptor with a number above 2, where a caller has closed one of the first three: what becomes a
/// child's standard descriptors one after the other must be none of them itself.
pub(crate) fn above_standard(fd: OwnedFd) -> io::Result<OwnedFd> {
    match fd.as_raw_fd() {
        0..=2 => Ok(rustix::io::fcntl_dupfd_cloexec(&fd, 3)?),
        _ => Ok(fd),
    }
}

/// Below this are the descriptors that a child copies until it has its own three.
const HIGH: i32 = 64;

/// The descriptor with a high number, where one may be had: it is kept for long, and the low ones are for starts.
pub(crate) fn out_of_the_way(fd: OwnedFd) -> OwnedFd {
    match fd.as_raw_fd() {
        // Refused where so high a number isn't allowed, or none is left.
        0..HIGH => rustix::io::fcntl_dupfd_cloexec(&fd, HIGH).unwrap_or(fd),
        _ => fd,
    }
}

/// A file in memory, nowhere in the file system, that holds these bytes and stands at its start.
pub(crate) fn memory_file(bytes: &[u8]) -> io::Result<File> {
    use std::io::{Seek, Write};

    let mut file = File::from(rustix::fs::memfd_create(c"procpool-stdin", MemfdFlags::CLOEXEC)?);
    file.write_all(bytes)?;
    file.rewind()?;
    Ok(file)
}

/// Gives the disk space of a part of a file back; the part reads as zeros then.
pub(crate) fn punch_hole(file: &File, offset: u64, length: u64) {
    // Not every file system can; then the space is used again by the next who needs some.
    let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    let _ = rustix::fs::fallocate(file, flags, offset, length);
}

/// Whether this process may execute the file.
pub(crate) fn may_execute(path: &std::path::Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}
