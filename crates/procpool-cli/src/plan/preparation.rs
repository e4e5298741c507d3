//! Prepares a recorded run in a locked folder: which list it uses, which jobs of it are run, and which
//! outputs are still to be printed. New runs and resumes have separate steps. Nothing begins here.

use std::env;
use std::ffi::OsString;
use std::io::{self, BufWriter};
use std::iter;
use std::mem;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, bail};

use crate::args::{ChangedFrom, JournalArgs, ResumeChoice, RunSource};
use crate::input::{Earlier, Input, Unread};
use crate::job::work;
use crate::journal::recorder::PrintedAgain;
use crate::journal::resume_state::ResumeState;
use crate::journal::session::{Origin, PreparedSession, this_run};
use crate::os::errors::copy_of_chain;
use crate::output::replay::{Cut, Replay};
use crate::plan::recorded_by::RecordedBy;
use crate::terminal::screen;
use procpool_journal::files::created_files::CreatedFiles;
use procpool_journal::files::file::JournalFile;
use procpool_journal::files::folder::{self, Folder};
use procpool_journal::files::inputs::Inputs;
use procpool_journal::files::run_lock::{Leaks, RunLock};
use procpool_journal::format::codec::{Defaults, JobCodec, Keep};
use procpool_journal::format::positions::Positions;
use procpool_journal::format::record::Run;
use procpool_journal::format::text::Text;
use procpool_journal::read::history::{Past, PastRound};
use procpool_journal::resume::decision::{Counts, Resume};
use procpool_journal::resume::last_list::{LastList, Noted};
use procpool_journal::resume::resumption::{ResumePlan, ResumePlanner, Wish, reckon_stored, write_list};
use procpool_journal::write::journal_writer::Durability;
use procpool_journal::write::list_file::ListFile;
use procpool_journal::write::print_log::{PrintHistory, PrintLog};
use procpool_journal::write::stored_jobs::StoredJobs;

/// The parts of a plan that a journal determines.
pub(super) struct Journaling {
    pub(super) input: Input,
    pub(super) session: PreparedSession,
    /// Jobs whose output is printed; `None` means all.
    pub(super) prints: Option<Arc<Positions>>,
    pub(super) replay: Option<Replay>,
    pub(super) resume_state: ResumeState,
}

/// What the journal needs in addition to its own options.
pub(super) struct JournalSetup<'a> {
    pub(super) run: &'a str,
    pub(super) limit: usize,
    pub(super) defaults: Defaults,
    pub(super) keep: Keep,
    pub(super) leaks: Leaks,
    pub(super) recording: RecordedBy<'a>,
    /// The options to record.
    pub(super) options: &'a [OsString],
    pub(super) source: RunSource,
}

/// # Errors
/// If the file exists and can't be read or trusted.
fn check(file: &JournalFile) -> anyhow::Result<()> {
    match file.open() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        opened => opened.map(drop).with_context(|| format!("can't read {file:?}")),
    }
}

/// A locked folder, and what was asked for.
pub(super) struct Preparation<'a> {
    pub(super) args: &'a JournalArgs,
    pub(super) folder: Folder,
    /// Declared before `running`: drops first, so files are deleted while the lock is held.
    pub(super) claim: CreatedFiles,
    pub(super) running: RunLock,
    pub(super) given: JournalSetup<'a>,
}

impl Preparation<'_> {
    /// Prepares a run in a folder without a recorded run.
    pub(super) fn begin(mut self, input: Option<Input>) -> anyhow::Result<Journaling> {
        let Some(input) = input else {
            bail!("no run is recorded there; `procpool run --journal DIR …` begins one")
        };
        let (list, generation) = (1, 1);
        self.claim_files(generation);
        let mut input = input.with_distinct_keys();
        let printed = Arc::new(PrintLog::create(&self.folder.printed(generation), &PrintHistory::default())?);
        let run = self.run(&input, generation, list)?;
        let codec = self.codec(list, None)?;
        let listing = Arc::new(ListFile::begin(self.folder.list(list), codec, self.durability())?);
        let expected = match input.jobs.size_hint() {
            (least, most) if Some(least) == most => most,
            _ => None,
        };
        let jobs = StoredJobs::new(Arc::clone(&listing), None, expected);
        let trouble = Arc::clone(&jobs.trouble);
        let all = mem::replace(&mut input.jobs, Box::new(iter::empty()));
        let session = PreparedSession {
            durability: self.durability(),
            folder: self.folder,
            running: self.running,
            claim: self.claim,
            run,
            leaks: self.given.leaks,
            printed,
            printed_again: None,
            listing,
            trouble,
            from: Origin::Input { jobs: all, fault: input.fault.clone() },
        };
        Ok(Journaling {
            input: Input { jobs: Box::new(jobs.map(work::stored)), ..input },
            session,
            prints: None,
            replay: None,
            resume_state: ResumeState { generation, list, ..ResumeState::default() },
        })
    }

    /// Prepares a run of what is left of an earlier one.
    pub(super) fn resume(mut self, input: Option<Input>) -> anyhow::Result<Journaling> {
        let mut past = Past::read(&self.folder)?;
        let wish = self.wish(past.round.as_ref())?;
        let before = self.running.before();
        let run = past.run.take();
        let generation = run.as_ref().map_or(0, |run| run.generation) + 1;
        self.claim_files(generation);
        let mut last =
            run.as_ref().map(|run| LastList::new(run, &self.folder, before.as_ref())).transpose()?;
        let (number, mut input, mut found) = match (input, &mut last) {
            (Some(input), last) => {
                let noted = match last {
                    Some(last) => last.note_all(&mut past, &self.folder)?,
                    None => Noted::default(),
                };
                let reckoning = ResumePlanner::new(&past, wish, noted);
                let (number, input, found) =
                    self.new_list(input.with_distinct_keys(), generation, reckoning)?;
                (self.number_of_same(number, past.round.as_ref()), input, found)
            }
            (None, Some(last)) => self.stored_list(run, last, &past, wish)?,
            (None, None) => {
                bail!("it ended before anything of it was recorded; run its command again")
            }
        };
        if found.cut_off.is_some() {
            screen::put_off_words();
        }
        // These files are opened only when needed, which is too late to refuse the run.
        check(&self.folder.own_files().outputs)?;
        check(&self.folder.inputs(number))?;
        let again = match self.given.recording {
            RecordedBy::Here => found.carry_over(),
            RecordedBy::Elsewhere { .. } => {
                found.carry_nothing_over();
                Positions::default()
            }
        };
        let printed = Arc::new(PrintLog::create(&self.folder.printed(generation), &found.printed)?);
        let run = self.run(&input, generation, number)?;
        let codec = self.codec(number, past.directory_of(number))?;
        let listing = ListFile::over(self.folder.list(number), codec, found.length, self.durability())?;
        let to_run = Arc::new(found.to_run);
        let expected = usize::try_from(to_run.count()).ok();
        let jobs = StoredJobs::new(Arc::clone(&listing), Some(Arc::clone(&to_run)), expected);
        let trouble = Arc::clone(&jobs.trouble);
        input.jobs = Box::new(jobs.map(work::stored));
        input.earlier = Earlier {
            failed: found.counts.left_failed,
            status: found.counts.left_status,
            rest: if found.is_whole { Unread::None } else { Unread::Unknown },
        };
        let before = before.map(|(holder, table)| match last {
            Some(last) => (holder, last.without_outcome(table)),
            None => (holder, table),
        });
        let says = self.says(&found.counts);
        let begun = found.cut_off.map(|whose| Cut {
            whose,
            partial: found.printed.partial(),
            shape: found.printed.shape().cloned(),
        });
        let mut replay = Replay::of(&self.folder, &listing, &found.to_print, found.begun, begun)?;
        let mut prints = (*to_run).clone();
        replay.iter().flat_map(Replay::positions).for_each(|position| prints.add(position));
        input.loss = replay.as_mut().and_then(Replay::damage);
        let session = PreparedSession {
            durability: self.durability(),
            folder: self.folder,
            running: self.running,
            claim: self.claim,
            run,
            leaks: self.given.leaks,
            printed_again: Some(PrintedAgain { printed: Arc::clone(&printed), positions: again }),
            printed,
            listing,
            trouble,
            from: Origin::Journal { length: past.own, before, says },
        };
        Ok(Journaling {
            input,
            session,
            prints: Some(Arc::new(prints)),
            replay,
            resume_state: ResumeState {
                generation,
                list: number,
                to_run: Some(to_run),
                failed: found.failed,
                round: past.round.take(),
                lengths: past.lengths.into_iter().collect(),
            },
        })
    }

    /// Which jobs to run, by the options and by which slices are still running.
    fn wish(&self, round: Option<&PastRound>) -> anyhow::Result<Wish> {
        let resume = match self.args.resume {
            Some(ResumeChoice::Unrun) => Resume::Unrun,
            Some(ResumeChoice::NotSucceeded | ResumeChoice::Failed) => Resume::NotSucceeded,
            None => {
                bail!("a run is recorded there; add --resume to go on with it, or name another folder")
            }
        };
        let goes_on = self.given.recording.goes_on(round, self.args.resume)?;
        Ok(Wish { resume, changed: self.args.changed.map(Into::into), goes_on })
    }

    /// The message about what there is to do, and about an option for changed jobs that still applies from
    /// the recorded run.
    fn says(&self, counts: &Counts) -> String {
        let counts_say = format!("procpool: {}\n", counts.text());
        match (self.args.changed, self.given.source, counts.changed) {
            (Some(changed), RunSource::Journal { changed: ChangedFrom::RecordedRun }, 1..) => {
                format!("{counts_say}procpool: {}\n", changed.as_said_before())
            }
            _ => counts_say,
        }
    }

    /// Writes the list that was given this time, and decides on each of its jobs.
    fn new_list(
        &self,
        input: Input,
        list: u32,
        mut reckoning: ResumePlanner<'_>,
    ) -> anyhow::Result<(u32, Input, ResumePlan)> {
        let Input { jobs, fault, names, .. } = input;
        let file = self.folder.list(list).make_anew()?;
        let length = write_list(jobs, &mut BufWriter::new(file), &self.codec(list, None)?, &mut reckoning)?;
        if let Some(error) = fault.get() {
            return Err(copy_of_chain(error));
        }
        let found = reckoning.end(length, true)?;
        if found.counts.jobs() == 0 && found.counts.gone > 0 {
            bail!(
                "there are no jobs in the input now, and {} are recorded; if that is meant, name another folder",
                found.counts.gone
            );
        }
        Ok((list, Input { names, ..Input::checked(Vec::new()) }, found))
    }

    /// Decides on each job of the last run's list.
    fn stored_list(
        &self,
        run: Option<Run>,
        last: &mut LastList,
        past: &Past,
        wish: Wish,
    ) -> anyhow::Result<(u32, Input, ResumePlan)> {
        let noted = last.begin_noting();
        let found = reckon_stored(&self.folder, last, ResumePlanner::new(past, wish, noted))?;
        let mut input = Input::checked(Vec::new());
        input.names = run.and_then(|run| run.names).map(Into::into);
        Ok((last.number, input, found))
    }

    /// The number of the list of a round that may still be running, if that list is equal to the new one;
    /// otherwise the new number.
    fn number_of_same(&self, number: u32, round: Option<&PastRound>) -> u32 {
        let Some(PastRound { round, .. }) = round else { return number };
        let is_same = folder::are_equal(&self.folder.list(number), &self.folder.list(round.list));
        if is_same.unwrap_or(false) { round.list } else { number }
    }

    fn run(&self, input: &Input, generation: u32, list: u32) -> anyhow::Result<Run> {
        use std::os::unix::ffi::OsStringExt as _;
        let text = |word: OsString| Text(word.into_vec().into());
        Ok(Run {
            limit: self.given.limit,
            words: env::args_os().map(text).collect(),
            options: self.given.options.iter().cloned().map(text).collect(),
            names: input.names.as_ref().map(Into::into),
            ..this_run(self.given.run, generation, list).context("the working directory is gone")?
        })
    }

    /// `written_in` is procpool's working directory when the list was written, if that was in an earlier run.
    fn codec(&self, list: u32, written_in: Option<PathBuf>) -> anyhow::Result<JobCodec> {
        Ok(JobCodec {
            here: written_in.map_or_else(env::current_dir, Ok).context("the working directory is gone")?,
            defaults: self.given.defaults,
            values: self.given.keep,
            inputs: Inputs::new(self.folder.inputs(list)),
        })
    }

    /// Has the files of this generation deleted if the run doesn't begin.
    fn claim_files(&mut self, generation: u32) {
        let folder = &self.folder;
        for file in [
            folder.list(generation),
            folder.inputs(generation),
            folder.printed(generation),
            folder.shape(generation),
            folder.rows(generation),
        ] {
            self.claim.add(file);
        }
    }

    fn durability(&self) -> Durability {
        if self.args.durable { Durability::PowerCut } else { Durability::Process }
    }
}
