//! The cases of the benchmark, in the order in which they are played.

use anyhow::{Context, Result};
use clap::ValueEnum;

use crate::bench::cases::{idle, makespan, memory, resume, single, sleepers, throughput, trivial};
use crate::bench::record::Record;
use crate::bench::setting::Setting;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Case {
    /// Trivial jobs against threads that only spawn and wait
    Trivial,
    /// Trivial jobs against the other programs that are installed
    Peers,
    /// Trivial jobs with a journal against those without
    Journal,
    /// Trivial jobs with their outputs in order against those without
    KeepOrder,
    /// Trivial jobs with a file of events against those without
    Events,
    /// One trivial job against xargs and GNU parallel
    Single,
    /// Peak memory of long lists
    Memory,
    /// Large outputs against `cat` and GNU parallel
    Throughput,
    /// Very many jobs at once against the time that they sleep
    Sleepers,
    /// Processor time of procpool while very many jobs run
    Idle,
    /// Jobs of random lengths against the bound of list scheduling
    Makespan,
    /// A resume of a long list in which nothing is left to run
    Resume,
}

impl Case {
    pub(crate) fn play(self, setting: &Setting) -> Result<Record> {
        let record = match self {
            Case::Trivial => trivial::against_the_limit(setting),
            Case::Peers => trivial::against_peers(setting),
            Case::Journal => trivial::with_a_journal(setting),
            Case::KeepOrder => trivial::in_order(setting),
            Case::Events => trivial::with_events(setting),
            Case::Single => single::play(setting),
            Case::Memory => memory::play(setting),
            Case::Throughput => throughput::play(setting),
            Case::Sleepers => sleepers::play(setting),
            Case::Idle => idle::play(setting),
            Case::Makespan => makespan::play(setting),
            Case::Resume => resume::play(setting),
        };
        let mut record = record.with_context(|| format!("case {}", self.name()))?;
        record.case = self.name();
        Ok(record)
    }

    pub(crate) fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    pub(crate) fn about(self) -> String {
        let value = self.to_possible_value();
        value.as_ref().and_then(|value| value.get_help()).map(ToString::to_string).unwrap_or_default()
    }
}
