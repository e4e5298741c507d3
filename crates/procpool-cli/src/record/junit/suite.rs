//! All test cases of a report, and the XML around them.

use std::fs::File;
use std::io::{self, BufWriter, Seek, Write};
use std::time::{Duration, SystemTime};

use quick_xml::Writer;
use quick_xml::events::Event::{self, Decl, End, Start, Text};
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText};

use crate::record::junit::case::{Case, NAME, Verdict, unread};
use crate::run::tally::UnreadInput;
use procpool_journal::format::attempt::{seconds, time};

/// The cases are in a file of their own, because the report has their counts before them.
pub(crate) struct Suite {
    cases: Writer<BufWriter<File>>,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    tests: u64,
    failures: u64,
    errors: u64,
    skipped: u64,
}

impl Suite {
    /// `cases` is an empty file that nothing else uses.
    pub(crate) fn new(cases: File) -> Suite {
        Suite {
            cases: Writer::new(BufWriter::new(cases)),
            counts: Counts::default(),
        }
    }

    pub(crate) fn add(&mut self, case: &Case) -> io::Result<()> {
        self.counts.count(case.verdict());
        case.write(&mut self.cases)?;
        self.cases.write_event(newline())
    }

    /// Adds the jobs that have not run and were not [added](Suite::add): they were never read. `unrun` counts
    /// all jobs that have not run.
    pub(crate) fn add_unread(&mut self, unrun: u64, rest: UnreadInput) -> io::Result<()> {
        let jobs = unrun.saturating_sub(self.counts.skipped);
        self.counts.tests += jobs;
        self.counts.skipped += jobs;
        let Some(name) = unread(jobs, rest) else { return Ok(()) };
        Case::skipped(name).write(&mut self.cases)?;
        self.cases.write_event(newline())
    }

    /// Writes the whole report of a run that began at `begun` and took `elapsed`.
    pub(crate) fn write(
        &mut self,
        writer: impl Write,
        begun: SystemTime,
        elapsed: Duration,
    ) -> io::Result<()> {
        let mut cases: &File = {
            let buffered = self.cases.get_mut();
            buffered.flush()?;
            buffered.get_ref()
        };
        cases.rewind()?;
        let mut writer = Writer::new(writer);
        let mut suite = self.counts.head("testsuite", elapsed);
        suite.push_attribute(("timestamp", time(begun).as_str()));
        for event in [
            Decl(BytesDecl::new("1.0", Some("UTF-8"), None)),
            newline(),
            Start(self.counts.head("testsuites", elapsed)),
            newline(),
            Start(suite),
            newline(),
        ] {
            writer.write_event(event)?;
        }
        // Copied unchanged: this is XML already.
        io::copy(&mut cases, writer.get_mut())?;
        for event in [End(BytesEnd::new("testsuite")), newline(), End(BytesEnd::new("testsuites")), newline()]
        {
            writer.write_event(event)?;
        }
        Ok(())
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

    fn head(&self, element: &'static str, elapsed: Duration) -> BytesStart<'static> {
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
        head.push_attribute(("time", seconds(elapsed).as_str()));
        head
    }
}

fn newline() -> Event<'static> {
    Text(BytesText::new("\n"))
}
