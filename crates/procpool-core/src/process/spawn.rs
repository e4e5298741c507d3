//! Starts a command's process, and says what was the trouble where that fails.
//! Knows nothing of waiting for it.

use std::ffi::{CString, OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Instant, SystemTime};

use crate::command::{Capture, Command, Stdin};
use crate::live::Source;
use crate::outcome::{NotStarted, SpawnError, Subject};
use crate::process::child::Child;
use crate::process::environment::{Inherited, Own, c_string};
use crate::process::resolve::Programs;
use crate::process::retry::Others;
use crate::process::roster::{Entry, Roster};
use crate::process::stream::Stream;
use crate::runner::Context;
use crate::spool::{Spool, SpoolFiles};
use crate::status::PeakMemory;
use crate::sys::{self, Failure, Image, Orphan};

/// Starts processes, and holds what is made once for all of them.
pub(crate) struct Starter {
    pub(crate) spool: SpoolFiles,
    pub(crate) roster: Arc<Roster>,
    programs: Programs,
    inherited: Inherited,
    /// The soft limit of descriptors that jobs get, where it isn't ours.
    pub(crate) descriptor_limit: Option<u64>,
    /// From this number on descriptors are the caller's own, as long as another job runs.
    pub(crate) ceiling: RawFd,
    pub(crate) orphan: Orphan,
    /// `/dev/null`, from the first need on.
    nothing: OnceLock<OwnedFd>,
}

/// A process that runs, and our ends of its pipes.
pub(crate) struct Spawned {
    /// When this try began, by both clocks: what earlier ones waited for room is not the job's time.
    pub(crate) began: (SystemTime, Instant),
    pub(crate) child: Child,
    /// The most memory that this program had held by then, which the kernel counts for the child too.
    pub(crate) own_peak: PeakMemory,
    pub(crate) stdout: Stream,
    pub(crate) stderr: Stream,
}

/// As long as no more processes run than this, their descriptors are few enough to be copied by each start: 36, and some of
/// the program's own. Those of all others are kept out of the way.
const FEW: usize = 12;

/// What a job gets in the place of one of the three standard descriptors.
enum Given<'a> {
    /// The caller's own.
    Inherited,
    Shared(BorrowedFd<'a>),
    Owned(OwnedFd),
}

impl Given<'_> {
    fn as_fd(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Given::Inherited => None,
            Given::Shared(fd) => Some(*fd),
            Given::Owned(fd) => Some(fd.as_fd()),
        }
    }
}

impl Starter {
    pub(crate) fn new(spool: SpoolFiles) -> Starter {
        Starter {
            spool,
            roster: Arc::default(),
            programs: Programs::default(),
            inherited: Inherited::take(),
            descriptor_limit: None,
            ceiling: RawFd::MAX,
            orphan: Orphan::Ends,
            nothing: OnceLock::new(),
        }
    }

    /// Starts the command in a session and process group of its own, where `others` run beside it.
    pub(crate) fn start(
        &self,
        command: &Command,
        context: &Context,
        others: Others,
    ) -> Result<Spawned, NotStarted> {
        let program = self.resolve(command)?;
        let stdin = self.open_input(command.standard_input())?;
        let (stdout, our_stdout) = self.open_output(command.output())?;
        let (stderr, our_stderr) = self.open_output(command.output())?;
        let are_few = self.roster.count() < FEW;
        if others == Others::Run {
            self.leave_the_callers_own([&stdout, &stderr].map(Given::as_fd))?;
        }
        let keep = |fd| if are_few { fd } else { sys::out_of_the_way(fd, self.ceiling) };
        let (our_stdout, our_stderr) = (our_stdout.map(keep), our_stderr.map(keep));
        let began = (SystemTime::now(), Instant::now());
        let pass = self.roster.starts.pass(context.brake()).ok_or(NotStarted::NeverReached)?;
        let process = self.launch(command, &program, [&stdin, &stdout, &stderr].map(Given::as_fd))?;
        let own_peak = sys::own_peak_memory();
        drop((stdin, stdout, stderr));
        let (stdout, stderr) = (
            self.stream(our_stdout, context, Source::Stdout),
            self.stream(our_stderr, context, Source::Stderr),
        );
        let entry = Entry::new(context, [stdout.output(), stderr.output()]);
        let process = if are_few { process } else { process.out_of_the_way(self.ceiling) };
        let child = Child::new(process, Arc::clone(&self.roster), entry);
        drop(pass);
        Ok(Spawned { began, child, own_peak, stdout, stderr })
    }

    /// The lowest free numbers are given out first: who has got these has used up all below.
    fn leave_the_callers_own(&self, streams: [Option<BorrowedFd<'_>>; 2]) -> Result<(), SpawnError> {
        // What tells the process's end comes after them.
        let highest = streams.into_iter().flatten().map(|fd| fd.as_raw_fd()).max().map_or(0, |fd| fd + 1);
        if highest < self.ceiling {
            return Ok(());
        }
        let none_left = io::Error::from_raw_os_error(libc::EMFILE);
        Err(machine(Failure::of("pipe2")(none_left)))
    }

    fn launch(
        &self,
        command: &Command,
        program: &Path,
        streams: [Option<BorrowedFd<'_>>; 3],
    ) -> Result<sys::Process, SpawnError> {
        let failed = |error| diagnose(command, program, error);
        let own = Own::of(command.environment()).map_err(failed)?;
        let path = |path: &Path| c_string(path.as_os_str().to_owned());
        let directory = command.working_directory().map(path).transpose().map_err(failed)?;
        let image = Image {
            program: &path(program).map_err(failed)?,
            arguments: &argument_list(command).map_err(failed)?,
            environment: &self.inherited.changed_by(&own),
            directory: directory.as_deref(),
            streams,
            descriptor_limit: self.descriptor_limit,
            orphan: self.orphan,
        };
        sys::start(&image).map_err(|failure| {
            self.programs.forget(command.program());
            if is_about_the_command(&failure) { failed(failure.source) } else { machine(failure) }
        })
    }

    /// A job that has a PATH of its own is looked up there. One that has none is looked up in ours: the
    /// environment is about what the job sees, not about what it is.
    fn resolve(&self, command: &Command) -> Result<Arc<Path>, SpawnError> {
        let job_path = command.environment().own_value("PATH".as_ref());
        self.programs.find(command.program(), job_path).map_err(|source| SpawnError {
            subject: Subject::Program(command.program().to_owned()),
            source,
        })
    }

    fn open_input(&self, input: &Stdin) -> Result<Given<'_>, SpawnError> {
        match input {
            Stdin::Nothing => self.nothing(),
            // A file in memory and no pipe: nobody has to feed it, a job that doesn't read it breaks nothing,
            // and no SIGPIPE can hit a caller who left that at its default.
            Stdin::Bytes(bytes) => given(sys::memory_file(bytes).map_err(machine)?.into())
                .map_err(|error| machine(Failure::of("dup")(error))),
            Stdin::File(path) => open_file(path)
                .and_then(|file| given(file.into()))
                .map_err(|source| SpawnError { subject: Subject::Stdin(path.clone()), source }),
        }
    }

    /// What the job gets, and our end of it where there is one.
    fn open_output(&self, capture: Capture) -> Result<(Given<'_>, Option<OwnedFd>), SpawnError> {
        match capture {
            Capture::Spool => {
                let (ours, theirs) = sys::pipe().map_err(machine)?;
                let theirs = given(theirs).map_err(|error| machine(Failure::of("dup")(error)))?;
                Ok((theirs, Some(ours)))
            }
            Capture::Inherit => Ok((Given::Inherited, None)),
            Capture::Discard => Ok((self.nothing()?, None)),
        }
    }

    fn nothing(&self) -> Result<Given<'_>, SpawnError> {
        let nothing = match self.nothing.get() {
            Some(nothing) => nothing,
            None => {
                let opened = OpenOptions::new().read(true).write(true).open("/dev/null");
                let opened = opened.and_then(|null| sys::above_standard(null.into()));
                let opened = opened.map_err(|source| {
                    let subject = if sys::is_shortage(&source) { Subject::Machine } else { Subject::Null };
                    SpawnError { subject, source }
                })?;
                self.nothing.get_or_init(|| opened)
            }
        };
        Ok(Given::Shared(nothing.as_fd()))
    }

    fn stream(&self, pipe: Option<OwnedFd>, context: &Context, source: Source) -> Stream {
        let spool = Spool::in_file(self.spool.of(context.slot().get() - 1));
        Stream::new(pipe, spool, context.teller(source))
    }
}

fn given(fd: OwnedFd) -> io::Result<Given<'static>> {
    Ok(Given::Owned(sys::above_standard(fd)?))
}

/// `argv`: its first word is the program as it was asked for, not as it was found.
pub(crate) fn argument_list(command: &Command) -> io::Result<Vec<CString>> {
    let program: &OsStr = command.program();
    let arguments = command.arguments().iter().map(OsString::as_os_str);
    [program].into_iter().chain(arguments).map(|word| c_string(word.to_owned())).collect()
}

/// Opening a named pipe waits for its writer, where no timeout and no stop would reach the job.
fn open_file(path: &Path) -> io::Result<File> {
    if fs::metadata(path)?.file_type().is_fifo() {
        let reason = "a named pipe can't be a job's standard input: let the job's command open it";
        return Err(io::Error::new(io::ErrorKind::Unsupported, reason));
    }
    File::open(path)
}

/// What a call failed for that any command's start needs.
fn machine(failure: Failure) -> SpawnError {
    let Failure { call, source } = failure;
    let subject = if sys::is_shortage(&source) { Subject::Machine } else { Subject::Call(call.into()) };
    SpawnError { subject, source }
}

/// Whether a start has failed at what the command says. `posix_spawn(3)` doesn't tell at which of its calls it was; what
/// only a fence or an older kernel says can't be about the command.
fn is_about_the_command(failure: &Failure) -> bool {
    match failure.call {
        "chdir" | "execve" => true,
        "posix_spawn" => !matches!(
            failure.source.raw_os_error(),
            Some(libc::ENOSYS | libc::EPERM | libc::EINVAL | libc::EBADF)
        ),
        _ => false,
    }
}

/// Finds out what an error of a start is about. execve(2) and chdir(2) both say "no such file" of three
/// different things: the program, the interpreter that a script names, the directory to run in.
fn diagnose(command: &Command, program: &Path, source: io::Error) -> SpawnError {
    let subject = if sys::is_shortage(&source) {
        Subject::Machine
    } else {
        missing_directory(command)
            .or_else(|| missing_interpreter(command, program, &source))
            .unwrap_or_else(|| Subject::Program(command.program().to_owned()))
    };
    SpawnError { subject, source }
}

fn missing_directory(command: &Command) -> Option<Subject> {
    let directory = command.working_directory()?;
    // To enter a directory is to execute it; it need not be readable.
    let entered = sys::may_execute(&directory.join("."));
    (!entered).then(|| Subject::Directory(directory.to_owned()))
}

fn missing_interpreter(command: &Command, program: &Path, source: &io::Error) -> Option<Subject> {
    if source.kind() != io::ErrorKind::NotFound {
        return None;
    }
    let script = match command.working_directory() {
        Some(directory) => directory.join(program),
        None => program.to_owned(),
    };
    // execve(2) reads no further than this either.
    let mut first = Vec::new();
    File::open(&script).ok()?.take(256).read_to_end(&mut first).ok()?;
    let line = first.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let name = line.trim_ascii().split(u8::is_ascii_whitespace).next()?;
    Some(Subject::Interpreter { script, interpreter: OsString::from_vec(name.to_vec()) })
}
