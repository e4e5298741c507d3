//! A scripted engine: does what a test says, and counts calls.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;
use std::time::SystemTime;

use crate::allocation::Allocation;
use crate::engine::{
    Array, ArrayId, ArrayState, CancelScope, Capacity, Cause, Element, Engine, EngineError, Fate, Remedy,
    State, SubmittedArray, Wait,
};

#[derive(Default)]
pub(crate) struct Cluster(Mutex<Script>);

#[derive(Default)]
pub(crate) struct Script {
    pub(crate) most_elements: Option<u32>,
    /// The number of nodes, with 8 processors each; 4 by default.
    pub(crate) nodes: Option<u32>,
    /// More elements than this are too many for the user.
    pub(crate) most_submitted: Option<u32>,
    /// This many calls fail.
    pub(crate) away: u32,
    pub(crate) next_submission: Submission,
    pub(crate) arrays: Vec<Made>,
    pub(crate) cancelled: Vec<(String, CancelScope)>,
    pub(crate) polls: u32,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Submission {
    #[default]
    Answered,
    /// It was accepted, but the answer is lost.
    Unanswered,
    /// It is lost.
    Swallowed,
    Refused(String),
}

pub(crate) struct Made {
    pub(crate) name: String,
    pub(crate) elements: BTreeMap<u32, State>,
    pub(crate) others: Option<Fate>,
}

impl Cluster {
    pub(crate) fn script(&self) -> MutexGuard<'_, Script> {
        self.0.lock().unwrap()
    }

    fn answer(&self) -> Result<MutexGuard<'_, Script>, EngineError> {
        let mut script = self.script();
        if script.away > 0 {
            script.away -= 1;
            return Err(EngineError::Unreachable("Unable to contact slurm controller".into()));
        }
        Ok(script)
    }
}

impl Script {
    /// Sets the state of all elements of the last array.
    pub(crate) fn all(&mut self, state: &State) {
        let array = self.arrays.last_mut().unwrap();
        array.elements.values_mut().for_each(|element| *element = state.clone());
    }

    pub(crate) fn element(&mut self, index: u32, state: State) {
        self.arrays.last_mut().unwrap().elements.insert(index, state);
    }
}

pub(crate) fn waiting(reason: &str, remedy: Option<&str>) -> State {
    State::Waiting(Wait {
        reason: reason.into(),
        remedy: remedy.map(|line| Remedy::Command(line.to_owned())),
    })
}

pub(crate) fn running(node: &str) -> State {
    State::Running { node: node.into() }
}

pub(crate) fn ended(words: &str, cause: Cause) -> State {
    State::Ended(Fate { node: Some("n2".into()), words: words.into(), cause })
}

impl Engine for Cluster {
    fn name(&self) -> &'static str {
        "Slurm"
    }

    fn check(&self) -> Result<(), EngineError> {
        Ok(())
    }

    fn survey(&self) -> Result<Capacity, EngineError> {
        let script = self.answer()?;
        let nodes = script.nodes.unwrap_or(4);
        let most_elements = script.most_elements.unwrap_or(1001);
        Ok(Capacity { most_elements, processors: 8 * nodes, nodes })
    }

    fn submit(&self, array: &Array) -> Result<ArrayId, EngineError> {
        let mut script = self.answer()?;
        if script.most_submitted.is_some_and(|most| array.elements > most) {
            return Err(EngineError::TooMany("AssocMaxSubmitJobLimit".into()));
        }
        let submission = std::mem::take(&mut script.next_submission);
        if let Submission::Refused(words) = submission {
            return Err(EngineError::Refused(words));
        }
        if submission != Submission::Swallowed {
            let elements = (0..array.elements).map(|index| (index, waiting("Priority", None))).collect();
            script.arrays.push(Made { name: array.name.clone(), elements, others: None });
        }
        match submission {
            Submission::Answered => Ok(ArrayId::new(script.arrays.len().to_string())),
            _ => Err(EngineError::Unreachable("sbatch took longer than 10 s".into())),
        }
    }

    fn find(&self, name: &str) -> Result<Option<ArrayId>, EngineError> {
        let script = self.answer()?;
        let place = script.arrays.iter().position(|array| array.name == name);
        Ok(place.map(|place| ArrayId::new((place + 1).to_string())))
    }

    fn poll(&self, array: &SubmittedArray) -> Result<ArrayState, EngineError> {
        let mut script = self.answer()?;
        script.polls += 1;
        let number: usize = array.id.as_str().parse().unwrap();
        let array = script.arrays.get(number - 1);
        let elements = array.into_iter().flat_map(|array| &array.elements);
        let elements =
            elements.map(|(index, state)| Element { index: *index, state: state.clone() }).collect();
        Ok(ArrayState {
            elements,
            others: array.and_then(|array| array.others.clone()),
        })
    }

    fn cancel(&self, array: &SubmittedArray, scope: CancelScope) -> Result<(), EngineError> {
        let mut script = self.answer()?;
        script.cancelled.push((array.id.as_str().to_owned(), scope));
        let number: usize = array.id.as_str().parse().unwrap();
        for state in script.arrays[number - 1].elements.values_mut() {
            match state {
                State::Waiting(_) => *state = ended("CANCELLED", Cause::Cancelled),
                State::Running { .. } if scope == CancelScope::All => {
                    *state = ended("CANCELLED", Cause::Cancelled);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn allocation(&self, _variable: &dyn Fn(&str) -> Option<String>) -> Option<Allocation> {
        None
    }

    fn end_of(&self, _allocation: &Allocation) -> Result<Option<SystemTime>, EngineError> {
        Ok(None)
    }

    fn warning(&self) -> Duration {
        Duration::ZERO
    }
}
