//! Runs a keyed list on a cluster, by job arrays: the engine (Slurm) places, queues and requeues the elements of an array.
//!
//! What an element does is up to the caller: usually it runs an ordinary pool that takes one piece of the list after another and
//! records each outcome where the caller reads it. **A job is finished if and only if such a record exists**; what an engine
//! says about an element only tells when to look for records.
//!
//! ```text
//!   caller: records, outcomes            Head: what to ask, and when          EngineThread
//!      │  step(now, outcomes) ─────────▶  pure, no clock  ──▶ Act::Ask(Task) ────▶ Engine: Slurm
//!      ◀── Act::Submit, Say, Lost, Over ─┘      ▲──────── handle_answer(now, Answer) ◀┘
//! ```
//!
//! # What it doesn't do
//! It reads no list, no journal and no clock, prints nothing and writes no files: the caller saves what must survive the
//! head's death, when [`Act::Submit`] says so.

mod act;
mod allocation;
mod engine;
mod engine_thread;
mod head;
mod nodes;
mod notice;
mod outcomes;
mod piece;
mod plan;
mod slurm;
mod task;

pub use crate::act::{Act, Running, Status};
pub use crate::allocation::{Allocation, ElementOf};
pub use crate::engine::{
    Array, ArrayId, ArrayState, CancelScope, Capacity, Cause, Element, Engine, EngineError, Fate, Processors,
    Remedy, Requeue, State, SubmittedArray, Wait,
};
pub use crate::engine_thread::{EngineThread, carry_out};
pub use crate::head::Head;
pub use crate::nodes::{AttemptEnd, BadNode, Nodes};
pub use crate::notice::{Ended, Notice};
pub use crate::outcomes::{Holder, Outcomes, Unreadable};
pub use crate::piece::{ArrayShape, Piece, Sizing, count, cut, how_many, one_by_one, ranges};
pub use crate::plan::{Earlier, Manner, Round, Settings};
pub use crate::slurm::Slurm;
pub use crate::task::{Answer, Task};
