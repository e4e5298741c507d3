//! Starts the process of a command: opens its streams, prepares the arguments of execve(2), and lists the child.

use std::ffi::{CStr, CString, OsStr, OsString};
use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Instant, SystemTime};

use crate::data::command::{Capture, Command, Stdin};
use crate::data::status::PeakMemory;
use crate::outcome::{NotStarted, SpawnError, Subject};
use crate::process::child::Child;
use crate::process::explain::{explain, machine, of_program};
use crate::process::inherited::{Inherited, ProgramCache, c_string};
use crate::process::retry::OtherJobs;
use crate::process::roster::{Roster, RosterEntry};
use crate::process::stream::Stream;
use crate::runner::Context;
use crate::spool::live::Source;
use crate::spool::{Spool, SpoolFiles};
use crate::sys::{
    self, ExecProgress, ExecSpec, Failure, OnParentDeath, PendingExec, Program, StartedProcess,
};

/// Starts processes, and holds what all starts of a runner share.
pub(crate) struct Starter {
    pub(crate) spool: SpoolFiles,
    pub(crate) roster: Arc<Roster>,
    programs: ProgramCache,
    inherited: Inherited,
    /// The jobs' soft limit of descriptors; `None` is the caller's.
    pub(crate) descriptor_limit: Option<u64>,
    /// Descriptors from this number on are reserved for the caller while another job runs.
    pub(crate) ceiling: RawFd,
    pub(crate) on_parent_death: OnParentDeath,
    /// `/dev/null`, opened when it is first needed.
    dev_null: OnceLock<OwnedFd>,
}

/// A running process, and our ends of its pipes.
pub(crate) struct Spawned {
    /// When this attempt to start began, by both clocks: time spent waiting for room doesn't count for the job.
    pub(crate) began: (SystemTime, Instant),
    pub(crate) child: Child,
    /// `None` once it has executed its program.
    pub(crate) pending_exec: Option<PendingExec>,
    /// This program's peak memory by then, which the kernel counts for the child too.
    pub(crate) own_peak: PeakMemory,
    pub(crate) stdout: Stream,
    pub(crate) stderr: Stream,
}

/// With no more running processes than this, their descriptors are few enough to be copied by each start: 36, and
/// some of the program's own. Descriptors of further processes are moved to high numbers.
const FEW: usize = 12;

/// What a job gets as one of its three standard descriptors.
enum StdioSource<'a> {
    /// The caller's own.
    Inherited,
    Shared(BorrowedFd<'a>),
    Owned(OwnedFd),
}

impl StdioSource<'_> {
    fn as_fd(&self) -> Option<BorrowedFd<'_>> {
        match self {
            StdioSource::Inherited => None,
            StdioSource::Shared(fd) => Some(*fd),
            StdioSource::Owned(fd) => Some(fd.as_fd()),
        }
    }
}

impl Starter {
    pub(crate) fn new(spool: SpoolFiles) -> Starter {
        Starter {
            spool,
            roster: Arc::default(),
            programs: ProgramCache::default(),
            inherited: Inherited::take(),
            descriptor_limit: None,
            ceiling: RawFd::MAX,
            on_parent_death: OnParentDeath::Die,
            dev_null: OnceLock::new(),
        }
    }

    /// Starts the command in a session and process group of its own. `others` says whether jobs run beside it. If loading the
    /// program takes long, this returns before the process has executed it.
    pub(crate) fn start(
        &self,
        command: &Command,
        context: &Context,
        others: OtherJobs,
    ) -> Result<Spawned, NotStarted> {
        let image = self.exec_spec(command)?;
        let is_sought = own_path(command).is_none() && matches!(image.program, Program::FirstOf(_));
        let stdin = self.open_input(command.standard_input())?;
        let (stdout, our_stdout) = self.open_output(command.output())?;
        let (stderr, our_stderr) = self.open_output(command.output())?;
        let are_few = self.roster.count() < FEW;
        if others == OtherJobs::Running {
            self.check_reserve([&stdout, &stderr].map(StdioSource::as_fd))?;
        }
        let keep = |fd| if are_few { fd } else { sys::out_of_the_way(fd, self.ceiling) };
        let (our_stdout, our_stderr) = (our_stdout.map(keep), our_stderr.map(keep));
        let began = (SystemTime::now(), Instant::now());
        let pass = self.roster.starts.pass(context.halt_signal()).ok_or(NotStarted::NeverReached)?;
        let StartedProcess { process, pending_exec } =
            sys::start(image, [&stdin, &stdout, &stderr].map(StdioSource::as_fd)).map_err(|failure| {
                self.explain(command, self.locate(command, &failure).as_deref(), failure)
            })?;
        let own_peak = sys::own_peak_memory();
        drop((stdin, stdout, stderr));
        let (stdout, stderr) = (
            self.stream(our_stdout, context, Source::Stdout),
            self.stream(our_stderr, context, Source::Stderr),
        );
        let entry = RosterEntry::new(context, [stdout.output(), stderr.output()]);
        let process = if are_few { process } else { process.out_of_the_way(self.ceiling) };
        let child = Child::new(process, Arc::clone(&self.roster), entry);
        drop(pass);
        let pending_exec = match pending_exec.progress() {
            ExecProgress::Pending => Some(pending_exec),
            ExecProgress::Done => {
                if let (true, Some(path)) = (is_sought, pending_exec.program()) {
                    self.programs.remember(command.program(), path);
                }
                None
            }
            ExecProgress::Failed(failure) => {
                // It has ended.
                let _ = child.reap();
                return Err(self.explain(command, pending_exec.program(), failure).into());
            }
        };
        Ok(Spawned { began, child, pending_exec, own_peak, stdout, stderr })
    }

    /// Fails if the new descriptors include the caller's reserve. Low numbers are given out first, so whoever gets these
    /// has used up all below.
    fn check_reserve(&self, streams: [Option<BorrowedFd<'_>>; 2]) -> Result<(), SpawnError> {
        // The descriptor for the process's end comes after them.
        let highest = streams.into_iter().flatten().map(|fd| fd.as_raw_fd()).max().map_or(0, |fd| fd + 1);
        if highest < self.ceiling {
            return Ok(());
        }
        let none_left = io::Error::from_raw_os_error(libc::EMFILE);
        Err(machine(Failure::of("pipe2")(none_left)))
    }

    /// # Errors
    /// If a string contains a NUL byte.
    fn exec_spec(&self, command: &Command) -> Result<ExecSpec, SpawnError> {
        let of_program = |source| of_program(command, source);
        let path = |path: &Path, subject: fn(PathBuf) -> Subject| {
            let owned = c_string(path.as_os_str().to_owned());
            owned.map_err(|source| SpawnError { subject: subject(path.to_owned()), source })
        };
        let input = match command.standard_input() {
            Stdin::File(file) => Some(path(file, Subject::Stdin)?),
            Stdin::Nothing | Stdin::Bytes(_) => None,
        };
        let directory = command.working_directory();
        Ok(ExecSpec {
            program: self.programs.find(command.program(), own_path(command)).map_err(of_program)?,
            arguments: argument_list(command).map_err(of_program)?,
            environment: self.inherited.changed_by(command.environment()).map_err(of_program)?,
            directory: directory.map(|directory| path(directory, Subject::Directory)).transpose()?,
            input,
            descriptor_limit: self.descriptor_limit,
            on_parent_death: self.on_parent_death,
        })
    }

    /// The path of the program, for `posix_spawn(3)`, which doesn't report it.
    fn locate(&self, command: &Command, failure: &Failure) -> Option<CString> {
        if failure.call != "posix_spawn" {
            return None;
        }
        let program = self.programs.find(command.program(), own_path(command)).ok()?;
        program.path(program.seek().ok()?).map(CStr::to_owned)
    }

    /// Explains a failed start. `program` is the path of the program, if it was found.
    pub(crate) fn explain(&self, command: &Command, program: Option<&CStr>, failure: Failure) -> SpawnError {
        self.programs.forget(command.program());
        explain(command, program, failure)
    }

    fn open_input(&self, input: &Stdin) -> Result<StdioSource<'_>, SpawnError> {
        match input {
            Stdin::Nothing => self.dev_null(),
            // A file in memory instead of a pipe: nobody has to feed it, a job that doesn't read it breaks nothing, and
            // no SIGPIPE can hit a caller that left SIGPIPE at its default action.
            Stdin::Bytes(bytes) => owned(sys::memory_file(bytes).map_err(machine)?.into())
                .map_err(|error| machine(Failure::of("dup")(error))),
            // The job opens it itself: that may take as long as a file server likes.
            Stdin::File(_) => Ok(StdioSource::Inherited),
        }
    }

    /// Opens what the job gets, and our end of it if there is one.
    fn open_output(&self, capture: Capture) -> Result<(StdioSource<'_>, Option<OwnedFd>), SpawnError> {
        match capture {
            Capture::Spool => {
                let (ours, theirs) = sys::pipe().map_err(machine)?;
                let theirs = owned(theirs).map_err(|error| machine(Failure::of("dup")(error)))?;
                Ok((theirs, Some(ours)))
            }
            Capture::Inherit => Ok((StdioSource::Inherited, None)),
            Capture::Discard => Ok((self.dev_null()?, None)),
        }
    }

    fn dev_null(&self) -> Result<StdioSource<'_>, SpawnError> {
        let nothing = match self.dev_null.get() {
            Some(nothing) => nothing,
            None => {
                let opened = OpenOptions::new().read(true).write(true).open("/dev/null");
                let opened = opened.and_then(|null| sys::above_standard(null.into()));
                let opened = opened.map_err(|source| {
                    let subject = if sys::is_shortage(&source) { Subject::Machine } else { Subject::Null };
                    SpawnError { subject, source }
                })?;
                self.dev_null.get_or_init(|| opened)
            }
        };
        Ok(StdioSource::Shared(nothing.as_fd()))
    }

    fn stream(&self, pipe: Option<OwnedFd>, context: &Context, source: Source) -> Stream {
        let spool = Spool::in_file(self.spool.of(context.slot().get() - 1));
        Stream::new(pipe, spool, context.notifier(source))
    }
}

fn owned(fd: OwnedFd) -> io::Result<StdioSource<'static>> {
    Ok(StdioSource::Owned(sys::above_standard(fd)?))
}

/// The `argv`. Its first string is the program as it was given, not the path at which it was found.
pub(crate) fn argument_list(command: &Command) -> io::Result<Vec<CString>> {
    let program: &OsStr = command.program();
    let arguments = command.arguments().iter().map(OsString::as_os_str);
    [program].into_iter().chain(arguments).map(|word| c_string(word.to_owned())).collect()
}

/// The job's own PATH, if it sets one; otherwise ours is searched, even if the job's environment has no PATH. The environment
/// determines what the job sees, not which program it is.
fn own_path(command: &Command) -> Option<&OsStr> {
    command.environment().own_value("PATH".as_ref())
}
