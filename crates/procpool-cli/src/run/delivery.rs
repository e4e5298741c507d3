//! Delivers a run's events to the sinks, in a fixed order, and keeps what the exit status will follow from.

use std::time::Duration;

use procpool_core::{Completion, Event, Handle, Key, Outcome};

use crate::guard::{GatedRun, LeakedProcess};
use crate::input::{Earlier, Fault};
use crate::job::work::Work;
use crate::os::errors::copy_of;
use crate::run::attempts::Attempts;
use crate::run::sink::{Sink, Totals, Trouble};
use crate::run::tally::{SinkDelivery, Tally};
use crate::run::verdict::RunEnd;
use crate::terminal::text::shorten;

pub(super) struct Delivery {
    handle: Handle,
    sinks: Vec<Box<dyn Sink>>,
    pub(super) tally: Tally,
    attempts: Attempts,
    /// Why some of the sinks are gone.
    pub(super) trouble: Option<Trouble>,
    /// Why an output could not be kept, for the first such output.
    pub(super) loss: Option<anyhow::Error>,
    /// Processes that jobs had left behind, and that were killed at the end.
    pub(super) left: Vec<LeakedProcess>,
}

impl Delivery {
    pub(super) fn new(handle: Handle, sinks: Vec<Box<dyn Sink>>, loss: Option<anyhow::Error>) -> Delivery {
        Delivery {
            handle,
            sinks,
            tally: Tally::default(),
            attempts: Attempts::default(),
            trouble: None,
            loss,
            left: Vec::new(),
        }
    }

    pub(super) fn deliver_all(&mut self, mut run: GatedRun<Work>) {
        while let Some(event) = run.next_event() {
            match event {
                Event::Started(started) => self.tell_sinks(|sink| sink.started(&started)),
                Event::Retried(retried) => {
                    self.look_for_loss(&retried.key, &retried.outcome);
                    self.tell_sinks(|sink| sink.retried(&retried));
                    let superseded = self.attempts.hold(retried);
                    self.tally.note_superseded(superseded.as_ref());
                }
                Event::Completed(completion) => self.complete(completion),
                Event::Wrote(live) => self.tell_sinks(|sink| sink.wrote(&live)),
                _ => {}
            }
        }
        self.tally.note_end(&self.handle.snapshot());
    }

    fn complete(&mut self, mut completion: Completion<Work>) {
        let superseded = self.attempts.settle(&mut completion);
        self.tally.note_superseded(superseded.as_ref());
        self.tally.note(&completion);
        self.look_for_loss(completion.key(), &completion.outcome);
        self.tell_sinks(|sink| sink.completed(&mut completion));
    }

    pub(super) fn totals(&self, elapsed: Duration) -> Totals {
        Totals {
            jobs: self.tally.jobs(),
            succeeded: self.tally.succeeded,
            failed: self.tally.failed,
            stopped: self.tally.stopped,
            unrun: self.tally.unrun.known,
            unread: self.tally.unrun.input,
            leaked: self.tally.leaked,
            left: self.left.clone(),
            elapsed,
        }
    }

    /// Drains the run if an output could not be kept: that is not the job's fault, and the next job would
    /// lose its own too.
    fn look_for_loss(&mut self, key: &Key, outcome: &Outcome) {
        if let Some(error) = outcome.ran().and_then(|ran| ran.lost.as_ref()) {
            let key = shorten(&key.to_string());
            self.loss.get_or_insert_with(|| {
                anyhow::Error::from(copy_of(error))
                    .context(format!("the output of job \"{key}\" could not be kept"))
            });
            self.handle.drain();
        }
    }

    /// A sink that fails is dropped with those after it, so that nothing is shown that is not recorded. Those
    /// before it go on and record how the run ends, which is stopped.
    pub(super) fn tell_sinks(&mut self, mut tell: impl FnMut(&mut dyn Sink) -> Result<(), Trouble>) {
        let told = self.sinks.iter_mut().map(|sink| tell(sink.as_mut()));
        if let Some((index, Err(trouble))) = told.enumerate().find(|(_, result)| result.is_err()) {
            self.sinks.truncate(index);
            if matches!(trouble, Trouble::Failed(_)) {
                self.tally.delivery = SinkDelivery::Partial;
            }
            // Keep the first error; it outranks a closed reader.
            if !matches!(self.trouble, Some(Trouble::Failed(_))) {
                self.trouble = Some(trouble);
            }
            self.handle.stop();
        }
    }

    /// The end of the run as far as it is known by now.
    pub(super) fn end<'a>(&'a self, fault: &'a Fault, earlier: Earlier, signal: Option<i32>) -> RunEnd<'a> {
        RunEnd {
            tally: &self.tally,
            earlier,
            halt_rule: self.handle.snapshot().reached,
            bad_input: fault.get(),
            lost_output: self.loss.as_ref(),
            trouble: self.trouble.as_ref(),
            signal,
        }
    }
}
