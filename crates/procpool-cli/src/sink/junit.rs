//! A report in the XML of JUnit, as Jenkins and GitLab read it: a test case a job.
//! Knows nothing of what else is recorded.

mod case;

use std::collections::HashMap;
use std::fs::{self, File, Permissions};
use std::io::{self, BufWriter, Seek, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, ensure};
use procpool_core::{Completion, Retried};
use quick_xml::Writer;
use quick_xml::events::Event::{self, Decl, End, Start, Text};
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText};

use crate::patient::Patient;
use crate::pulse::Pulse;
use crate::sink::junit::case::{Case, NAME, Try, Verdict, unread};
use crate::sink::report::time;
use crate::sink::{Sink, Totals, Trouble};
use crate::work::Work;

/// The cases go to a file without a name as jobs end, for the counts stand before them. At the end all goes to a
/// temporary file beside the report, which then takes its name.
pub(crate) struct Junit {
    path: PathBuf,
    cases: Writer<BufWriter<File>>,
    /// The attempts so far of jobs that wait for another one, by their numbers.
    earlier: HashMap<u64, Vec<Try>>,
    counts: Counts,
    begun: SystemTime,
    pulse: Pulse,
}

#[derive(Default)]
struct Counts {
    tests: u64,
    failures: u64,
    errors: u64,
    skipped: u64,
}

impl Junit {
    /// # Errors
    /// Where no file can be made beside the report, or something else than a file has its name.
    pub(crate) fn open(path: &Path, pulse: &Pulse) -> anyhow::Result<Junit> {
        let unusable = || format!("--junit {path:?}: can't be written there, name a file that can");
        let real = real_path(path).with_context(unusable)?;
        let is_file = fs::metadata(&real).map_or(true, |metadata| metadata.is_file());
        ensure!(is_file, "--junit {path:?}: is no file that could be replaced, name another");
        let cases = tempfile::tempfile_in(folder_of(&real)).with_context(unusable)?;
        Ok(Junit {
            path: real,
            cases: Writer::new(BufWriter::new(cases)),
            earlier: HashMap::new(),
            counts: Counts::default(),
            begun: SystemTime::now(),
            pulse: pulse.clone(),
        })
    }

    /// Those that were not read when the run was over.
    fn write_unread(&mut self, totals: &Totals) -> io::Result<()> {
        let jobs = totals.unrun.saturating_sub(self.counts.skipped);
        self.counts.tests += jobs;
        self.counts.skipped += jobs;
        let Some(name) = unread(jobs, totals.rest) else { return Ok(()) };
        Case::skipped(name).write(&mut self.cases)?;
        self.cases.write_event(newline())
    }

    fn write_report(&mut self, totals: &Totals) -> io::Result<()> {
        let mut cases: &File = {
            let buffered = self.cases.get_mut();
            buffered.flush()?;
            buffered.get_ref()
        };
        cases.rewind()?;
        let report = tempfile::Builder::new()
            .prefix(".procpool-")
            // Less the umask: it is made for others to read.
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(folder_of(&self.path))?;
        let mut writer = Writer::new(BufWriter::new(Patient::new(report.as_file(), &self.pulse)));
        let mut suite = self.counts.head("testsuite", totals);
        suite.push_attribute(("timestamp", time(self.begun).as_str()));
        for event in [
            Decl(BytesDecl::new("1.0", Some("UTF-8"), None)),
            newline(),
            Start(self.counts.head("testsuites", totals)),
            newline(),
            Start(suite),
            newline(),
        ] {
            writer.write_event(event)?;
        }
        // Written as it is: it is XML already.
        io::copy(&mut cases, writer.get_mut())?;
        for event in [End(BytesEnd::new("testsuite")), newline(), End(BytesEnd::new("testsuites")), newline()]
        {
            writer.write_event(event)?;
        }
        writer.get_mut().flush()?;
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
        self.earlier.entry(retried.seq.get()).or_default().push(Try::of(&retried.outcome));
        Ok(())
    }

    fn completed(&mut self, completion: &mut Completion<Work>) -> Result<(), Trouble> {
        let mut earlier = self.earlier.remove(&completion.seq.get()).unwrap_or_default();
        // The last one is among them where the next never came.
        earlier.truncate(completion.attempt as usize - 1);
        let case = Case::new(completion, earlier);
        self.counts.count(case.verdict());
        let written = case.write(&mut self.cases).and_then(|()| self.cases.write_event(newline()));
        written.map_err(|error| self.trouble(error))
    }

    fn finish(&mut self, totals: &Totals) -> Result<(), Trouble> {
        self.write_unread(totals)
            .and_then(|()| self.write_report(totals))
            .map_err(|error| self.trouble(error))
    }
}

impl Counts {
    fn count(&mut self, verdict: Verdict) {
        self.tests += 1;
        match verdict {
            Verdict::Success => {}
            Verdict::Failure => self.failures += 1,
            Verdict::Error => self.errors += 1,
            Verdict::Skipped => self.skipped += 1,
        }
    }

    fn head(&self, element: &'static str, totals: &Totals) -> BytesStart<'static> {
        let mut head = BytesStart::new(element);
        head.push_attribute(("name", NAME));
        let counts = [
            ("tests", self.tests),
            ("failures", self.failures),
            ("errors", self.errors),
            ("skipped", self.skipped),
        ];
        for (name, count) in counts {
            head.push_attribute((name, count.to_string().as_str()));
        }
        head.push_attribute(("time", format!("{:.3}", totals.elapsed.as_secs_f64()).as_str()));
        head
    }
}

fn newline() -> Event<'static> {
    Text(BytesText::new("\n"))
}

/// Where a link of this name leads, or would lead a new file.
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
