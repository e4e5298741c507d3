//! The job log of GNU parallel, as `--joblog` writes it.
//! Knows nothing of how a row is made: the record of that name does.

use std::io::Write;
use std::time::SystemTime;

use crate::export::format::Format;
use crate::export::row::Row;
use crate::journal::reading::Reading;
use crate::sink::joblog::{Figures, HEADER};
use crate::told::{Fault, Paper};

pub(super) struct Joblog;

impl Format for Joblog {
    fn begin(&mut self, paper: &mut Paper) -> Result<(), Fault> {
        Ok(paper.write_all(HEADER.as_bytes())?)
    }

    fn row(&mut self, row: &Row<'_>, _: &mut Reading, paper: &mut Paper) -> Result<(), Fault> {
        Ok(paper.write_all(text(row).as_bytes())?)
    }
}

/// Empty for a job that has come to no end.
fn text(row: &Row<'_>) -> String {
    let Row::Ended(_, entry) = row else { return String::new() };
    let ended = humantime::parse_rfc3339(&entry.ended).unwrap_or(SystemTime::UNIX_EPOCH);
    Figures::of(&entry.outcome(), entry.stdout_bytes, ended)
        .map(|figures| figures.row(row.seq(), &row.command().unwrap_or_default()))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::export::row::Whose;
    use crate::journal::entry::scripted;

    #[test]
    fn a_row_is_that_of_the_record_of_this_name() {
        let entry = scripted(&json!({
            "outcome": "timed_out", "success": false, "exit_code": null, "signal": 15, "stdout_bytes": 7, "seq": 3,
        }));
        let expected = "3\t:\t1767323045.478\t     0.200\t0\t7\t-1\t15\t\n";
        assert_eq!(text(&Row::Ended(Whose::Nobody, &entry)), expected);
        let entry = scripted(&json!({
            "outcome": "not_started", "success": false, "status": 127, "exit_code": null, "started": null,
            "errno": 2, "error": "program \"x\": No such file or directory (os error 2)",
        }));
        let expected = "1\t:\t1767323045.678\t     0.000\t0\t0\t127\t0\t\n";
        assert_eq!(text(&Row::Ended(Whose::Nobody, &entry)), expected);
    }
}
