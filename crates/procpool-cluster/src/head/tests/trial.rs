//! A head with a scripted engine and a clock of its own, as its caller drives it.
//! Knows nothing of what is tried.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::PathBuf;
use std::slice::from_ref;
use std::time::{Duration, Instant};

use super::cluster::{Cluster, ended, running};
use crate::act::Act;
use crate::clerk::carry_out;
use crate::engine::{Array, Cause, Processors, Requeue, State};
use crate::head::Head;
use crate::plan::{Round, Settings};
use crate::task::Task;

pub(super) struct Trial {
    pub(super) head: Head,
    pub(super) cluster: Cluster,
    pub(super) now: Instant,
    pub(super) finished: BTreeSet<u64>,
    pub(super) rounds: Vec<Round>,
    pub(super) said: Vec<String>,
    pub(super) lost: Vec<(Vec<Range<u64>>, String)>,
    pub(super) left: Vec<(Vec<Range<u64>>, String)>,
    pub(super) refused: Vec<String>,
    pub(super) over: usize,
}

pub(super) fn settings() -> Settings {
    let mut settings = Settings::new("run", "Slurm");
    settings.wish.slices = Some(4);
    settings
}

pub(super) fn all(positions: Range<u64>) -> Vec<Range<u64>> {
    from_ref(&positions).to_vec()
}

impl Trial {
    /// A run of 40 jobs in four slices, just begun.
    pub(super) fn new() -> Trial {
        Trial::of(Head::new(settings(), all(1..41)), Cluster::default())
    }

    pub(super) fn of(head: Head, cluster: Cluster) -> Trial {
        let mut trial = Trial {
            head,
            cluster,
            now: Instant::now(),
            finished: BTreeSet::new(),
            rounds: Vec::new(),
            said: Vec::new(),
            lost: Vec::new(),
            left: Vec::new(),
            refused: Vec::new(),
            over: 0,
        };
        trial.go_on();
        trial
    }

    /// Steps until there is nothing to do at this moment.
    pub(super) fn go_on(&mut self) {
        loop {
            let finished = &self.finished;
            let acts = self.head.step(self.now, &|position| finished.contains(&position));
            if acts.is_empty() {
                return;
            }
            for act in acts {
                assert_eq!(self.over, 0, "nothing comes after the end, not {act:?}");
                self.carry_out(act);
            }
        }
    }

    fn carry_out(&mut self, act: Act) {
        let task = match act {
            Act::Ask(task) => task,
            Act::Submit(round) => {
                let array = array(&round);
                self.rounds.push(round);
                Task::Submit(Box::new(array))
            }
            Act::Say(notice) => return self.said.push(notice.to_string()),
            Act::Lost { ranges, why } => return self.lost.push((ranges, why)),
            Act::Left { ranges, why } => return self.left.push((ranges, why)),
            Act::Refused(words) => return self.refused.push(words),
            Act::Over => {
                self.over += 1;
                return;
            }
        };
        let answer = carry_out(&self.cluster, task);
        self.head.heard(self.now, answer);
    }

    /// Lets time go by, as a caller does.
    pub(super) fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds * 4 {
            self.now += Duration::from_millis(250);
            self.go_on();
        }
    }

    /// All elements of the array run.
    pub(super) fn run(&mut self) {
        self.cluster.script().all(&running("n1"));
        self.pass(2);
    }

    /// An element ends like this, with all of its jobs finished but the last few.
    pub(super) fn end(&mut self, index: u32, state: State, unfinished: u64) {
        let slice = &self.head.round().unwrap().slices[index as usize];
        let finished = slice.jobs() - unfinished;
        self.finished.extend(slice.positions().take(usize::try_from(finished).unwrap()));
        self.cluster.script().element(index, state);
    }

    pub(super) fn end_well(&mut self, indices: Range<u32>) {
        indices.for_each(|index| self.end(index, ended("exit 0", Cause::Other), 0));
    }

    pub(super) fn slices(&self, round: usize) -> Vec<(Vec<Range<u64>>, u32)> {
        self.rounds[round].slices.iter().map(|slice| (slice.ranges.clone(), slice.tries)).collect()
    }
}

fn array(round: &Round) -> Array {
    Array {
        name: round.name.clone(),
        elements: u32::try_from(round.slices.len()).unwrap(),
        at_once: None,
        processors: Processors::WholeNode,
        requeue: Requeue::Yes,
        time: None,
        command: Vec::new(),
        directory: PathBuf::new(),
        log: PathBuf::new(),
    }
}
