//! A head with a scripted engine and its own clock, driven as by a caller.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::PathBuf;
use std::slice::from_ref;
use std::time::{Duration, Instant};

use super::cluster::{Cluster, ended, running};
use crate::act::Act;
use crate::engine::{Array, Cause, Processors, Requeue, State};
use crate::engine_thread::carry_out;
use crate::head::Head;
use crate::outcomes::{Holder, Outcomes, Unreadable};
use crate::piece::{Piece, ranges};
use crate::plan::{Round, Settings};
use crate::task::Task;

pub(super) struct Trial {
    pub(super) head: Head,
    pub(super) cluster: Cluster,
    pub(super) now: Instant,
    pub(super) facts: Facts,
    pub(super) rounds: Vec<Round>,
    pub(super) said: Vec<String>,
    pub(super) lost: Vec<(Vec<Range<u64>>, String)>,
    pub(super) left: Vec<(Vec<Range<u64>>, String)>,
    pub(super) refused: Vec<String>,
    pub(super) over: usize,
}

/// The records of the jobs.
#[derive(Default)]
pub(super) struct Facts {
    pub(super) finished: BTreeSet<u64>,
    /// Who has taken the last round's pieces.
    pub(super) holders: Vec<Holder>,
    pub(super) is_unreadable: bool,
    /// Jobs that are known not to have been begun.
    pub(super) unbegun: BTreeSet<u64>,
}

impl Outcomes for Facts {
    fn is_finished(&self, position: u64) -> bool {
        self.finished.contains(&position)
    }

    fn holder(&self, piece: usize) -> Result<Holder, Unreadable> {
        if self.is_unreadable { Err(Unreadable) } else { Ok(self.holders[piece]) }
    }

    fn was_begun(&self, position: u64, _: u32) -> bool {
        !self.unbegun.contains(&position)
    }
}

/// Elements that take the same number of jobs each, one after another.
pub(super) fn deal(round: &Round) -> Vec<Holder> {
    let mut before = 0;
    let deal = |piece: &Piece| {
        let element = before * u64::from(round.elements) / round.jobs();
        before += piece.jobs();
        Holder::Element(u32::try_from(element).unwrap())
    };
    round.pieces.iter().map(deal).collect()
}

pub(super) fn settings() -> Settings {
    let mut settings = Settings::new("run", "Slurm");
    settings.sizing.elements = Some(4);
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
            facts: Facts::default(),
            rounds: Vec::new(),
            said: Vec::new(),
            lost: Vec::new(),
            left: Vec::new(),
            refused: Vec::new(),
            over: 0,
        };
        trial.next_question();
        trial
    }

    /// Steps until there is nothing to do at this moment.
    pub(super) fn next_question(&mut self) {
        loop {
            let acts = self.head.step(self.now, &self.facts);
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
                self.facts.holders = deal(&round);
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
        self.head.handle_answer(self.now, answer);
    }

    /// Lets time pass, as a caller does.
    pub(super) fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds * 4 {
            self.now += Duration::from_millis(250);
            self.next_question();
        }
    }

    /// All elements of the array run.
    pub(super) fn run(&mut self) {
        self.cluster.script().all(&running("n1"));
        self.pass(2);
    }

    /// An element ends like this, with all of its jobs finished except the last few.
    pub(super) fn end(&mut self, index: u32, state: State, unfinished: usize) {
        let mut positions = self.positions(index);
        positions.truncate(positions.len().saturating_sub(unfinished));
        self.facts.finished.extend(positions);
        self.cluster.script().element(index, state);
    }

    /// The jobs that an element of the round has taken.
    pub(super) fn positions(&self, index: u32) -> Vec<u64> {
        let holders = self.facts.holders.iter();
        let held = self.head.round().unwrap().pieces.iter().zip(holders);
        held.filter(|(_, holder)| **holder == Holder::Element(index))
            .flat_map(|(piece, _)| piece.positions())
            .collect()
    }

    /// Nothing was taken from this piece on.
    pub(super) fn untake(&mut self, from: usize) {
        self.facts.holders[from..].fill(Holder::Nobody);
    }

    pub(super) fn end_well(&mut self, indices: Range<u32>) {
        indices.for_each(|index| self.end(index, ended("exit 0", Cause::Other), 0));
    }

    /// The submitted jobs, by the number of their tries.
    pub(super) fn tries(&self, round: usize) -> BTreeMap<u32, Vec<Range<u64>>> {
        let mut tries: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
        for piece in &self.rounds[round].pieces {
            tries.entry(piece.tries).or_default().extend(piece.positions());
        }
        tries.into_iter().map(|(tries, positions)| (tries, ranges(positions))).collect()
    }
}

fn array(round: &Round) -> Array {
    Array {
        name: round.name.clone(),
        elements: round.elements,
        at_once: None,
        leave_out: Vec::new(),
        processors: Processors::WholeNode,
        requeue: Requeue::Yes,
        time: None,
        command: Vec::new(),
        directory: PathBuf::new(),
        log: PathBuf::new(),
    }
}
