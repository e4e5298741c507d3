//! Messages of the head to the user.

use procpool_cluster::Notice;

use super::HeadLoop;
use crate::cluster::head_config::Audience;
use crate::cluster::logs;
use crate::terminal::{screen, shown};

impl HeadLoop {
    /// Shows a notice. Notices of normal progress are shown only if people watch.
    pub(super) fn say(&mut self, notice: &Notice) {
        let is_as_it_should_be = matches!(
            notice,
            Notice::Submitted { .. } | Notice::FoundAgain { .. } | Notice::Waiting { remedy: None, .. }
        );
        if !is_as_it_should_be || self.config.watched == Audience::ByPeople {
            screen::say(&format!("procpool: {}\n", shown::name(notice.to_string())));
        }
        if let Notice::TriedAgain { .. } = notice {
            self.say_logs();
        }
    }

    /// Shows the last lines of the logs of a round, once: they may explain why slices have left jobs.
    pub(super) fn say_logs(&mut self) {
        let Some(tag) = self.tags.last().filter(|tag| self.heard.as_ref() != Some(*tag)) else { return };
        for (log, line) in logs::last_words(&self.session.folder, tag) {
            screen::say(&format!("procpool: {} ends with: {line}\n", shown::name(log)));
        }
        self.heard = Some(tag.clone());
    }

    /// Reports that jobs are not run, and why.
    pub(super) fn say_left(jobs: u64, why: &str) {
        let left = match jobs {
            1 => "1 job is left".to_owned(),
            jobs => format!("{jobs} jobs are left"),
        };
        screen::say(&format!("procpool: {left}: {}\n", shown::name(why)));
    }

    /// Reports that this process ends while the run goes on.
    pub(super) fn say_leave(&self) {
        let jobs = match self.total - self.forwarder.finished() {
            1 => "1 job has".to_owned(),
            jobs => format!("{jobs} jobs have"),
        };
        let array = match self.head.status().array {
            Some(id) => format!("array {id} goes on without this process"),
            None => "nothing of it is in the cluster just now".to_owned(),
        };
        screen::say(&format!("procpool: {array}; {jobs} no outcome yet\n"));
    }

    /// Reports how many jobs have ended twice.
    pub(super) fn say_duplicates(&self) {
        match self.forwarder.duplicates {
            0 => {}
            1 => screen::say("procpool: 1 job ended twice; its first outcome counts\n"),
            jobs => screen::say(&format!("procpool: {jobs} jobs ended twice; their first outcomes count\n")),
        }
    }
}
