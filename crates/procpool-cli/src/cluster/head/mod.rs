//! The head of a run on a cluster: it submits rounds of slices, follows their records, and halts them.

mod halts;
mod outage;
mod round;
mod standing;
mod words;

use std::env;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use procpool_cluster::{Act, Answer, EngineThread, Head, Task};
use procpool_core::{Driver, Halt, Pending};

use crate::cluster::bad_nodes::LeftOut;
use crate::cluster::head_config::{HeadConfig, HeadContext, Stay};
use crate::cluster::job_facts::JobFacts;
use crate::cluster::list_index::ListIndex;
use crate::cluster::order::Sharing;
use crate::cluster::outcome_forwarder::OutcomeForwarder;
use crate::cluster::running_jobs::RunningJobs;
use crate::cluster::slice_files::SliceFiles;
use crate::cluster::takeover::{Takeover, take_up};
use crate::guard::KeeperGate;
use crate::guard::leave_running::LeaveRunning;
use crate::input::Fault;
use crate::job::work::Work;
use crate::journal::session::Session;
use crate::terminal::screen;
use procpool_journal::files::live;
use procpool_journal::files::outage::Waiting;
use procpool_journal::format::positions::Positions;
use procpool_journal::format::record::{self, Record};

/// The pause between two looks at the slices' records: while there are new ones, and at most.
const SHORTEST: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_millis(250);

/// How long slices may take to end after the run is over. A slice whose node was thought lost may still run,
/// and may record jobs that have already ended elsewhere.
const LAST_WORDS: Duration = Duration::from_millis(1500);

/// Runs the whole list on the cluster.
pub(crate) fn drive(head_context: HeadContext, driver: &mut Driver<Work>) {
    let session = Arc::clone(&head_context.forwarder_context.session);
    wait_for_list(&session, driver);
    if let Err(error) = HeadLoop::new(head_context, driver).and_then(|head_loop| head_loop.run(driver)) {
        HeadLoop::count_all(driver);
        // The journal's sink reports the error when the run ends, which is now.
        let _ = session.trouble().set(error);
    }
}

/// Waits until the list is complete, because slices are parts of a complete list.
fn wait_for_list(session: &Session, driver: &mut Driver<Work>) {
    while !session.listing.finish_reading() && driver.halted() == Halt::GoOn {
        driver.wait(SHORTEST);
    }
}

/// The state of a run in progress.
struct HeadLoop {
    config: HeadConfig,
    session: Arc<Session>,
    engine_thread: EngineThread,
    keeper_gate: KeeperGate,
    leave: LeaveRunning,
    fault: Fault,
    generation: u32,
    list: u32,
    index: Arc<ListIndex>,
    total: u64,
    head: Head,
    forwarder: OutcomeForwarder,
    slice_files: SliceFiles,
    running_jobs: RunningJobs,
    left_out: LeftOut,
    /// The halt that was last written for the slices.
    told: Halt,
    /// The halt of the run that the head has last acted on.
    obeyed: Halt,
    /// Set while the folder can't be used.
    away: Option<Waiting>,
    /// The tags of rounds whose slices may still run, as in the names of their files. The current round is
    /// the last.
    tags: Vec<String>,
    /// How the slices of the current round share its pieces.
    sharing: Sharing,
    /// The tag of the current round, once it is known which array has taken the round.
    taken: Option<String>,
    /// The tag of the last round whose logs were shown.
    heard: Option<String>,
    /// The path of procpool itself, determined at the start: the file may be replaced during the run.
    program: PathBuf,
    pause: Duration,
}

impl HeadLoop {
    fn new(head_context: HeadContext, driver: &mut Driver<Work>) -> anyhow::Result<HeadLoop> {
        let HeadContext {
            config,
            forwarder_context,
            resume_state,
            engine_thread,
            keeper_gate,
            leave,
            fault,
        } = head_context;
        let session = Arc::clone(&forwarder_context.session);
        let folder = session.folder.clone();
        let index = Arc::new(ListIndex::read(&folder, resume_state.list)?);
        let todo = resume_state.to_run.clone().unwrap_or_else(|| Arc::new(Positions::up_to(index.jobs())));
        let total = todo.count();
        driver.standing.total = Some(total);
        let mut forwarder = OutcomeForwarder::new(forwarder_context, Arc::clone(&index), Arc::clone(&todo));
        let slice_files = SliceFiles::new(folder.clone(), resume_state.lengths.clone());
        let Takeover { head, earlier } = take_up(&config, &resume_state, &forwarder, &folder)?;
        let sharing = earlier.as_ref().map_or(Sharing::Claimed, |(_, sharing)| *sharing);
        let mut left_out = LeftOut::new(config.bad_node);
        if let Some((tag, _)) = &earlier {
            left_out.take_up(&folder.nodes(tag));
            left_out.names().for_each(|node| forwarder.nodes.know(node));
        }
        Ok(HeadLoop {
            config,
            session,
            engine_thread,
            keeper_gate,
            leave,
            fault,
            generation: resume_state.generation,
            list: resume_state.list,
            index,
            total,
            head,
            forwarder,
            slice_files,
            running_jobs: RunningJobs::default(),
            left_out,
            told: Halt::GoOn,
            obeyed: Halt::GoOn,
            away: None,
            tags: earlier.into_iter().map(|(tag, _)| tag).collect(),
            sharing,
            taken: None,
            heard: None,
            program: env::current_exe().context("can't tell where procpool itself is")?,
            pause: SHORTEST,
        })
    }

    fn run(mut self, driver: &mut Driver<Work>) -> anyhow::Result<()> {
        self.leave.allow();
        while self.go_on(driver)? {
            self.stand(driver);
            driver.wait(self.pause);
        }
        self.keeper_gate.pass();
        if self.leave.is_asked() {
            self.say_leave();
            driver.standing.active.clear();
            driver.standing.pending = Pending::Exactly(0);
            return Ok(());
        }
        self.forwarder.end(driver)?;
        if self.config.stay == Stay::Detached {
            // They keep running, but not for this head.
            driver.standing.active.clear();
            driver.standing.pending = Pending::Exactly(0);
            return Ok(());
        }
        self.dismiss(driver)?;
        self.stand_at_end(driver);
        live::forget(&self.session.folder, "");
        self.say_duplicates();
        Ok(())
    }

    /// Takes one turn. Returns whether there is another one.
    fn go_on(&mut self, driver: &mut Driver<Work>) -> anyhow::Result<bool> {
        self.follow(driver)?;
        self.judge(driver);
        self.leave_out();
        self.halt(driver)?;
        if self.leave.is_asked() {
            return Ok(false);
        }
        if self.away.is_some() && driver.halted() == Halt::GoOn {
            // The next step must be recorded in the folder first, and what was read from there is out of
            // date.
            return Ok(true);
        }
        if self.forwarder.finished() == self.total {
            self.head.finish();
        }
        // Read before the answer, which may end the round as well: a refused round is over, and its jobs were
        // in no array.
        let round = self.head.round().map(|round| round.number);
        if let Some(answer) = self.engine_thread.take() {
            self.hear(answer)?;
        }
        self.follow_taker()?;
        let facts = JobFacts {
            forwarder: &self.forwarder,
            slice_files: &self.slice_files,
            folder: &self.session.folder,
            tag: self.tags.last(),
            sharing: self.sharing,
        };
        let acts = self.head.step(Instant::now(), &facts);
        if let Some(round) = round.filter(|_| self.head.round().is_none()) {
            self.give_up(round, driver)?;
        }
        for act in acts {
            if !self.act(act, driver)? {
                return Ok(false);
            }
        }
        let has_left = self.config.stay == Stay::Detached && self.head.status().array.is_some();
        Ok(!has_left)
    }

    /// Forwards new records of slices. With --detach the next resume does this instead.
    fn follow(&mut self, driver: &mut Driver<Work>) -> anyhow::Result<()> {
        if self.config.stay == Stay::Detached {
            return Ok(());
        }
        let begun = Instant::now();
        self.forwarder.take_late(driver)?;
        let over = self.slice_files.over();
        let forwarder = &mut self.forwarder;
        let passed = self.slice_files.pass(|seen| forwarder.take(seen, driver));
        let Some(count) = self.unless_away(passed)? else {
            self.pause = LONGEST;
            return Ok(());
        };
        self.away.take().into_iter().for_each(Waiting::end);
        if self.slice_files.over() > over {
            // A slice is over, so its element is about to end: ask the engine soon.
            self.head.look(begun);
        }
        let pause = if count > 0 { SHORTEST } else { (self.pause * 2).min(LONGEST) };
        // With a thousand files a look takes long. The pause grows with it, so that looking doesn't take all
        // the time.
        self.pause = pause.max(begun.elapsed() * 4).min(LONGEST.max(begun.elapsed()));
        Ok(())
    }

    /// Halts the run if its halt rule is reached. Slices can't judge that: they see only their own jobs.
    fn judge(&self, driver: &mut Driver<Work>) {
        let Some(rule) = self.config.halt_rule.filter(|_| driver.standing.reached.is_none()) else { return };
        if rule.is_reached(self.forwarder.counts, Some(self.total)) {
            driver.standing.reached = Some(rule);
            driver.halt(rule.halt());
        }
    }

    /// Reports nodes on which every job fails, and leaves them out of slices and later arrays.
    fn leave_out(&mut self) {
        for bad in self.forwarder.nodes.take_bad() {
            screen::say(&format!("procpool: {}\n", self.left_out.add(bad)));
        }
        let folder = &self.session.folder;
        // If a file can't be written now, the next turn tries again.
        self.left_out.tell_news(self.tags.iter().map(|tag| folder.nodes(tag)));
    }

    fn hear(&mut self, answer: Answer) -> anyhow::Result<()> {
        if let (Answer::Submitted(Ok(id)) | Answer::Found(Ok(Some(id))), Some(round)) =
            (&answer, self.head.round())
        {
            let array = record::Array {
                generation: self.generation,
                round: round.number,
                id: id.as_str().to_owned(),
            };
            self.note(&Record::Array(array))?;
        }
        self.head.handle_answer(Instant::now(), answer);
        Ok(())
    }

    /// Carries out an act of the head. Returns false if it was the last one.
    fn act(&mut self, act: Act, driver: &mut Driver<Work>) -> anyhow::Result<bool> {
        match act {
            Act::Ask(task) => self.engine_thread.ask(task),
            Act::Submit(round) => {
                if self.insist(driver, |head_loop| head_loop.write_down(&round))?.is_none() {
                    return Ok(false);
                }
                self.engine_thread.ask(Task::Submit(Box::new(self.array(&round))));
            }
            Act::Say(notice) => self.say(&notice),
            Act::Lost { ranges, why } => {
                self.say_logs();
                for position in ranges.into_iter().flatten() {
                    if !self.forwarder.is_finished(position) {
                        self.forwarder.lose(position, &why, driver)?;
                    }
                }
            }
            Act::Left { ranges, why } => {
                HeadLoop::say_left(procpool_cluster::count(&ranges), &why);
            }
            Act::Refused(why) => self.fault.set(anyhow!("{}: {why}", self.config.settings.engine)),
            Act::Over => return Ok(false),
        }
        Ok(true)
    }

    fn note(&self, record: &Record) -> anyhow::Result<()> {
        self.session.recorder.note(record).context("can't write to the journal")
    }
}
