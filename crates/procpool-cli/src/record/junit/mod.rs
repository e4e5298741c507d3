//! A report in JUnit's XML, as Jenkins and GitLab read it: a test case per job.

pub(crate) mod case;
pub(crate) mod suite;

use std::collections::HashMap;
use std::fs::{self, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, ensure};
use procpool_core::{Completion, Retried};

use crate::job::work::Work;
use crate::record::junit::case::{Case, Try};
use crate::record::junit::suite::Suite;
use crate::run::sink::{Sink, Totals, Trouble};
use crate::terminal::blocking::BlockingWriter;
use crate::terminal::heartbeat::Heartbeat;
use procpool_journal::os::ownership;

/// Cases are written to an unnamed file as jobs end, because the report has their counts before them. At the
/// end everything is written to a temporary file beside the report, which then takes the report's name.
pub(crate) struct Junit {
    path: PathBuf,
    suite: Suite,
    /// The attempts so far of jobs that wait for another one, by number.
    earlier: HashMap<u64, Vec<Try>>,
    begun: SystemTime,
    heartbeat: Heartbeat,
}

impl Junit {
    /// # Errors
    /// If no file can be created beside the report, or if its path is not that of a file.
    pub(crate) fn open(path: &Path, heartbeat: &Heartbeat) -> anyhow::Result<Junit> {
        let unusable = || format!("--junit {path:?}: can't be written there, name a file that can");
        ownership::refuse_link(path).with_context(unusable)?;
        let real = real_path(path).with_context(unusable)?;
        let is_file = fs::metadata(&real).map_or(true, |metadata| metadata.is_file());
        ensure!(is_file, "--junit {path:?}: is no file that could be replaced, name another");
        let cases = tempfile::tempfile_in(folder_of(&real)).with_context(unusable)?;
        Ok(Junit {
            path: real,
            suite: Suite::new(cases),
            earlier: HashMap::new(),
            begun: SystemTime::now(),
            heartbeat: heartbeat.clone(),
        })
    }

    fn write_report(&mut self, totals: &Totals) -> io::Result<()> {
        let report = tempfile::Builder::new()
            .prefix(".procpool-")
            // Minus the umask: others are meant to read it.
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(folder_of(&self.path))?;
        let mut writer = BufWriter::new(BlockingWriter::new(report.as_file(), &self.heartbeat));
        self.suite.write(&mut writer, self.begun, totals.elapsed)?;
        writer.flush()?;
        drop(writer);
        report.persist(&self.path)?;
        Ok(())
    }

    fn trouble(&self, error: io::Error) -> Trouble {
        Trouble::recording(&format!("{:?}", self.path), error)
    }
}

impl Sink for Junit {
    fn retried(&mut self, retried: &Retried) -> Result<(), Trouble> {
        let tried = Try::of(&retried.outcome).on(retried.node.as_deref());
        self.earlier.entry(retried.seq.get()).or_default().push(tried);
        Ok(())
    }

    fn completed(&mut self, completion: &mut Completion<Work>) -> Result<(), Trouble> {
        let mut earlier = self.earlier.remove(&completion.seq.get()).unwrap_or_default();
        // If the next attempt never started, the last one is among them.
        earlier.truncate(completion.attempt as usize - 1);
        let case = Case::new(completion, earlier);
        self.suite.add(&case).map_err(|error| self.trouble(error))
    }

    fn recorded(&mut self, completion: &mut Completion<Work>) -> Result<(), Trouble> {
        self.completed(completion)
    }

    fn finish(&mut self, totals: &Totals) -> Result<(), Trouble> {
        self.suite
            .add_unread(totals.unrun, totals.unread)
            .and_then(|()| self.write_report(totals))
            .map_err(|error| self.trouble(error))
    }
}

/// The path without links; the same path if there is no such file.
fn real_path(path: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(path.to_owned()),
        result => result,
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
