//! The benchmark's folder, in which all programs run, and the measurement of a run.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::bench::program::{Output, Program};
use crate::bench::proof::Stretches;
use crate::bench::record::Sample;

/// The files for the gauge's measurements and for standard error.
const REPORT: &str = "report";
const COMPLAINTS: &str = "complaints";
/// The file for standard output that is checked.
const PRINTED: &str = "printed";

pub(crate) struct BenchFolder {
    pub(crate) folder: PathBuf,
    path: OsString,
}

impl BenchFolder {
    /// Looks for programs in `directories`, in this order.
    pub(crate) fn new(folder: PathBuf, directories: &[PathBuf]) -> Result<BenchFolder> {
        let path = env::join_paths(directories).context("a directory of programs can't be in PATH")?;
        Ok(BenchFolder { folder, path })
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> Result<()> {
        fs::write(self.file(name), text).with_context(|| format!("can't write {name}"))
    }

    /// Writes a file with the numbers from 1 to `count`, one a line.
    pub(crate) fn write_numbers(&self, name: &str, count: usize) -> Result<()> {
        let lines: Vec<String> = (1..=count).map(|number| format!("{number}\n")).collect();
        self.write(name, &lines.concat())
    }

    pub(crate) fn remove(&self, name: &str) -> Result<()> {
        let path = self.file(name);
        let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        match removed {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("can't remove {name}"))
            }
            _ => Ok(()),
        }
    }

    /// Runs `program` and returns the sample; any end but success is an error.
    pub(crate) fn run(&self, program: &Program) -> Result<Sample> {
        self.run_into(program, Path::new("/dev/null")).with_context(|| format!("`{program}`"))
    }

    /// Runs `program` once and returns what it prints.
    pub(crate) fn printed(&self, program: &Program) -> Result<String> {
        let program = program.clone().writes(Output::File(PRINTED.to_owned()));
        self.run(&program)?;
        fs::read_to_string(self.file(PRINTED)).context("can't read what was printed")
    }

    /// Runs `program` once and returns the stretches of its output, which goes to a file or through `cat`.
    pub(crate) fn stretches(&self, program: &Program) -> Result<Stretches> {
        let into = match &program.output {
            Output::File(file) => self.file(file),
            Output::Nowhere | Output::Cat => self.file(PRINTED),
        };
        self.run_into(program, &into).with_context(|| format!("`{program}`"))?;
        let mut file = File::open(&into)?;
        let mut stretches = Stretches::default();
        let mut buffer = vec![0; 1 << 20];
        loop {
            match file.read(&mut buffer)? {
                0 => break,
                count => stretches.take(&buffer[..count]),
            }
        }
        fs::remove_file(&into)?;
        Ok(stretches)
    }

    /// A command with these words, for callers that need more than a sample.
    pub(crate) fn command(&self, words: &[String]) -> Result<Command> {
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).current_dir(&self.folder).env("PATH", &self.path);
        // A user's settings for procpool or GNU parallel must not change the figures.
        let set = |name: &OsString| name.to_string_lossy().starts_with("PROCPOOL_") || name == "PARALLEL";
        for (name, _) in env::vars_os().filter(|(name, _)| set(name)) {
            command.env_remove(name);
        }
        let complaints = File::create(self.file(COMPLAINTS)).context("no file for standard error")?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(complaints);
        Ok(command)
    }

    /// The end of standard error.
    pub(crate) fn last_words(&self) -> String {
        let said = fs::read(self.file(COMPLAINTS)).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        let lines: Vec<&str> = said.lines().collect();
        lines[lines.len().saturating_sub(5)..].join("\n")
    }

    /// `sink` is where `cat` writes, if the output goes through it.
    fn run_into(&self, program: &Program, sink: &Path) -> Result<Sample> {
        for made in program.makes.iter().map(String::as_str).chain([REPORT]) {
            self.remove(made)?;
        }
        let gauge = self.file("gauge").to_string_lossy().into_owned();
        let words = [&[gauge, REPORT.to_owned(), program.runs.to_string()], &*program.words].concat();
        let mut command = self.command(&words)?;
        if let Some(input) = &program.input {
            command.stdin(File::open(self.file(input)).with_context(|| format!("no file {input}"))?);
        }
        let mut cat = None;
        match &program.output {
            Output::Nowhere => {}
            Output::File(file) => {
                self.remove(file)?;
                command.stdout(File::create(self.file(file))?);
            }
            Output::Cat => {
                let (child, pipe) = self.cat(sink)?;
                command.stdout(pipe);
                cat = Some(child);
            }
        }
        let status = command.status().context("can't start the gauge")?;
        // It holds the pipe open, and `cat` waits for its end.
        drop(command);
        if let Some(mut cat) = cat {
            ensure!(cat.wait()?.success(), "`cat` failed");
        }
        ensure!(status.success(), "it could not be run: {status}\n{}", self.last_words());
        let report = fs::read_to_string(self.file(REPORT)).context("the gauge wrote no report")?;
        match read_report(&report).context("the gauge's report can't be read")? {
            (sample, 0) => Ok(sample),
            (_, status) => bail!("it failed (wait status {status:#x})\n{}", self.last_words()),
        }
    }

    fn cat(&self, sink: &Path) -> Result<(Child, Stdio)> {
        let mut command = self.command(&["cat".to_owned()])?;
        command.stdin(Stdio::piped()).stdout(File::create(sink)?);
        let mut cat = command.spawn().context("can't start `cat`")?;
        let pipe = cat.stdin.take().context("BUG: no pipe")?;
        Ok((cat, Stdio::from(pipe)))
    }
}

/// The sample, and a wait status.
fn read_report(report: &str) -> Option<(Sample, i32)> {
    let mut figures = report.split_whitespace();
    let mut next = || figures.next()?.parse::<f64>().ok();
    let sample = Sample {
        seconds: next()? / 1e9,
        processor_seconds: next()? / 1e6,
        peak_megabytes: next()? * 1024.0 / 1e6,
    };
    Some((sample, figures.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::bench::tools;

    /// A folder with the small programs.
    fn folder() -> (TempDir, BenchFolder) {
        let temporary = tempfile::tempdir().unwrap();
        tools::build(temporary.path()).unwrap();
        let directories: Vec<PathBuf> = env::split_paths(&env::var_os("PATH").unwrap()).collect();
        let folder = BenchFolder::new(temporary.path().to_path_buf(), &directories).unwrap();
        (temporary, folder)
    }

    #[test]
    fn programs_are_run_in_the_folder_and_measured() {
        let (_temporary, folder) = folder();
        let nap = folder.run(&Program::new("nap", "./nap 20").in_a_row(2)).unwrap();
        assert!(nap.seconds >= 0.04, "{nap:?}");
        assert!(nap.peak_megabytes > 0.0, "{nap:?}");

        folder.write_numbers("values", 3).unwrap();
        let sorted = Program::new("sort", "sort -r").reads("values");
        assert_eq!(folder.printed(&sorted).unwrap(), "3\n2\n1\n");
        assert_eq!(folder.printed(&Program::new("echo", "./echo a b")).unwrap(), "a b\n");
        let mut counted: Vec<String> = {
            let printed = folder.printed(&Program::new("limit", "./limit 3 2 ./echo x")).unwrap();
            printed.lines().map(str::to_owned).collect()
        };
        counted.sort();
        assert_eq!(counted, ["x 1", "x 2", "x 3"]);
    }

    #[test]
    fn all_of_an_output_comes_through_a_pipe_and_into_a_file() {
        let (_temporary, folder) = folder();
        for output in [Output::Cat, Output::File("out".to_owned())] {
            let program = Program::of_shell("sh", "./writer 70000 a; ./writer 70000 b").writes(output);
            folder.stretches(&program).unwrap().judge("ab", 70_000).unwrap();
        }
    }

    #[test]
    fn a_program_that_fails_is_an_error_with_its_last_words() {
        let (_temporary, folder) = folder();
        let error = folder.run(&Program::of_shell("sh", "echo no room >&2; exit 3")).unwrap_err();
        let error = format!("{error:#}");
        assert!(error.contains("no room"), "{error}");
        assert!(error.contains("0x300"), "{error}");
        let error = folder.run(&Program::new("limit", "./limit 2 1 ./no-such-program")).unwrap_err();
        assert!(format!("{error:#}").contains("./no-such-program"), "{error:#}");
        assert!(folder.run(&Program::new("nobody", "no-such-program")).is_err());
    }

    #[test]
    fn a_report_has_a_sample_and_a_status() {
        let (sample, status) = read_report("1500000000 250000 1000 256\n").unwrap();
        let expected = Sample { seconds: 1.5, processor_seconds: 0.25, peak_megabytes: 1.024 };
        assert_eq!((sample, status), (expected, 256));
        assert!(read_report("1 2 3\n").is_none());
        assert!(read_report("a b c d\n").is_none());
    }
}
