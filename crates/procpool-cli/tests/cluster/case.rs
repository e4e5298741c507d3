//! The folder of one test case: procpool runs in it, and the jobs leave their stamps in it. Also the case's
//! cluster.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::{env, fs};

use serde_json::Value;

use crate::cluster::{Cluster, Which};
use crate::outcomes::Outcomes;
use crate::running::{Ended, Running};
use crate::wait_for;

const PROCPOOL: &str = env!("CARGO_BIN_EXE_procpool");

/// Makes most jobs stamp their starts: the key and the node.
const STAMP: &str = r#"echo "$1 ${SLURMD_NODENAME:-here}" >> starts"#;

/// The folder of one case, and its cluster.
pub(crate) struct Case {
    folder: tempfile::TempDir,
    pub(crate) cluster: Cluster,
}

impl Case {
    pub(crate) fn new(cluster: Cluster) -> Case {
        Case { folder: tempfile::tempdir().unwrap(), cluster }
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap_or_default()
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.file(name), bytes).unwrap();
    }

    /// Writes the script that `sh job {}` runs.
    pub(crate) fn job(&self, script: &str) {
        self.write("job", format!("{STAMP}\n{script}\n"));
    }

    /// `procpool` with these words, separated by spaces.
    pub(crate) fn procpool(&self, words: &str) -> Command {
        let mut command = Command::new(PROCPOOL);
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PROCPOOL_")) {
            command.env_remove(name);
        }
        command.args(words.split_whitespace()).current_dir(self.folder.path());
        command.env("SLURM_CONF", &self.cluster.configuration).env("LC_ALL", "C").env("TERM", "dumb");
        command.stdout(Stdio::piped());
        command
    }

    /// Starts `procpool` with these words and this standard input.
    pub(crate) fn start(&self, words: &str, input: &str) -> Running {
        Running::start(&mut self.procpool(words), input.as_bytes())
    }

    /// Starts it and waits for its end.
    #[track_caller]
    pub(crate) fn end(&self, words: &str, input: &str) -> Ended {
        self.start(words, input).end()
    }

    /// The outcomes of a journal's jobs.
    #[track_caller]
    pub(crate) fn outcomes(&self, journal: &str) -> Outcomes {
        Outcomes::read(self.end(&format!("export {journal} --format jsonl"), "").exited(0).text())
    }

    /// The starts so far.
    pub(crate) fn starts(&self) -> Vec<Start> {
        let text = self.read("starts");
        // The last line may be incomplete.
        text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')).map(Start::read).collect()
    }

    /// The attempts that slices have recorded so far.
    pub(crate) fn recorded(&self, journal: &str) -> Vec<Value> {
        let files = fs::read_dir(self.file(journal)).into_iter().flatten().flatten();
        let of_slices = files.filter(|file| file.file_name().to_string_lossy().starts_with("journal-"));
        let texts = of_slices.map(|file| fs::read_to_string(file.path()).unwrap());
        let records = texts.flat_map(|text| {
            // An incomplete line is still being written.
            text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).collect::<Vec<_>>()
        });
        records.filter(|record| record["record"] == "attempt").collect()
    }

    #[track_caller]
    pub(crate) fn wait_for_records(&self, journal: &str, count: usize) {
        wait_for(&format!("{count} records"), || self.recorded(journal).len() >= count);
    }

    #[track_caller]
    pub(crate) fn wait_for_starts(&self, count: usize) {
        wait_for(&format!("{count} starts"), || self.starts().len() >= count);
    }

    /// The records of one kind in a journal's main file.
    pub(crate) fn records(&self, journal: &str, kind: &str) -> Vec<Value> {
        let text = self.read(&format!("{journal}/journal.jsonl"));
        let records = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        records.filter(|record| record["record"] == kind).collect()
    }

    /// The names of the files in a folder that begin with this.
    pub(crate) fn files(&self, folder: &str, beginning: &str) -> Vec<String> {
        let all = fs::read_dir(self.file(folder)).into_iter().flatten().flatten();
        let names = all.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.filter(|name| name.starts_with(beginning)).collect()
    }

    /// The arrays of this case.
    pub(crate) fn arrays(&self, which: Which) -> BTreeSet<String> {
        self.cluster.arrays(which, self.folder.path())
    }
}

impl Drop for Case {
    fn drop(&mut self) {
        // A case that failed may have left jobs in the queue, which would block the next case.
        if std::thread::panicking() {
            let arrays = self.arrays(Which::Queued).into_iter().collect::<Vec<_>>();
            if !arrays.is_empty() {
                self.cluster.ask(&format!("scancel {}", arrays.join(" ")));
            }
        }
    }
}

/// The stamp of a job's start.
pub(crate) struct Start {
    pub(crate) key: String,
    pub(crate) node: String,
}

impl Start {
    #[track_caller]
    fn read(line: &str) -> Start {
        let (key, node) = line.split_once(' ').unwrap_or_else(|| panic!("no stamp: {line:?}"));
        Start { key: key.to_owned(), node: node.to_owned() }
    }
}

/// The numbers from 1 on, one on each line.
pub(crate) fn numbers(count: usize) -> String {
    (1..=count).map(|number| number.to_string() + "\n").collect()
}

/// The output of jobs that have these numbers as keys and print `this is` and their key.
pub(crate) fn printed(count: usize) -> String {
    numbers(count).lines().flat_map(|number| ["this is ", number, "\n"]).collect()
}
