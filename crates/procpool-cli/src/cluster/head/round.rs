//! The files of a round: they are written before its array is submitted, one array takes the round, and in
//! the end the round is closed.

use std::env;
use std::ffi::OsString;
use std::time::Instant;

use anyhow::Context;
use procpool_cluster::{Array, ArrayId, Manner, Requeue, Round};
use procpool_core::{Driver, Halt};

use super::HeadLoop;
use crate::cluster::order::{self, Order, Parts, Sharing};
use crate::cluster::{halt_file, logs, round_owner};
use crate::job::work::Work;
use procpool_journal::files::live;
use procpool_journal::format::record::{self, Record, RoundOver, tag};
use procpool_journal::format::text::Text;

impl HeadLoop {
    /// Follows the array whose elements have taken the round: only that one counts.
    pub(super) fn follow_taker(&mut self) -> anyhow::Result<()> {
        let Some(tag) = self.tags.last().filter(|tag| self.taken.as_ref() != Some(*tag)) else {
            return Ok(());
        };
        let (tag, file) = (tag.clone(), self.session.folder.array(tag));
        let taker = round_owner::taker(&file).context("can't read which array has begun");
        let taker = self.unless_away(taker)?.flatten();
        if let Some(id) = taker.filter(|taker| taker != round_owner::NOBODY) {
            self.taken = Some(tag);
            self.head.follow(Instant::now(), ArrayId::new(id));
        }
        Ok(())
    }

    /// Closes a round, so that an array that arrives late can't take it.
    pub(super) fn give_up(&mut self, round: u32, driver: &mut Driver<Work>) -> anyhow::Result<()> {
        if let Some(tag) = self.tags.last() {
            live::forget(&self.session.folder, &format!("{tag}-"));
            let file = self.session.folder.array(tag);
            let taken = self.insist(driver, |_| {
                round_owner::take(&file, round_owner::NOBODY).context("can't write to the journal")
            })?;
            if taken.is_none() {
                // The round stays open, and a resume looks for its array.
                return Ok(());
            }
        }
        self.note(&Record::RoundOver(RoundOver { generation: self.generation, round }))
    }

    /// Writes everything that the slices of a round need, and records that the round is about to be
    /// submitted.
    pub(super) fn write_down(&mut self, round: &Round) -> anyhow::Result<()> {
        let folder = &self.session.folder;
        let tag = tag(self.generation, round.number);
        halt_file::tell(&folder.halt(&tag), Halt::GoOn).context("can't write to the journal")?;
        self.left_out.tell(&folder.nodes(&tag)).context("can't write to the journal")?;
        let here = env::current_dir().context("the working directory is gone")?;
        let written_in = self.session.listing.written_in();
        let order = Order {
            version: order::VERSION,
            generation: self.generation,
            round: round.number,
            run: self.config.run.clone(),
            list: self.list,
            length: self.index.length,
            jobs: self.total,
            directory: Text::from(here.as_os_str()).into_owned(),
            written_in: (written_in != here).then(|| Text::from(written_in.as_os_str()).into_owned()),
            options: self.config.options.iter().map(|word| Text::from(word).into_owned()).collect(),
            goes_on: self.config.requeue == Requeue::Yes,
            slices: round.elements,
            manner: match round.manner {
                Manner::Full => order::Manner::Full,
                Manner::OneByOne => order::Manner::OneByOne,
            },
        };
        let parts = (0..).zip(&round.pieces);
        let parts = parts.map(|(number, piece)| Parts::new(number, piece.tries, &piece.ranges, &self.index));
        order::write(folder, order, parts)?;
        self.note(&Record::Round(record::Round {
            generation: self.generation,
            number: round.number,
            name: round.name.clone(),
            list: self.list,
            slices: round.elements,
        }))?;
        self.tags.push(tag);
        self.sharing = Sharing::Claimed;
        Ok(())
    }

    pub(super) fn array(&self, round: &Round) -> Array {
        let folder = self.session.folder.path();
        let tag = tag(self.generation, round.number);
        let words = [self.program.as_os_str(), "slice".as_ref(), "--round".as_ref(), tag.as_ref()];
        let more = ["--index-from-env".as_ref(), "--".as_ref(), folder.as_os_str()];
        Array {
            name: round.name.clone(),
            elements: round.elements,
            at_once: self.config.at_once,
            leave_out: self.left_out.names().map(ToOwned::to_owned).collect(),
            processors: self.config.processors,
            requeue: self.config.requeue,
            time: self.config.time,
            command: words.into_iter().chain(more).map(OsString::from).collect(),
            directory: folder.to_owned(),
            log: folder.join(logs::name(&tag)),
        }
    }
}
