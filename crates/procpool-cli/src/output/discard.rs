//! Discards outputs that nobody wants, so that they don't fill the disk.

use procpool_core::{Completion, Live};

use crate::job::work::Work;
use crate::output::line_follower::KeepOutput;
use crate::run::sink::{Sink, Totals, Trouble};

/// Takes the printer's place.
pub(crate) struct Discard;

impl Sink for Discard {
    fn wrote(&mut self, live: &Live) -> Result<(), Trouble> {
        KeepOutput::Forgotten.forget(live, live.length());
        Ok(())
    }

    fn completed(&mut self, _: &mut Completion<Work>) -> Result<(), Trouble> {
        Ok(())
    }

    fn finish(&mut self, _: &Totals) -> Result<(), Trouble> {
        Ok(())
    }
}
